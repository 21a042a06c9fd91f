"""What comes beside the trials: labels, patients, weights; settings of the caller; stops."""

import functools

import numpy as np

from bad_input_cases.case import battery, warned

CASES, case = battery()


def trials(n=8):
    rng = np.random.RandomState(0)
    return [rng.randn(10, 4, 3).astype(np.float32) + k % 2 for k in range(n)]


def model(**params):
    from skrehab import VideoClassifier

    small = {"network_params": {"hidden_size": 4}, "max_epochs": 1, "random_state": 0}
    return VideoClassifier("lstm", **small | params)


@functools.cache
def known():
    """What the model says when labels are plain."""
    return model().fit(trials(), [0, 1] * 4).predict_proba(trials())


def fits(**more):
    return lambda y: model().fit(trials(), y, **more).predict_proba(trials())


def as_known(proba):
    return np.allclose(proba, known(), atol=1e-6)


def frame(values):
    import pandas

    return pandas.DataFrame({"label": values})


def series(values, dtype=None):
    import pandas

    return pandas.Series(values, dtype=dtype)


# --- labels of trials -----------------------------------------------------------------------------
PLAIN = [0, 1] * 4
for label, y in (
    ("a list", PLAIN),
    ("numpy's whole numbers", np.array(PLAIN, dtype=np.uint8)),
    ("one column", np.array(PLAIN)[:, None]),
    ("a Series", functools.partial(series, PLAIN)),
    ("a Series that may lack values", functools.partial(series, PLAIN, "Int64")),
    ("a frame of one column", functools.partial(frame, PLAIN)),
    ("objects", np.array(PLAIN, dtype=object)),
    ("masked nowhere", np.ma.masked_array(PLAIN)),
):
    case(
        "labels of trials",
        label,
        lambda folder, y=y: y() if callable(y) else y,
        fits(),
        as_known,
    )


def lacking(what):
    return [*PLAIN[:3], what, *PLAIN[4:]]


def nat():
    import pandas

    return lacking(pandas.NaT)


for label, y, why in (
    ("NaN", lacking(np.nan), "y"),
    ("None", lacking(None), "y"),
    ("NA", functools.partial(series, lacking(None), "Int64"), "y"),
    ("NaT", nat, "y"),
    ("an infinite one", lacking(np.inf), "y"),
    ("masked", np.ma.masked_array(PLAIN, mask=[0, 0, 0, 1, 0, 0, 0, 0]), "y"),
    ("two columns", np.zeros((8, 2), dtype=int), "y"),
    ("one too few", PLAIN[:7], "7"),
    ("measurements", np.linspace(0, 1, 8), ""),
    ("one class", [1] * 8, "1 class"),
    ("a word", "normal", ""),
):
    case(
        "labels of trials",
        label,
        lambda folder, y=y: y() if callable(y) else y,
        fits(),
        kind=(ValueError, TypeError),
        names=(why,),
    )
case(
    "labels of trials",
    "words",
    lambda folder: ["normal", "lean"] * 4,
    lambda y: sorted(set(model().fit(trials(), y).predict(trials()).tolist())),
    lambda said: set(said) <= {"lean", "normal"},
)

# --- patients -------------------------------------------------------------------------------------
PEOPLE = ["a", "a", "b", "b", "c", "c", "d", "d"]


def by_patient(groups):
    return model(early_stopping="patient").fit(trials(), PLAIN, groups=groups)


for label, groups in (
    ("NaN", [np.nan, *PEOPLE[1:]]),
    ("None", [None, *PEOPLE[1:]]),
    ("NA", functools.partial(series, [None, *PEOPLE[1:]], "string")),
    ("one too few", PEOPLE[1:]),
    ("two columns", [[one, one] for one in PEOPLE]),
    ("masked", np.ma.masked_array(range(8), mask=[1, *[0] * 7])),
):
    case(
        "patients of trials",
        label,
        lambda folder, g=groups: g() if callable(g) else g,
        by_patient,
        names=("groups",),
    )
case(
    "patients of trials",
    "none, where they are needed",
    lambda folder: None,
    by_patient,
    names=("groups",),
)

# --- weights --------------------------------------------------------------------------------------
for label, weight, why in (
    ("negative", [-1.0, *[1.0] * 7], "sample_weight"),
    ("NaN", [np.nan, *[1.0] * 7], "sample_weight"),
    ("infinite", [np.inf, *[1.0] * 7], "sample_weight"),
    ("all zero", [0.0] * 8, "0 for every trial"),
    ("one too few", [1.0] * 7, "sample_weight"),
    ("words", ["a"] * 8, ""),
    ("masked", np.ma.masked_array([1.0] * 8, mask=[1, *[0] * 7]), "sample_weight"),
):
    case(
        "weights",
        f"of trials, {label}",
        lambda folder, w=weight: w,
        lambda w: model().fit(trials(), PLAIN, sample_weight=w),
        kind=(ValueError, TypeError),
        names=(why,),
    )
for label, weight, why in (
    ("negative", {0: -1.0, 1: 1.0}, "class_weight"),
    ("NaN", {0: np.nan, 1: 1.0}, "class_weight"),
    ("infinite", {0: np.inf, 1: 1.0}, "class_weight"),
    ("unknown classes only", {7: 1.0}, "7"),
    ("a word", "even", "class_weight"),
    ("a list", [1.0, 2.0], "class_weight"),
):
    case(
        "weights",
        f"of classes, {label}",
        lambda folder, w=weight: w,
        lambda w: model(class_weight=w).fit(trials(), PLAIN),
        names=(why,),
    )
case(
    "weights",
    "of classes, one of them unknown",
    lambda folder: {0: 1.0, 7: 1.0},
    warned(lambda w: fits_with(w), "class_weight names [7]"),
    as_known,
)


def fits_with(class_weight):
    return model(class_weight=class_weight).fit(trials(), PLAIN).predict_proba(trials())


# --- settings of the caller, and stops ------------------------------------------------------------
def within(context):
    """Fit and predict with a setting of torch in force."""

    def use(_):
        with context():
            return model().fit(trials(), PLAIN).predict_proba(trials())

    return use


def default_double():
    import contextlib

    import torch

    @contextlib.contextmanager
    def double():
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(torch.float32)

    return double()


def torch_says(name, *args):
    def make():
        import torch

        return getattr(torch, name)(*args)

    return make


for label, context in (
    ("double precision", default_double),
    ("no gradients", torch_says("no_grad")),
    ("inference mode", torch_says("inference_mode")),
    ("autocast", torch_says("autocast", "cpu")),
    ("another device", torch_says("device", "meta")),
):
    case("settings of the caller", label, lambda folder: None, within(context), as_known)


def stopped(kind):
    """A second fit ends early; the model must be as it was."""

    def use(_):
        from skorch.callbacks import Callback

        class Stop(Callback):
            def on_epoch_end(self, net, **more):
                raise kind("now")

        one = model().fit(trials(), PLAIN)
        one.set_params(net_params={"callbacks": [Stop()]})
        try:
            one.fit([trial[:, :3] for trial in trials()], PLAIN)
        except kind:
            return one.predict_proba(trials())
        raise AssertionError(f"{kind.__name__} did not leave fit")

    return use


for kind in (KeyboardInterrupt, RuntimeError, MemoryError, SystemExit):
    case("stops", kind.__name__, lambda folder: None, stopped(kind), as_known)
