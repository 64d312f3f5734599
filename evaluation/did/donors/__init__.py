"""The numerical parts of synthetic controls: weights of donors, fits, and gaps."""
