"""Learning from pose sequences without labels: tasks, network, training loop and the estimator.

Nekoui & Cheng 2021, BMVC, section 3.1.
"""

from .pretrainer import PoseSequencePretrainer

__all__ = ["PoseSequencePretrainer"]
