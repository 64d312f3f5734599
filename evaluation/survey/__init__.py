"""Estimates from surveys: means, shares, totals, ratios by domain, and the change between waves.

Every estimator hands the influence of each sampling unit to :mod:`evaluation.influence`, where the variance is made.
"""
