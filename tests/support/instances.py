"""What the batteries run on: one row per public estimator, one row per network, and tiny trials.

A public estimator or a registered network without a row fails a completeness test, so nothing new
goes untested.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import skrehab
from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    LandmarkScaler,
    SaliencyPseudoLabeler,
    VideoClassifier,
)
from skrehab.trials import ragged


# --- trials ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Tiny:
    """Ragged trials in which landmark 0 rises for a while if the trial is labelled 1."""

    X: list
    y: np.ndarray
    frame_labels: np.ndarray
    patients: np.ndarray


def tiny_trials(
    n_patients=4, trials_each=4, *, n_landmarks=5, n_coords=3, lengths=(10, 25), noise=0.1, seed=0
):
    """Draw trials of `n_patients` people, half of each one's trials labelled 1."""
    rng = np.random.RandomState(seed)
    X, frame_labels, y, patients = [], [], [], []
    for patient in range(n_patients):
        for k in range(trials_each):
            n_frames = int(rng.randint(lengths[0], lengths[1] + 1))
            trial = noise * rng.randn(n_frames, n_landmarks, n_coords)
            frames = np.zeros(n_frames, dtype=int)
            if k % 2:
                frames[n_frames // 3 : 2 * n_frames // 3 + 1] = 1
                trial[frames == 1, 0] += 1.0
            X.append(trial.astype(np.float32))
            frame_labels.append(frames)
            y.append(k % 2)
            patients.append(f"patient-{patient}")
    return Tiny(X, np.array(y), ragged(frame_labels), np.array(patients))


# --- estimators -----------------------------------------------------------------------------------
QUICK = {"max_epochs": 2, "lr": 0.01, "random_state": 0}


def tiny_video(**params):
    """Build a video classifier that trains in a tenth of a second."""
    defaults = {"network": "lstm", "network_params": {"hidden_size": 6}, "batch_size": 8}
    return VideoClassifier(**(defaults | QUICK | params))


TINY_MIL = {
    "network": "mil_tcn",
    "network_params": {"channels": 6, "n_blocks": 2, "kernel_size": 3},
}


def tiny_labeler(**params):
    """Build a pseudo-labeler that trains in a tenth of a second."""
    defaults = {"n_steps": 4, "threshold": (0.5, 1.0)}
    return SaliencyPseudoLabeler(tiny_video(), **(defaults | params))


def tiny_frames(**params):
    """Build a frame classifier that trains in a tenth of a second."""
    return FrameMLP(**({"hidden_layer_sizes": (6,)} | QUICK | params))


def tiny_tcn(**params):
    """Build a temporal frame classifier that trains in a tenth of a second."""
    defaults = {"channels": 6, "n_blocks": 2, "kernel_size": 3, "batch_size": 8}
    return skrehab.FrameTCN(**(defaults | QUICK | params))


def tiny_bones(**params):
    """Build directions of bones among the first landmarks, whatever the skeleton."""
    return skrehab.BoneVectors(None, **({"bones": ((0, 1), (1, 2), (3, 4))} | params))


def tiny_pretrainer(**params):
    """Build a pretrainer that trains in a tenth of a second; five landmarks have no limbs."""
    defaults = {"hidden_size": 4, "objective": "pace+predict_motion", "batch_size": 8}
    return skrehab.PoseSequencePretrainer(**(defaults | QUICK | params))


def tiny_scores(**params):
    """Build a model of scores that trains in a tenth of a second."""
    defaults = {"hidden_size": 4, "batch_size": 8}
    return skrehab.QualityRegressor(**(QUICK | defaults | params))


@dataclass(frozen=True)
class EstimatorRow:
    """How to make an estimator, and which family of checks it must pass."""

    id: str
    make: Callable
    kind: str  # transformer, video_classifier, pseudo_labeler, frame_classifier, video_reader
    causal: bool = True  # frame t of the output does not depend on later frames
    context: bool = False  # it depends on other frames than t


ESTIMATORS = [
    EstimatorRow("DisplacementSmoother", DisplacementSmoother, "transformer"),
    EstimatorRow(
        "DisplacementSmoother-centred",
        lambda: DisplacementSmoother(causal=False),
        "transformer",
        causal=False,
    ),
    EstimatorRow(
        "DisplacementSmoother-smooth-first",
        lambda: DisplacementSmoother(3, order="smooth_first"),
        "transformer",
    ),
    EstimatorRow("LandmarkScaler", LandmarkScaler, "transformer"),
    EstimatorRow("LandmarkScaler-center", lambda: LandmarkScaler(center=True), "transformer"),
    EstimatorRow("PatientReference", skrehab.PatientReference, "transformer"),
    EstimatorRow("BoneVectors", lambda: tiny_bones(), "bones"),
    EstimatorRow("BoneVectors-raw", lambda: tiny_bones(window=1), "bones"),
    EstimatorRow("KinematicMeasures", skrehab.KinematicMeasures, "measures"),
    EstimatorRow("MovementSummary", skrehab.MovementSummary, "one_row_a_trial", causal=False),
    EstimatorRow(
        "RocketFeatures",
        lambda: skrehab.RocketFeatures(168, random_state=0),
        "one_row_a_trial",
        causal=False,
    ),
    EstimatorRow("PatientRidgeClassifier", skrehab.PatientRidgeClassifier, "table"),
    EstimatorRow("PoseSequencePretrainer", tiny_pretrainer, "representation", causal=False),
    EstimatorRow("VideoClassifier", tiny_video, "video_classifier"),
    EstimatorRow(
        "VideoClassifier-act",
        lambda: tiny_video(network="act", network_params={"size": "micro", "dropout": 0.1}),
        "video_classifier",
    ),
    EstimatorRow(
        "VideoClassifier-recipe",
        lambda: tiny_video(
            **TINY_MIL,
            augment={"splice": 0.5, "offset": 0.3},
            standardize=True,
            like_length=2,
            optimizer="adamw",
            schedule="cosine_batch",
        ),
        "video_classifier",
    ),
    EstimatorRow(
        "VideoClassifier-step",
        lambda: tiny_video(**TINY_MIL, standardize=True, step=3),
        "video_classifier",
    ),
    EstimatorRow("SaliencyPseudoLabeler", tiny_labeler, "pseudo_labeler"),
    EstimatorRow(
        "SaliencyPseudoLabeler-one-threshold",
        lambda: tiny_labeler(threshold=1.5, method="vanilla_gradient"),
        "pseudo_labeler",
    ),
    EstimatorRow(
        "SaliencyPseudoLabeler-frames-scale",
        lambda: tiny_labeler(threshold=(0.2, 0.4), scale="frames", aggregate="sum", smooth=0),
        "pseudo_labeler",
    ),
    EstimatorRow(
        "SaliencyPseudoLabeler-quantile",
        lambda: tiny_labeler(threshold=("quantile", 0.38), z_clip=3.0, coords="first"),
        "pseudo_labeler",
    ),
    EstimatorRow(
        "SaliencyPseudoLabeler-prior",
        lambda: tiny_labeler(threshold="auto", prior=0.3, n_estimators=2),
        "pseudo_labeler",
    ),
    EstimatorRow(
        "CalibratedByPatient",
        lambda: skrehab.CalibratedByPatient(tiny_frames(), cv=2),
        "needs_patients",
    ),
    EstimatorRow("FrameMLP", tiny_frames, "frame_classifier"),
    EstimatorRow(
        "FrameMLP-balanced",
        lambda: tiny_frames(hidden_layer_sizes=(6, 4), class_weight="balanced"),
        "frame_classifier",
    ),
    EstimatorRow("FrameMLP-standardize", lambda: tiny_frames(standardize=True), "frame_classifier"),
    EstimatorRow(
        "FrameMLP-augment",
        lambda: tiny_frames(augment={"offset": 0.3}, standardize=True),
        "frame_classifier",
    ),
    EstimatorRow("FrameTCN", lambda: tiny_tcn(), "frame_classifier", context=True),
    EstimatorRow(
        "FrameTCN-centred", lambda: tiny_tcn(causal=False), "frame_classifier", False, True
    ),
    EstimatorRow(
        "FrameTCN-augment",
        lambda: tiny_tcn(
            augment={"splice": 0.5, "offset": 0.3, "stretch": 0.1},
            standardize=False,
            like_length=2,
        ),
        "frame_classifier",
        context=True,
    ),
    EstimatorRow("FrameTCN-step", lambda: tiny_tcn(step=3), "frame_classifier", context=True),
    EstimatorRow("Augmentation", lambda: skrehab.Augmentation(rotate=15), "augmentation"),
]

try:
    from skrehab import PoseExtractor
except ImportError:  # test_all_estimators fails if it is public and cannot be imported
    PoseExtractor = None
else:
    ESTIMATORS.append(EstimatorRow("PoseExtractor", PoseExtractor, "video_reader"))

ESTIMATORS += [
    EstimatorRow("SkeletonConverter", lambda: skrehab.SkeletonConverter("coco17"), "converter"),
    EstimatorRow(
        "FusionClassifier",
        lambda: skrehab.FusionClassifier(tiny_video(), tiny_video()),
        "two_modalities",
    ),
    EstimatorRow("GapFiller", lambda: skrehab.GapFiller(3), "transformer", causal=False),
    EstimatorRow("GapFiller-causal", lambda: skrehab.GapFiller(3, causal=True), "transformer"),
    EstimatorRow("LeftRightRepair", skrehab.LeftRightRepair, "repair"),
    EstimatorRow("SideNormalizer", lambda: skrehab.SideNormalizer("left"), "repair"),
    EstimatorRow(
        "MultiLabelVideoClassifier", lambda: skrehab.MultiLabelVideoClassifier("lstm"), "multilabel"
    ),
    EstimatorRow("MultiLabelFrames", skrehab.MultiLabelFrames, "multilabel"),
    EstimatorRow(
        "MultiLabelFusion",
        lambda: skrehab.MultiLabelFusion(
            skrehab.MultiLabelVideoClassifier("slow"), skrehab.MultiLabelVideoClassifier("lstm")
        ),
        "two_modalities",
    ),
    EstimatorRow(
        "MuscleGroupClassifier",
        lambda: skrehab.MuscleGroupClassifier(size="tiny"),
        "two_modalities",
    ),
    EstimatorRow("QualityRegressor", lambda: tiny_scores(), "trial_regressor"),
    EstimatorRow(
        "QualityRegressor-scratch",
        lambda: tiny_scores(encoder="scratch", encoder_params={"hidden_size": 4}),
        "trial_regressor",
    ),
    EstimatorRow(
        "QualityRegressor-kept",
        lambda: tiny_scores(encoder=tiny_pretrainer(), fine_tune=False),
        "trial_regressor",
    ),
    EstimatorRow(
        "QualityRegressor-ordinal", lambda: tiny_scores(head="ordinal"), "trial_classifier"
    ),
    EstimatorRow("AppearanceFeatures", skrehab.AppearanceFeatures, "video_features"),
]

# their checks need a video, a known skeleton, RGB, or other labels: tests of their own
WITHOUT_TRIALS = ("video_reader", "converter", "two_modalities", "repair", "multilabel")
WITHOUT_TRIALS += ("video_features", "augmentation", "measures", "one_row_a_trial")
WITHOUT_TRIALS += ("needs_patients", "table")


def rows(*kinds):
    """Select the estimator rows of some families; without any, all that take trials."""
    chosen = [
        row
        for row in ESTIMATORS
        if (row.kind in kinds if kinds else row.kind not in WITHOUT_TRIALS)
    ]
    return {"argvalues": chosen, "ids": [row.id for row in chosen]}


def public_estimators():
    """List the names in ``skrehab`` that are estimators."""
    from sklearn.base import BaseEstimator

    objects = {name: getattr(skrehab, name) for name in skrehab._PUBLIC}
    return [
        name
        for name, thing in objects.items()
        if isinstance(thing, type) and issubclass(thing, BaseEstimator)
    ]


# --- networks -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class NetworkRow:
    """How to make a network small, and how many parameters it has at its own size."""

    name: str
    tiny: dict = field(default_factory=dict)
    # parameters with one logit at the default size; pose networks for 33 landmarks in 3-D
    n_parameters: int = 0
    # trailing shapes of trials that it is tried on; networks over a body need a skeleton's number
    shapes: tuple = ((5, 3), (33, 3), (17, 4), (5, 2))
    # A recurrent network forgets: the gradient on a frame long ago halves with every step and
    # reaches exactly zero in float32. None: every frame of any length has a gradient.
    memory: int | None = None
    package: str | None = None  # optional package it needs

    @property
    def input(self):
        return skrehab.networks.get_spec(self.name).input


BODY = ((33, 3), (17, 3), (25, 4), (17, 2))
SHORT_GRAPH = {"n_units": (1, 1), "n_frames": 16}
CLIP = {"n_frames": 4, "image_size": 32}
NARROW = {"widths": (4, 4, 8, 8), "n_blocks": (1, 1, 1, 1)} | CLIP
SHORT = {"width": 4, "depths": (1, 1, 1, 1)} | CLIP
NETWORKS = [
    # 4 * 192 * (99 + 192 + 2), three gates instead of four for the GRU; norm 2 * 192, hidden layer
    # 192 * 193, classifier 193
    NetworkRow("lstm", {"hidden_size": 6}, 262_657),
    NetworkRow("gru", {"hidden_size": 6}, 206_401),
    NetworkRow("act", {"size": "micro"}, 225_281),
    # 99 * 64 + 64, four blocks of 64 * 64 * 5 + 64 + 2 * 64, 64 + 1
    NetworkRow("mil_tcn", {"channels": 8, "n_blocks": 2}, 89_153),
    NetworkRow("rocket", {"n_kernels": 40}, 4502),  # 3 * 1500 features, duration, bias
    NetworkRow("pretrained_gru", {"hidden_size": 6, "n_layers": 1}, 24_620_001),
    NetworkRow(
        "skateformer",
        {"n_frames": 16, "widths": (16, 16), "n_blocks": 1, "n_heads": 8},
        3_604_696,
        BODY,
    ),
    NetworkRow(
        "motionbert",
        {"n_frames": 15, "dim_feat": 16, "mlp_ratio": 2, "depth": 2, "n_heads": 2}
        | {"dim_rep": 16, "hidden": 32},
        33_835_534,
        BODY,
    ),
    NetworkRow(
        "msg3d",
        {"widths": (6, 12), "windows": (3,), "n_gcn_scales": 4, "n_g3d_scales": 2, "n_frames": 16},
        3_473_842,
        BODY,
    ),
    NetworkRow(
        "hdgcn",
        {"widths": (8, 16), "n_units": (1, 1), "n_levels": 2, "n_frames": 16},
        1_554_397,
        BODY,
    ),
    NetworkRow("stgcn", {"widths": (4, 6)} | SHORT_GRAPH, 3_097_637, BODY),
    NetworkRow("stgcnpp", {"widths": (6, 8)} | SHORT_GRAPH, 1_401_949, BODY),
    NetworkRow("ctrgcn", {"widths": (4, 8)} | SHORT_GRAPH, 1_445_327, BODY),
    NetworkRow(
        "posec3d",
        {"base_channels": 4, "stage_blocks": (1, 1, 1), "image_size": 16, "n_frames": 12},
        1_994_593,
        BODY,
    ),
    NetworkRow(
        "moment",
        {"d_model": 16, "n_layers": 1, "n_heads": 2, "d_kv": 8, "d_ff": 16}
        | {"vocab_size": 8, "seq_len": 64, "tuning": "full"},
        35_388_097,
        package="transformers",
    ),
    NetworkRow("r3d", NARROW, 33_166_785, package="torchvision"),
    NetworkRow("r2plus1d", NARROW, 31_300_638, package="torchvision"),
    NetworkRow(
        "mvit",
        {"widths": (8, 16), "depths": (1, 1)} | CLIP,
        34_230_913,
        package="torchvision",
    ),
    NetworkRow(
        "video_swin",
        {"width": 8, "depths": (1, 1), "n_heads": (1, 2), "window": (2, 4, 4)} | CLIP,
        27_851_239,
        package="torchvision",
    ),
    NetworkRow(
        "hdgcn_mct",
        {"widths": (8, 16), "n_levels": 1, "n_tokens": 3} | SHORT_GRAPH,
        2_124_773,
        BODY,
    ),
    NetworkRow("mvit_mct", {"widths": (8, 16), "depths": (1, 1), "n_tokens": 3} | CLIP, 34_232_737),
    NetworkRow("c2d", SHORT, 23_510_081),
    NetworkRow("i3d", SHORT, 27_225_921),
    NetworkRow("slow", SHORT, 31_636_545),
    NetworkRow("slowfast", SHORT | {"beta": 4, "n_frames": 8}, 33_646_793),
    NetworkRow("c3d", {"widths": (4, 4, 4, 8, 8), "dense_width": 16, "image_size": 32}, 77_999_873),
    NetworkRow(
        "videomae",
        {"width": 8, "n_layers": 1, "n_heads": 1} | CLIP,
        86_227_969,
        package="transformers",
    ),
    NetworkRow("hiera", {"width": 8, "depths": (1, 1, 1, 1)} | CLIP, 50_785_729, package="hiera"),
]


def network_rows(input=None):
    """Parametrise over all network rows, or those of one kind of input."""
    chosen = [row for row in NETWORKS if input in (None, row.input)]
    return {"argvalues": chosen, "ids": [row.name for row in chosen]}
