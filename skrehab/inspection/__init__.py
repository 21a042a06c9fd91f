"""Pictures of trials, scores, muscle groups and patients, in the manner of scikit-learn's Displays.

Each class stores its data, draws it in ``plot(ax=None)`` and keeps what it drew in ``ax_`` and
``figure_``. Matplotlib is imported when something is drawn, not before.
"""

from .activation_map import ActivationMapDisplay
from .clip_timeline import Action, ClipTimeline
from .frame_timeline import FrameTimelineDisplay
from .muscle_activation import MuscleActivationDisplay
from .patient_scores import PatientScoresDisplay
from .saliency_map import SaliencyMapDisplay
from .skeleton import SkeletonDisplay

__all__ = [
    "Action",
    "ActivationMapDisplay",
    "ClipTimeline",
    "FrameTimelineDisplay",
    "MuscleActivationDisplay",
    "PatientScoresDisplay",
    "SaliencyMapDisplay",
    "SkeletonDisplay",
]
