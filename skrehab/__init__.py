"""Frame-level assessment of rehabilitation exercises from one label per video.

Importing :mod:`skrehab` imports nothing heavy: public names are loaded on first use (PEP 562).
"""

import importlib

__version__ = "0.1.0.dev0"

# public name -> module that holds it
_PUBLIC = {
    "PoseExtractor": "pose",
    "DisplacementSmoother": "preprocessing",
    "LandmarkScaler": "preprocessing",
    "BoneVectors": "bones",
    "SkeletonConverter": "skeleton_converter",
    "VideoClassifier": "video",
    "SaliencyPseudoLabeler": "pseudo_labels",
    "FrameMLP": "frames",
    "FrameTCN": "frame_tcn",
    "Augmentation": "augmentation",
    "FusionClassifier": "fusion",
    "FrameStream": "live",
    "CueGate": "cues",
    "SaliencyMapDisplay": "inspection",
    "FrameTimelineDisplay": "inspection",
    "PatientScoresDisplay": "inspection",
    "SkeletonDisplay": "inspection",
    "MuscleActivationDisplay": "inspection",
    "ActivationMapDisplay": "inspection",
    "MultiLabelVideoClassifier": "multilabel",
    "MultiLabelFusion": "fusion",
    "MuscleGroupClassifier": "muscle_groups",
    "PoseSequencePretrainer": "pretraining",
    "QualityRegressor": "quality",
    "AppearanceFeatures": "appearance_features",
    "GapFiller": "repairs",
    "LeftRightRepair": "repairs",
    "SideNormalizer": "repairs",
    "export_onnx": "onnx_export",
    "from_pretrained": "hub",
    "push_to_hub": "hub",
    "save": "persistence",
    "load": "persistence",
}
_MODULES = ("conversion", "datasets", "evaluation", "formats", "metrics", "networks") + (
    "saliency",
    "skeletons",
    "trials",
)

__all__ = [*_PUBLIC, *_MODULES, "__version__"]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"skrehab.{_PUBLIC[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"skrehab.{name}")
    raise AttributeError(f"module 'skrehab' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
