"""The classes that a model may be made of."""

import importlib

__all__ = ["CLASSES"]

# what may be saved and loaded: name in the file -> where the class lives
CLASSES = {
    "PoseExtractor": "skrehab.pose.extractor",
    "DisplacementSmoother": "skrehab.preprocessing",
    "LandmarkScaler": "skrehab.preprocessing",
    "SkeletonConverter": "skrehab.preprocessing",
    "VideoClassifier": "skrehab.video",
    "PoseSequencePretrainer": "skrehab.pretraining",
    "FusionClassifier": "skrehab.fusion",
    "MultiLabelFusion": "skrehab.fusion",
    "MuscleGroupClassifier": "skrehab.fusion",
    "MultiLabelFrames": "skrehab.multilabel",
    "MultiLabelVideoClassifier": "skrehab.multilabel",
    "QualityRegressor": "skrehab.quality",
    "AppearanceFeatures": "skrehab.quality",
    "CalibratedByPatient": "skrehab.adaptation",
    "SaliencyPseudoLabeler": "skrehab.pseudo_labels",
    "GapFiller": "skrehab.preprocessing",
    "LeftRightRepair": "skrehab.preprocessing",
    "SideNormalizer": "skrehab.preprocessing",
    "FrameMLP": "skrehab.frames",
    "FrameTCN": "skrehab.frames",
    "Augmentation": "skrehab.training.augmentation",
    "BoneVectors": "skrehab.preprocessing",
    "PatientReference": "skrehab.preprocessing",
    "KinematicMeasures": "skrehab.preprocessing",
    "MovementSummary": "skrehab.preprocessing",
    "RocketFeatures": "skrehab.preprocessing",
    "PatientRidgeClassifier": "skrehab.linear",
    "sklearn.Pipeline": "sklearn.pipeline",
    "sklearn.StandardScaler": "sklearn.preprocessing",
    "sklearn.LogisticRegression": "sklearn.linear_model",
    "sklearn.FrozenEstimator": "sklearn.frozen",
    "imblearn.Pipeline": "imblearn.pipeline",
    "PatientPipeline": "skrehab.pseudo_labels.pipeline",
}


def class_name(value):
    """Name under which a value's class is saved, or None if it may not be."""
    kind = type(value)
    for name, module in CLASSES.items():
        if kind.__name__ == name.rpartition(".")[2] and kind.__module__.startswith(module):
            return name
    return None


def load_class(name):
    """Import a class by its name in the file.

    Raises
    ------
    ValueError
        If the name is not on the list.
    """
    if not isinstance(name, str) or name not in CLASSES:
        raise ValueError(f"The model names an unknown class: {str(name)[:80]!r}.")
    return getattr(importlib.import_module(CLASSES[name]), name.rpartition(".")[2])
