"""Frame-level assessment of rehabilitation exercises from one label per video.

Importing :mod:`skrehab` imports nothing heavy: public names are loaded on first use (PEP 562).
"""

import importlib

__version__ = "0.1.0"

# public name -> module that holds it
_PUBLIC = {
    "PoseExtractor": "pose",
    "DisplacementSmoother": "preprocessing",
    "LandmarkScaler": "preprocessing",
    "BoneVectors": "preprocessing",
    "PatientReference": "preprocessing",
    "KinematicMeasures": "preprocessing",
    "MovementSummary": "preprocessing",
    "RocketFeatures": "preprocessing",
    "PatientRidgeClassifier": "linear",
    "SkeletonConverter": "preprocessing",
    "VideoClassifier": "video",
    "SaliencyPseudoLabeler": "pseudo_labels",
    "CalibratedByPatient": "adaptation",
    "FrameMLP": "frames",
    "FrameTCN": "frames",
    "Augmentation": "training.augmentation",
    "FusionClassifier": "fusion",
    "FrameStream": "live",
    "CueGate": "live",
    "SaliencyMapDisplay": "inspection",
    "FrameTimelineDisplay": "inspection",
    "PatientScoresDisplay": "inspection",
    "SkeletonDisplay": "inspection",
    "MuscleActivationDisplay": "inspection",
    "ActivationMapDisplay": "inspection",
    "ClipTimeline": "inspection",
    "MultiLabelFrames": "multilabel",
    "MultiLabelVideoClassifier": "multilabel",
    "MultiLabelFusion": "fusion",
    "MuscleGroupClassifier": "fusion",
    "PoseSequencePretrainer": "pretraining",
    "QualityRegressor": "quality",
    "AppearanceFeatures": "quality",
    "GapFiller": "preprocessing",
    "LeftRightRepair": "preprocessing",
    "SideNormalizer": "preprocessing",
    "export_onnx": "onnx",
    "from_pretrained": "persistence",
    "push_to_hub": "persistence",
    "save": "persistence",
    "load": "persistence",
}
# rooms that are attributes of skrehab after a plain import
_MODULES = (
    "adaptation",
    "datasets",
    "evaluation",
    "formats",
    "linear",
    "metrics",
    "networks",
    "pose",
    "preprocessing",
    "recipes",
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
