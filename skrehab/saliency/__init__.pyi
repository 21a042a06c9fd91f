# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.saliency.scores import AGGREGATIONS as AGGREGATIONS
from skrehab.saliency.scores import COORDS as COORDS
from skrehab.saliency.label_maps import LabelMap as LabelMap
from skrehab.saliency.attribution import METHODS as METHODS
from skrehab.saliency.scores import SCALES as SCALES
from skrehab.saliency.scores import SMOOTHINGS as SMOOTHINGS
from skrehab.saliency.attribution import Saliency as Saliency
from skrehab.saliency.scores import check_smooth as check_smooth
from skrehab.saliency.path_integral import clenshaw_curtis as clenshaw_curtis
from skrehab.saliency.gradients import converge as converge
from skrehab.saliency.attribution import explain as explain
from skrehab.saliency.scores import frame_scores as frame_scores
from skrehab.saliency.class_activation import grad_cam as grad_cam
from skrehab.saliency.scores import highest_score as highest_score
from skrehab.saliency.path_integral import integrate_stretches as integrate_stretches
from skrehab.saliency.gradients import integrated_gradients as integrated_gradients
from skrehab.saliency.attention_weights import joint_attention as joint_attention
from skrehab.saliency.label_maps import label_map as label_map
from skrehab.saliency.scores import min_max as min_max
from skrehab.saliency.scores import score_frames as score_frames
from skrehab.saliency.scores import smooth_frames as smooth_frames
from skrehab.saliency.class_activation import token_attention as token_attention
from skrehab.saliency.class_activation import token_joints as token_joints
from skrehab.saliency.gradients import vanilla_gradient as vanilla_gradient
from skrehab.saliency.path_integral import worst_stretches as worst_stretches
