"""The kinds of inference that are offered on request, beside :class:`evaluation.Randomization`."""

from evaluation.did.inference.asymptotic import ClusterRobust
from evaluation.did.inference.multiplier import MultiplierBootstrap
from evaluation.did.inference.spatial import Conley
from evaluation.did.inference.wild import ScoreWild

OnRequest = ClusterRobust | MultiplierBootstrap | ScoreWild | Conley
