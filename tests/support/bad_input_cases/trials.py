"""Landmarks: lost, infinite, of odd types and shapes; whole trials, and frames that come live."""

import functools

import numpy as np

from bad_input_cases.case import battery
from skrehab.frames import FrameMLP
from skrehab.live import FrameStream
from skrehab.preprocessing import DisplacementSmoother, GapFiller, LeftRightRepair, SideNormalizer
from skrehab.preprocessing.pose_check import check_pose_quality
from skrehab.trials import check_trials

CASES, case = battery()


@functools.cache
def fitted():
    """Return a pipeline over everything that takes trials of MediaPipe's skeleton."""
    from sklearn.pipeline import make_pipeline

    rng = np.random.RandomState(0)
    X = [rng.randn(12, 33, 3).astype(np.float32) for _ in range(4)]
    steps = GapFiller(causal=True), LeftRightRepair(causal=True), SideNormalizer("left")
    pipeline = make_pipeline(
        *steps, DisplacementSmoother(causal=True), FrameMLP((4,), max_epochs=1, random_state=0)
    )
    return pipeline.fit(X, [np.arange(12) % 2 for _ in X])


def good_trial(n=9, seed=0):
    return np.random.RandomState(seed).randn(n, 33, 3).astype(np.float32)


def beside_good_ones(trial):
    """Make X; the pipeline is fitted before the clock of the first case runs."""

    def make(folder):
        fitted()
        return [good_trial(), trial, good_trial()]

    return make


def predict(X):
    return fitted().predict_proba(X)


def probabilities(*lengths):
    def right(proba):
        return [p.shape for p in proba] == [(n, 2) for n in lengths] and all(
            np.isfinite(p).all() and np.allclose(p.sum(axis=1), 1, atol=1e-5) for p in proba
        )

    return right


def as_if(trial):
    """What is said of a trial is what is said of the same numbers as float32."""

    def right(proba):
        expected = predict([trial, good_trial()])
        return all(np.array_equal(one, other) for one, other in zip(proba, expected, strict=True))

    return right


def holding(value, share=1.0):
    trial = good_trial()
    trial[np.random.RandomState(1).rand(*trial.shape) < share] = value
    return trial


# --- refused --------------------------------------------------------------------------------------
BAD = {
    "infinite": (holding(np.inf, 0.01), "infinite"),
    "minus infinite": (holding(-np.inf, 0.01), "infinite"),
    "too large for float32": (good_trial().astype(float) * 1e300, "infinite"),
    "no frame": (good_trial()[:0], "empty"),
    "no landmark": (good_trial()[:, :0], "empty"),
    "no coordinate": (good_trial()[..., :0], "empty"),
    "two axes": (good_trial()[0], "must have shape"),
    "four axes": (good_trial()[None], "must have shape"),
    "an empty list": ([], "must have shape"),
    "one number": (3.0, "must have shape"),
    "nothing": (None, "must have shape"),
    "text": ("trial.npy", "array of numbers"),
    "bytes": (b"trial", "array of numbers"),
    "ragged rows": ([[[1, 2, 3]], [[1, 2]]], "array of numbers"),
    "None among numbers": ([[[1.0, None, "x"]]], "array of numbers"),
    "complex": (good_trial() + 1j, "complex"),
    "dates": (np.zeros((9, 33, 3), dtype="datetime64[D]"), "dates"),
    "durations": (np.zeros((9, 33, 3), dtype="timedelta64[s]"), "durations"),
    "records": (np.zeros((9, 33, 3), dtype=[("x", float)]), "records"),
    "a dict": ({"pose": good_trial()}, "array of numbers"),
    "other landmarks": (good_trial()[:, :17], "33 landmarks"),
    "other coordinates": (good_trial()[..., :2], "3 coordinates"),
}
for label, (trial, why) in BAD.items():
    for action, use in (("predict", predict), ("check", check_trials)):
        case(
            "landmarks",
            f"{label}, {action}",
            beside_good_ones(trial),
            use,
            names=("X[1]", why),
        )
for label, X, kind, why in (
    ("empty list", [], ValueError, "no trial"),
    ("empty array", np.zeros((0, 5, 33, 3)), ValueError, "no trial"),
    ("one trial, no list", good_trial(), ValueError, "pass [trial]"),
    ("None", None, TypeError, "list of trials"),
    ("a path", "trials.npz", TypeError, "list of trials"),
    ("a generator", (t for t in [good_trial()]), TypeError, "list of trials"),
    ("a dict of trials", {"a": good_trial()}, TypeError, "list of trials"),
    ("a set", {1, 2}, ValueError, "X[0]"),
):
    case("lists of trials", label, lambda folder, X=X: X, predict, kind=kind, names=(why,))

