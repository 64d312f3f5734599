"""The kinds of inference that are offered on request, beside :class:`evaluation.Randomization`."""

from evaluation.did.asymptotic import ClusterRobust
from evaluation.did.multiplier import MultiplierBootstrap
from evaluation.did.spatial import Conley
from evaluation.did.wild import ScoreWild

OnRequest = ClusterRobust | MultiplierBootstrap | ScoreWild | Conley
