"""The numerical parts of group-time effects: the sample, its cells, and their averages."""
