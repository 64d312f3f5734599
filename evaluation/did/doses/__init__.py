"""The numerical parts of dose response: doses of units, and their exchange."""
