"""One small honest model of every class that a model folder may hold, and ways to poison it."""

import numpy as np
from imblearn.pipeline import Pipeline as ImbPipeline
from instances import (
    tiny_bones,
    tiny_frames,
    tiny_labeler,
    tiny_pretrainer,
    tiny_scores,
    tiny_tcn,
    tiny_trials,
    tiny_video,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import skrehab
from skrehab.pseudo_labels import PatientPipeline
from skrehab.training.augmentation import Augmentation

ONE = {"max_epochs": 1}


def fitted(estimator, **attributes):
    """Set what fit sets, and build the network for it, without training."""
    for name, value in attributes.items():
        setattr(estimator, name, value)
    if hasattr(estimator, "_build_module"):
        estimator.module_ = estimator._build_module()
    return estimator


def honest():
    """Return a fitted model by the name of its class in the file."""
    data = tiny_trials(2, 4)
    body = [np.random.RandomState(0).randn(8, 17, 3) for _ in range(3)]
    numbers, codes = np.random.RandomState(0).randn(8, 3), np.array([0, 1] * 4)
    video = tiny_video(**ONE).fit(data.X, data.y)
    frames = tiny_frames(**ONE).fit(data.X, data.frame_labels)
    of_labels = {"n_labels_": 3, "classes_": np.arange(3), "history_": []}
    pose = {"n_landmarks_": 17, "n_coords_": 3}
    network = {"network": "lstm", "network_params": {"hidden_size": 4}}
    multi = fitted(skrehab.MultiLabelVideoClassifier(**network), **of_labels, **pose)
    regression = LogisticRegression().fit(numbers, codes)
    muscles = skrehab.MuscleGroupClassifier(
        modality="pose", size="tiny", network_params={"pose_frames": 16}
    )
    c3d = {"widths": (4, 4, 4, 8, 8), "dense_width": 16, "image_size": 32}
    parts = {"rgb_": video, "pose_": video}
    return {
        "PoseExtractor": skrehab.PoseExtractor(),
        "DisplacementSmoother": skrehab.DisplacementSmoother().fit(body),
        "LandmarkScaler": skrehab.LandmarkScaler().fit(body),
        "SkeletonConverter": skrehab.SkeletonConverter("h36m17", source="coco17").fit(body),
        "GapFiller": skrehab.GapFiller().fit(body),
        "LeftRightRepair": skrehab.LeftRightRepair(skeleton=[(0, 1)]).fit(body),
        "SideNormalizer": skrehab.SideNormalizer("left", skeleton="coco17").fit(body),
        "BoneVectors": tiny_bones().fit(body),
        "PatientReference": skrehab.PatientReference().fit(body, exercise=range(len(body))),
        "KinematicMeasures": skrehab.KinematicMeasures("coco17").fit(body),
        "MovementSummary": skrehab.MovementSummary("coco17").fit(body),
        "RocketFeatures": skrehab.RocketFeatures(168, random_state=0).fit(body),
        "PatientRidgeClassifier": skrehab.PatientRidgeClassifier([0.1, 10.0]).fit(
            numbers, codes, groups=np.repeat([0, 1, 2, 3], 2)
        ),
        "Augmentation": Augmentation(splice=0.5, rotate=15, mirror=True, skeleton="mediapipe33"),
        "CalibratedByPatient": skrehab.CalibratedByPatient(tiny_frames(**ONE), cv=2).fit(
            data.X, data.frame_labels, groups=np.arange(len(data.X)) % 4
        ),
        "FrameMLP": frames,
        "FrameTCN": tiny_tcn(augment=Augmentation(offset=0.3), **ONE).fit(
            data.X, data.frame_labels
        ),
        "VideoClassifier": video,
        "MultiLabelVideoClassifier": multi,
        "MultiLabelFrames": skrehab.MultiLabelFrames(tiny_frames(**ONE)).fit(
            data.X, [one[:, None] for one in data.frame_labels]
        ),
        "MuscleGroupClassifier": fitted(muscles, **of_labels, **pose, stage_=2),
        "FusionClassifier": fitted(
            skrehab.FusionClassifier(video, video), classes_=np.arange(2), head_=regression, **parts
        ),
        "MultiLabelFusion": fitted(
            skrehab.MultiLabelFusion(multi, multi),
            **{"n_labels_": 2, "classes_": np.arange(2), "rgb_": multi, "pose_": multi},
            **{"scaler_": StandardScaler().fit(numbers), "heads_": [regression, 1.0]},
        ),
        "PoseSequencePretrainer": tiny_pretrainer(**ONE).fit(data.X),
        "QualityRegressor": tiny_scores(**ONE).fit(data.X, np.linspace(1, 9, 8)),
        "AppearanceFeatures": fitted(skrehab.AppearanceFeatures(network="c3d", network_params=c3d)),
        "SaliencyPseudoLabeler": tiny_labeler().fit(data.X, data.y),
        "sklearn.Pipeline": Pipeline([("scale", StandardScaler().fit(numbers))]),
        "imblearn.Pipeline": ImbPipeline([("scale", StandardScaler().fit(numbers))]),
        "PatientPipeline": PatientPipeline([("scale", StandardScaler().fit(numbers))]),
        "sklearn.FrozenEstimator": FrozenEstimator(frames),
        "sklearn.StandardScaler": StandardScaler().fit(numbers),
        "sklearn.LogisticRegression": regression,
    }


def nested(depth):
    """A value of lists in lists."""
    value = 1
    for _ in range(depth):
        value = {"list": [value]}
    return value


SPY = {
    "class": "PoseExtractor",
    "params": {"memory": "cache", "model_path": "/etc/passwd", "allow_telemetry": True},
    "state": {},
}
# values that may stand nowhere
POISONS = {
    "path": "/etc/passwd",
    "path up": "../../secret",
    "address": "https://example.invalid/x",
    "huge": 10**18,
    "negative": -(10**18),
    "long": "x" * 10**5,
    "pickle": {"pickle": "gASV"},
    "object": {"class": "os.system", "params": {}, "state": {}},
    "spy": SPY,
    "array": {"array": "../../etc/passwd"},
    "module": {"module": "../../"},
    "strings": {"strings": [["x"] * 3] * 3},
    "objects": {"objects": [SPY]},
    "deep": nested(30),
    "dict": {"dict": [["path", "/etc/passwd"], ["memory", "cache"]]},
    "two": {"list": [], "tuple": []},
    "bare list": [1, 2],
    "code": {"float": "__import__('os')"},
}
# Labels are whatever they are called, and only compared. Numbers of this size may be labels too.
LABELS = {
    (cls, "normal_label")
    for cls in (
        "SaliencyPseudoLabeler",
        "Augmentation",
        "CalibratedByPatient",
        "PatientReference",
    )
}
HARMLESS = {"path", "path up", "address", "huge", "negative"}
