"""How good is a pose? What was seen of each trial, how steadily, and whether of one person.

Numbers first, judgement second: :func:`pose_quality` measures one trial, :class:`PoseLimits` says
what is too much, :func:`check_pose_quality` warns of trials, refuses them, or says which to leave
out.
"""

from .check import PoseLimits, QualityReport, check_pose_quality
from .measure import PoseQuality, pose_quality

__all__ = ["PoseLimits", "PoseQuality", "QualityReport", "check_pose_quality", "pose_quality"]
