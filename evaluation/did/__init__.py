"""Difference-in-differences: estimators of the effect of a measure on counts of areas over time."""
