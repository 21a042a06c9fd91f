# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.frames.mlp import FrameMLP as FrameMLP
from skrehab.frames.tcn import FrameTCN as FrameTCN
from skrehab.frames.targets import FrameTargets as FrameTargets
from skrehab.frames.targets import SoftLabels as SoftLabels
from skrehab.frames.targets import check_frame_targets as check_frame_targets
