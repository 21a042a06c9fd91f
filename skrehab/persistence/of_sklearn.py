"""What classes of scikit-learn, and those that take tables as they do, may be given by a folder."""

import re

from skrehab.persistence.kinds import (
    Array,
    Either,
    Estimator,
    Flag,
    Labels,
    Number,
    Options,
    Series,
    Text,
    Whole,
    optional,
)
from skrehab.persistence.parameters import CLASS_WEIGHT, EPOCHS, POSITIVE, SHARE, Allowed

__all__ = ["OF_SKLEARN"]

OF_SKLEARN = {
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
    "PatientRidgeClassifier": Allowed(
        {
            "alphas": optional(Either((Array("fiu", (None,)), Series(Number(0, 1e15), 10_000, 1)))),
            **CLASS_WEIGHT,
        },
        {
            "n_features_in_": Whole(1, 2**24, "F"),
            "classes_": Labels(),
            "coef_": Array("f", (None, "F")),
            "intercept_": Array("f", (None,)),
            "alpha_": Number(0, 1e15),
            "alpha_scores_": Array("f", (None,)),
            "best_score_": Number(-1e15, 0),
            "slope_": Number(1e-5, 1e5),
            "left_out_": Text(re.compile("patients|trials"), "patients or trials"),
        },
        {"feature_names_in_": Labels()},
    ),
}
