"""All uncertainty that comes from influences: variances, contrasts, joint tests, simultaneous bands.

An estimator hands over ``k`` estimates and the influence of every independent unit on them, ``(m, k)``. Here they
become covariances (stratified, clustered, several stages of selection), tests and intervals. What is left out:
inference under drawn assignments (:mod:`evaluation.randomization`).
"""

from evaluation.influence.inference import (
    JointTest,
    bands,
    contrast,
    critical_value,
    estimates_from_influence,
    joint_test,
    stack,
    two_sided_p,
)
from evaluation.influence.variance import covariance, degrees_of_freedom, group_sums, sum_to, variances

__all__ = [
    "JointTest",
    "bands",
    "contrast",
    "covariance",
    "critical_value",
    "degrees_of_freedom",
    "estimates_from_influence",
    "group_sums",
    "joint_test",
    "stack",
    "sum_to",
    "two_sided_p",
    "variances",
]
