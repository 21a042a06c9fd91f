"""The allow-list: what each class may be given by a model folder, name by name.

A name that is not here is refused, and so is a value of another kind. ``Fixed`` marks parameters
that name a place (a cache, a weights file, a pose model) or a switch (telemetry): whoever loads a
model decides on those, never the model. ``save`` checks what it writes against the same list.
"""

import re
from dataclasses import dataclass, field

from skrehab.persistence.kinds import (
    DEVICE,
    MAX_LABELS,
    SHA256,
    Array,
    Either,
    Estimator,
    Fixed,
    Flag,
    History,
    Labels,
    Mapping,
    Nothing,
    Number,
    Options,
    Series,
    Steps,
    Text,
    Whole,
    optional,
)

__all__ = ["ALLOWED", "NETWORK_PARAMS", "NOT_TAKEN", "Allowed"]

# Checked and then not honoured: the device is the one given to load, processes are for the user to
# choose, and a digest without its file means nothing. Older versions wrote them down.
NOT_TAKEN = {"device", "n_jobs", "weights_sha256"}
# a network's own parameters; skrehab/persistence/network_limits.py says what they may be
NETWORK_PARAMS = ("network_params", "encoder_params", "network_params_", "encoder_params_")


@dataclass(frozen=True)
class Allowed:
    """Parameters of a class, what its ``fit`` sets, and what it sets in some cases only."""

    params: dict
    fitted: dict = field(default_factory=dict)
    sometimes: dict = field(default_factory=dict)


# --- kinds that several share ---------------------------------------------------------------------
SHARE = Number(0, 1)
POSITIVE = Number(0, 1e9)
SECONDS = Number(0, 3600)
RATE = Number(1e-3, 1000)  # frames a second
FRAMES = Whole(1, 1_000_000)
WIDTH = Whole(1, 2**17)
EPOCHS = Whole(0, 10_000_000)
LABEL = Either(
    (
        Whole(-(2**62), 2**62),
        Number(-1e300, 1e300),
        Text(re.compile(r"[^\x00]{0,200}"), "a label of at most 200 characters"),
    )
)
WORDS = Text(re.compile(r"[\w.-]{0,100}"), "the beginning of a layer's name")
SKELETON = Text()
PAIRS = Either((Array("iu", (None, 2)), Series(Series(Whole(0, 999), 2, 2), 1000, 1)))

LANDMARKS = {"n_landmarks_": Whole(1, 1000, "L"), "n_coords_": Whole(1, 64, "C")}
# None where the input has no landmarks
MAYBE_LANDMARKS = {key: optional(kind) for key, kind in LANDMARKS.items()}
TRAINED = {"history_": History()}

TRAINING = {
    "lr": POSITIVE,
    "max_epochs": EPOCHS,
    "batch_size": Whole(1, 65_536),
    "weight_decay": POSITIVE,
    "schedule": optional(Options()),
    "gradient_clip": optional(POSITIVE),
    "early_stopping": Either((Flag(), Options())),
    "validation_fraction": SHARE,
    "patience": EPOCHS,
    "device": DEVICE,
    "random_state": optional(Whole(0, 2**32 - 1)),
    "verbose": Either((Flag(), Whole(0, 100))),
    "net_params": Fixed(),
}
CLASS_WEIGHT = {"class_weight": Either((Nothing(), Options(), Mapping(LABEL, POSITIVE, 1000)))}
PUBLISHED = {"weights": Fixed(), "weights_sha256": optional(SHA256)}
OF_NETWORK = {
    "network": Text(),
    "network_params": Nothing(),  # or what network_limits allows
    "head": Options(),
    "freeze": Series(WORDS, 100),
    "layer_decay": optional(SHARE),
    "head_warmup": EPOCHS,
    "memory": Fixed(),
    **PUBLISHED,
    **TRAINING,
}
LABEL_SET = {"n_labels_": Whole(1, MAX_LABELS), "classes_": Array("iu", (None,))}
PIPELINE = Allowed(
    {
        "steps": Steps(),
        "memory": Fixed(),
        "verbose": Flag(),
        "transform_input": optional(Series(Text(), 20)),
    }
)