# --- taken ----------------------------------------------------------------------------------------
GOOD = {
    "all lost": holding(np.nan),
    "half lost": holding(np.nan, 0.5),
    "all but one number lost": holding(np.nan, 0.999),
    "first frame lost": np.concatenate([holding(np.nan)[:1], good_trial()]),
    "one frame": good_trial(1),
    "one lost frame": holding(np.nan)[:1],
    "all zero": np.zeros((9, 33, 3)),
    "tiny numbers": good_trial() * np.float32(1e-42),
    "large numbers": good_trial() * np.float32(1e30),
}
for label, trial in GOOD.items():
    case(
        "landmarks",
        label,
        lambda folder, t=trial: [t, good_trial()],
        predict,
        probabilities(len(trial), 9),
    )
case(
    "many frames",
    "20,000 in a trial",
    lambda folder: [good_trial(20_000)],
    predict,
    probabilities(20_000),
)
SAME = {
    "whole numbers": np.arange(9 * 99).reshape(9, 33, 3),
    "yes and no": np.ones((9, 33, 3), dtype=bool),
    "Fortran order": np.asfortranarray(good_trial()),
    "backwards and every second": good_trial(18)[::-2],
    "big endian": good_trial().astype(">f8"),
    "half precision": good_trial().astype(np.float16),
    "objects that are numbers": good_trial().astype(object),
    "numbers as text": good_trial().astype(str),
    "nested lists": good_trial().tolist(),
}
for label, trial in SAME.items():
    numbers = np.array(trial, dtype=np.float32)
    case("landmarks", label, lambda folder, t=trial: [t, good_trial()], predict, as_if(numbers))


def locked(trial):
    trial.flags.writeable = False
    return trial


case(
    "landmarks",
    "read only",
    lambda folder: [locked(good_trial()), good_trial()],
    predict,
    as_if(good_trial()),
)
case(
    "landmarks",
    "masked",
    lambda folder: [np.ma.masked_less(good_trial(), 0)],
    check_trials,
    lambda X: np.array_equal(np.isnan(X[0]), good_trial() < 0),
)
case(
    "landmarks",
    "quality of all lost",
    lambda folder: [holding(np.nan)],
    lambda X: check_pose_quality(X, on_bad="raise"),
    names=("X[0]", "0 % of frames"),
)
case(
    "landmarks",
    "quality of one good and one bad",
    lambda folder: [still(), holding(np.nan)],
    lambda X: check_pose_quality(X, on_bad="skip").kept.tolist(),
    lambda kept: kept == [0],
)


def still():
    return np.tile(good_trial(1), (30, 1, 1))


# --- live -----------------------------------------------------------------------------------------
def live(*pushes):
    """Push (frame, time) one after the other; then a good frame must be scored as if alone."""

    def use(_):
        stream, other = FrameStream(fitted()), FrameStream(fitted())
        for one in (stream, other):
            one.push(good_trial()[0], 0.0)
        try:
            for frame, time in pushes:
                stream.push(frame, time)
        except ValueError:
            after = stream.push(good_trial()[1], 9.0)
            if not np.array_equal(after, other.push(good_trial()[1], 9.0)):
                raise AssertionError("the refused frame has left a trace") from None
            raise
        assert np.isfinite(stream.push(good_trial()[1], 9.0)).all()
        return stream.counts

    return use


def no_item(folder):
    return None


FRAME = good_trial()[2]
for label, push, why in (
    ("infinite", (np.full((33, 3), np.inf), 1.0), "infinite"),
    ("a landmark too few", (FRAME[:-1], 1.0), "shape (33, 3)"),
    ("a whole trial", (good_trial(), 1.0), "shape (33, 3)"),
    ("text", ("frame", 1.0), "array of numbers"),
    ("nothing", (None, 1.0), "shape (33, 3)"),
    ("time NaN", (FRAME, np.nan), "timestamp"),
    ("time infinite", (FRAME, np.inf), "timestamp"),
    ("time minus infinite", (FRAME, -np.inf), "timestamp"),
):
    case("live", label, no_item, live(push), names=(why,))
for label, push, expected in (
    ("late", (FRAME, -1.0), (2, 1)),
    ("the same time", (FRAME, 0.0), (2, 1)),
    ("nobody", (np.full((33, 3), np.nan), 1.0), (3, 0)),
    ("a microsecond later", (FRAME, 1e-6), (3, 0)),
):
    case(
        "live",
        label,
        no_item,
        live(push),
        lambda counts, e=expected: (counts.frames, counts.late) == e,
    )
case(
    "live",
    "nothing but lost landmarks",
    no_item,
    lambda _: [FrameStream(fitted()).push(np.full((33, 3), np.nan), 0.0)],
    lambda said: np.allclose(said, fitted().predict_proba([holding(np.nan)[:1]])[0], atol=1e-6),
)
