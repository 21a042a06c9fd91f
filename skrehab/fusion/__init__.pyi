# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.fusion.branches import BranchLoss as BranchLoss
from skrehab.fusion.branches import BranchTraining as BranchTraining
from skrehab.fusion.late import FusionClassifier as FusionClassifier
from skrehab.fusion.late import MultiLabelFusion as MultiLabelFusion
from skrehab.fusion.muscle_groups import MuscleGroupClassifier as MuscleGroupClassifier