# --- the list -------------------------------------------------------------------------------------
ALLOWED = {
    "PoseExtractor": Allowed(
        {
            "model_path": Fixed(),
            "coordinates": Options(),
            "person": Either((Options(), Series(Number(-10, 10), 4, 4))),
            "n_persons": optional(Whole(1, 32)),
            "min_visibility": SHARE,
            "min_detection_confidence": SHARE,
            "min_presence_confidence": SHARE,
            "min_tracking_confidence": SHARE,
            "target_fps": optional(RATE),
            "fps": RATE,
            "on_error": Options(),
            "n_jobs": optional(Whole(-256, 256)),
            "memory": Fixed(),
            "allow_telemetry": Fixed(False),
            "verbose": Either((Flag(), Whole(0, 100))),
        }
    ),
    "DisplacementSmoother": Allowed(
        {"window": Whole(1, 100_000), "causal": Flag(), "visibility": Options()},
        LANDMARKS,
    ),
    "LandmarkScaler": Allowed(
        {"center": Flag()},
        {"mean_": Array("f", ("L", "C")), "scale_": Array("f", ("L", "C"))},
    ),
    "SkeletonConverter": Allowed(
        {"target": SKELETON, "source": optional(SKELETON)},
        {**LANDMARKS, "source_": SKELETON, "estimated_": Series(Text(), 1000)},
    ),
    "GapFiller": Allowed(
        {"max_gap": SECONDS, "frame_rate": optional(RATE), "causal": Flag()},
        {**LANDMARKS, "max_frames_": Whole(0, 1_000_000)},
    ),
    "LeftRightRepair": Allowed(
        {
            "max_swap": SECONDS,
            "frame_rate": optional(RATE),
            "causal": Flag(),
            "skeleton": Either((Nothing(), SKELETON, PAIRS)),
        },
        {**LANDMARKS, "parts_": Series(Text(), 10), "max_frames_": FRAMES},
    ),
    "SideNormalizer": Allowed(
        {
            "affected_side": Options(),
            "to": Options(),
            "skeleton": Either((Nothing(), SKELETON, PAIRS)),
        },
        {**LANDMARKS, "pairs_": Array("iu", (None, 2))},
    ),
    "FrameMLP": Allowed(
        {
            **TRAINING,
            **CLASS_WEIGHT,
            "hidden_layer_sizes": Series(WIDTH, 100),
            "dropout": SHARE,
            "resampler": Fixed(),
        },
        {**LANDMARKS, **TRAINED, "classes_": Labels()},
    ),
    "VideoClassifier": Allowed(
        {**OF_NETWORK, **CLASS_WEIGHT},
        {**MAYBE_LANDMARKS, **TRAINED, "classes_": Labels()},
    ),
    "MultiLabelVideoClassifier": Allowed(
        {**OF_NETWORK, "loss": Options(), "threshold": SHARE},
        {**MAYBE_LANDMARKS, **TRAINED, **LABEL_SET},
    ),
    "MuscleGroupClassifier": Allowed(
        {
            **{key: kind for key, kind in TRAINING.items() if key != "max_epochs"},
            **PUBLISHED,
            "modality": Options(),
            "size": Options(),
            "network_params": Nothing(),
            "loss": Options(),
            "threshold": SHARE,
            "stage1_epochs": EPOCHS,
            "stage2_epochs": EPOCHS,
            "color_jitter": SHARE,
            "normalize_pose": Flag(),
            "min_frames": optional(FRAMES),
        },
        {**MAYBE_LANDMARKS, **TRAINED, **LABEL_SET, "stage_": Whole(1, 2)},
    ),
    "FusionClassifier": Allowed(
        {"rgb": Estimator(), "pose": Estimator(), "how": Options(), "weight": SHARE, "C": POSITIVE},
        {"classes_": Labels(), "rgb_": Estimator(), "pose_": Estimator()},
        {"head_": Estimator()},
    ),
    "MultiLabelFusion": Allowed(
        {
            "rgb": Estimator(),
            "pose": Estimator(),
            "how": Options(),
            "weight": SHARE,
            "C": POSITIVE,
            "threshold": SHARE,
        },
        {**LABEL_SET, "rgb_": Estimator(), "pose_": Estimator()},
        {
            "scaler_": Estimator(),
            "heads_": Series(Either((SHARE, Estimator())), MAX_LABELS, 1),
        },
    ),
    "PoseSequencePretrainer": Allowed(
        {
            "hidden_size": WIDTH,
            "n_layers": Whole(1, 512),
            "objective": Options(),
            "alpha": POSITIVE,
            "beta": POSITIVE,
            "paces": Series(SHARE, 100),
            "skeleton": Either((Nothing(), SKELETON, Mapping(Whole(1, 1000), SKELETON))),
            "common_skeleton": optional(SKELETON),
            "reduction": Options(),
            "discriminator_size": optional(WIDTH),
            "lr": POSITIVE,
            "lr_decay": POSITIVE,
            "lr_decay_every": EPOCHS,
            "batch_size": Whole(1, 65_536),
            "max_epochs": EPOCHS,
            "max_frames": FRAMES,
            "warm_start": Flag(),
            "checkpoint_every": optional(EPOCHS),
            "checkpoint_dir": Fixed(),
            "device": DEVICE,
            "random_state": optional(Whole(0, 2**32 - 1)),
            "verbose": Either((Flag(), Whole(0, 100))),
        },
        {
            **LANDMARKS,
            **TRAINED,
            "pose_shape_": Series(Whole(1, 1000), 2, 2),
            "network_params_": Nothing(),
        },
    ),
    "QualityRegressor": Allowed(
        {
            **TRAINING,
            **CLASS_WEIGHT,
            "encoder": Either((Nothing(), Options(), Estimator())),
            "streams": Options(),
            "head": Options(),
            "fine_tune": Flag(),
            "expert": Flag(),
            "encoder_params": Nothing(),
            "hidden_size": WIDTH,
            "pooling": Options(),
            "reduced_channels": optional(WIDTH),
            "dropout": SHARE,
        },
        {
            **MAYBE_LANDMARKS,
            **TRAINED,
            "n_features_": optional(Whole(1, 2**20)),
            "n_pose_features_": optional(Whole(1, 2**20)),
            "encoder_": optional(Estimator()),
            "encoder_params_": Nothing(),
        },
        {
            "classes_": Labels(),
            "score_mean_": Number(-1e15, 1e15),
            "score_scale_": Number(0, 1e15),
        },
    ),
    "AppearanceFeatures": Allowed(
        {
            **PUBLISHED,
            "network": Text(),
            "network_params": Nothing(),
            "layer": optional(Text()),
            "clip_length": Whole(1, 10_000),
            "stride": Whole(1, 10_000),
            "memory": Fixed(),
            "batch_size": Whole(1, 65_536),
            "device": DEVICE,
            "random_state": optional(Whole(0, 2**32 - 1)),
        },
    ),
    "SaliencyPseudoLabeler": Allowed(
        {
            "estimator": Estimator(),
            "method": Options(),
            "threshold": Either((SHARE, Options(), Series(SHARE, 2, 1))),
            "label_source": Options(),
            "aggregate": Options(),
            "baseline": Either(
                (
                    Options(),
                    *(Array("f", (None,) * n) for n in (1, 2, 3)),
                    Series(Number(-1e9, 1e9)),
                )
            ),
            "n_steps": Either((Options(), Whole(1, 100_000))),
            "normal_label": optional(LABEL),
        },
        {
            "classes_": Labels(),
            "estimator_": Estimator(),
            "threshold_": Either((SHARE, Series(SHARE, 2, 2))),
            "fallback_": optional(Text()),
        },
    ),
    "sklearn.Pipeline": PIPELINE,
    "imblearn.Pipeline": PIPELINE,
    "sklearn.FrozenEstimator": Allowed({"estimator": Estimator()}),
    "sklearn.StandardScaler": Allowed(
        {"copy": Flag(), "with_mean": Flag(), "with_std": Flag()},
        {
            "n_features_in_": Whole(1, 2**24, "F"),
            "mean_": optional(Array("f", ("F",))),
            "var_": optional(Array("f", ("F",))),
            "scale_": optional(Array("f", ("F",))),
            "n_samples_seen_": Either((Number(0, 2**53), Array("fiu", ("F",)))),
        },
        {"feature_names_in_": Labels()},
    ),
    "sklearn.LogisticRegression": Allowed(
        {
            "penalty": optional(Options()),
            "C": Number(0, 1e15, odd=True),
            "l1_ratio": optional(SHARE),
            "dual": Flag(),
            "tol": POSITIVE,
            "fit_intercept": Flag(),
            "intercept_scaling": POSITIVE,
            "class_weight": CLASS_WEIGHT["class_weight"],
            "random_state": optional(Whole(0, 2**32 - 1)),
            "solver": Options(),
            "max_iter": EPOCHS,
            "multi_class": Options(),  # of older scikit-learns
            "verbose": Either((Flag(), Whole(0, 100))),
            "warm_start": Flag(),
            "n_jobs": optional(Whole(-256, 256)),
        },
        {
            "n_features_in_": Whole(1, 2**24, "F"),
            "classes_": Labels(),
            "coef_": Array("f", (None, "F")),
            "intercept_": Array("f", (None,)),
            "n_iter_": Array("iu", (None,)),
        },
        {"feature_names_in_": Labels()},
    ),
}
