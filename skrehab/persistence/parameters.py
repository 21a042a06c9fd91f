"""Kinds of what stands in several classes under one name: training, networks, labels, sizes."""

import re
from dataclasses import dataclass, field

from skrehab.persistence.kinds import (
    DEVICE,
    MAX_LABELS,
    SHA256,
    Array,
    Either,
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
from skrehab.persistence.records import Record, Row, estimator_of

__all__ = [
    "AS_IN_PAPERS",
    "AUGMENT",
    "BONES",
    "CLASS_WEIGHT",
    "EPOCHS",
    "FRAMES",
    "LABEL",
    "LABEL_SET",
    "LANDMARKS",
    "LATER",
    "LIKE_LENGTH",
    "MAYBE_LANDMARKS",
    "MORE_TRAINING",
    "NETWORK_PARAMS",
    "NOT_TAKEN",
    "OF_FRAMES",
    "OF_NETWORK",
    "PAIRS",
    "PIPELINE",
    "POSITIVE",
    "PUBLISHED",
    "RANKED",
    "RATE",
    "SECONDS",
    "SHARE",
    "SKELETON",
    "SMOOTH",
    "THRESHOLD",
    "TRAINED",
    "TRAINING",
    "WIDTH",
]

# Checked and then not honoured: the device is the one given to load, processes are for the user to
# choose, and a digest without its file means nothing. Older versions wrote them down.
NOT_TAKEN = {"device", "n_jobs", "weights_sha256"}
# a network's own parameters; skrehab/persistence/network_limits.py says what they may be
NETWORK_PARAMS = ("network_params", "encoder_params", "network_params_", "encoder_params_")


@dataclass(frozen=True)
class Allowed:
    """Parameters of a class, what its ``fit`` sets, and what it sets in some cases only.

    ``later`` are attributes that fit sets and older versions did not: a kind and what holds for a
    file without it.
    """

    params: dict
    fitted: dict = field(default_factory=dict)
    sometimes: dict = field(default_factory=dict)
    later: dict = field(default_factory=dict)


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
        Flag(),
        Whole(-(2**62), 2**62),
        Number(-1e300, 1e300),
        Text(re.compile(r"[^\x00]{0,200}"), "a label of at most 200 characters"),
    )
)
WORDS = Text(re.compile(r"[\w.-]{0,100}"), "the beginning of a layer's name")
SKELETON = Text()
PAIRS = Either((Array("iu", (None, 2)), Series(Series(Whole(0, 999), 2, 2), 1000, 1)))

_JOINT = Either((Whole(0, 999), Series(Whole(0, 999), 64, 1)))
BONES = Either((Array("iu", (None, 2)), Series(Series(_JOINT, 2, 2), 1000, 1)))
_SCORE = Number(0, 1000)  # up to the number of landmarks
_QUANTILE = Text(re.compile("quantile"), "the word quantile")
# a threshold on saliency: one number, two, or shares of each trial's frames
THRESHOLD = Either(
    (_SCORE, Series(_SCORE, 2, 1), Row((_QUANTILE, SHARE)), Row((_QUANTILE, SHARE, SHARE)))
)
_SMOOTHING = Text(re.compile("zero_padded|centred|causal"), "zero_padded, centred or causal")
SMOOTH = Either((Options(), Whole(0, 100_000), Row((_SMOOTHING, Whole(0, 100_000)))))

LANDMARKS = {"n_landmarks_": Whole(1, 1000, "L"), "n_coords_": Whole(1, 64, "C")}
# None where the input has no landmarks
MAYBE_LANDMARKS = {key: optional(kind) for key, kind in LANDMARKS.items()}
TRAINED = {"history_": History()}

TRAINING = {
    "lr": POSITIVE,
    "max_epochs": Either((Options(), EPOCHS)),
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
# how trials are changed in training: parameters of an Augmentation, which may also be a dict
AUGMENT = {
    "splice": SHARE,
    "rotate": Number(0, 180),
    "offset": POSITIVE,
    "mirror": Either((Flag(), SHARE)),
    "stretch": SHARE,
    "cut": SHARE,
    "time_jitter": Flag(),
    "crop": SHARE,
    "color": SHARE,
    "jitter": POSITIVE,
    "turn": Number(0, 180),
    "zoom": POSITIVE,
    "swap": optional(Series(Series(LABEL, 2, 2), 1000)),
    "vertical": Whole(0, 2),
    "skeleton": optional(SKELETON),
    "normal_label": optional(LABEL),
}
MORE_TRAINING = {
    "optimizer": Options(),
    "min_lr": POSITIVE,
    "gradient_clip_value": optional(POSITIVE),
    "standardize": Flag(),
    "augment": Either((Nothing(), estimator_of("Augmentation"), Record(AUGMENT))),
}
# what papers train networks with, and ask them
AS_IN_PAPERS = {
    "augment": MORE_TRAINING["augment"],
    "warmup": EPOCHS,
    "decay_norms": Flag(),
    "views": Either((Whole(1, 1000), Series(Whole(1, 1000), 2, 2))),
}
LIKE_LENGTH = {
    "like_length": Whole(0, 1_000_000),
    "step": Either((Options(), Whole(1, 1000))),
}
LATER = {
    "scaler_": (optional(estimator_of("LandmarkScaler")), None),
    "step_": (Whole(1, 1000), 1),
}
RANKED = {"trial_ranking_": (Number(0, 1, odd=True), float("nan"))}
OF_FRAMES = {"classes": Either((Nothing(), Labels(), Series(LABEL, MAX_LABELS, 1)))}
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
