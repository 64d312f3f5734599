"""Data with a known effect: for tests, teaching, power, and the sample project.

`simulate_counts` gives arrays. Nothing here looks at real offences.
"""

from evaluation.simulate.counts import simulate_counts

__all__ = ["simulate_counts"]
