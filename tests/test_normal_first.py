"""Models fitted on words: what they were told is normal is normal to reports, page and camera."""

import json
import warnings

import numpy as np
import pytest
from instances import tiny_trials

import skrehab
from skrehab.adaptation import adapt_to_patient
from skrehab.assessment import assess_video, columns_of, judge_trial
from skrehab.live import CueGate
from skrehab.live.session import LiveSession
from skrehab.metrics import pool_frames
from skrehab.metrics.told_normal import normal_first
from skrehab.pose import PoseExtractor, PoseTrack
from skrehab.recipes import recommended
from skrehab.serve.analysis import _pooled_verdict, analyse_video, describe_model


def fitted(words, told, **more):
    """A causal model that learns from frames: a motion is a landmark 2 to the side."""
    rng = np.random.RandomState(0)
    X = [0.1 * rng.randn(40, 33, 4).astype(np.float32) for _ in range(8)]
    y = [np.arange(40) // 10 % 2 for _ in X]
    for trial, one in zip(X, y):
        trial[one == 1, 5, 0] += 2
    augment = skrehab.Augmentation(normal_label=told)
    model = skrehab.FrameTCN(augment=augment, max_epochs=40, lr=0.01, random_state=0, **more)
    return model.fit(X, [np.array(words)[one] for one in y]), X, y


@pytest.fixture(scope="module")
def words():
    """The motion is the first by alphabet, and must not be taken for normal."""
    return fitted(["usual", "lean"], "usual")


def track_of(trial):
    return PoseTrack("clip.mp4", np.arange(len(trial)) / 30, trial, trial, 640, 480)


def test_order():
    assert normal_first(skrehab.Augmentation(normal_label="b"), ["a", "b", "c"]).tolist() == [
        *(1, 0, 2)
    ]
    assert normal_first(skrehab.Augmentation(normal_label=1), [0, 1]).tolist() == [1, 0]
    assert normal_first(skrehab.Augmentation(), [0, 1]).tolist() == [0, 1]
    assert normal_first(skrehab.Augmentation(normal_label="z"), ["a", "b"]).tolist() == [0, 1]
    with pytest.warns(UserWarning, match=r"Which of \['a', 'b'\] is normal.*first, 'a', is taken"):
        assert normal_first(skrehab.Augmentation(), ["a", "b"]).tolist() == [0, 1]


def test_a_whole_video(words, monkeypatch):
    model, X, y = words
    assert model.classes_.tolist() == ["lean", "usual"] and columns_of(model).tolist() == [1, 0]
    track = track_of(X[0])
    monkeypatch.setattr("skrehab.pose.extract_with", lambda *args, **kwargs: track)
    lean = model.predict_proba([X[0]])[0][:, 0]  # by its name
    found = assess_video(model, "clip.mp4")
    assert found.classes == ["usual", "lean"]
    np.testing.assert_allclose(found.score, lean, atol=1e-5)
    np.testing.assert_allclose(found.proba[:, 1], lean, atol=1e-5)
    assert found.score[y[0] == 1].mean() > 0.8 > 0.2 > found.score[y[0] == 0].mean()
    assert found.verdict.frames == pytest.approx(pool_frames([lean])[0], abs=1e-5)


def test_a_verdict_by_frames(words):
    model, X, _ = words
    proba = np.array([[0.9, 0.1], [0.2, 0.8]])  # lean, usual
    assert judge_trial(model, X[0], proba).frames == pytest.approx(0.9)
    said = _pooled_verdict(model, proba, 0.9, None)
    assert (said["label"], said["usual"], said["labels"]) == ("lean", False, ["usual", "lean"])
    np.testing.assert_allclose(said["probabilities"], [0.1, 0.9])
    said = _pooled_verdict(model, proba[1:], 0.2, None)
    assert (said["label"], said["usual"]) == ("usual", True)
    assert describe_model(model)["labels"] == ["usual", "lean"]


def test_the_page(words):
    model, X, _ = words
    found = track_of(X[0]), False
    said = analyse_video(model, "clip.mp4", PoseExtractor(), pose=lambda *args: found)
    json.dumps(said)
    assert said["labels"] == ["usual", "lean"]
    lean = model.predict_proba([X[0]])[0][:, 0]
    np.testing.assert_allclose(said["scores"], lean, atol=1e-3)
    np.testing.assert_allclose(np.array(said["probabilities"])[:, 1], lean, atol=1e-3)


@pytest.mark.parametrize("labels", [["lean", "usual"], ["usual", "lean"], None])
def test_the_page_and_labels_that_are_words(words, labels):
    """Which is which is said by the words, not by the order of a list."""
    model, X, _ = words
    found = track_of(X[0]), False
    said = analyse_video(
        model, "clip.mp4", PoseExtractor(), labels=labels, pose=lambda *args: found
    )
    assert said["labels"] == describe_model(model, labels)["labels"] == ["usual", "lean"]
    assert said["verdict"]["label"] == "lean" and not said["verdict"]["usual"]
    names = {"lean": "beugt sich", "usual": "üblich"}
    assert describe_model(model, names)["labels"] == ["üblich", "beugt sich"]
    with pytest.raises(ValueError, match="or a dict with a name for each"):
        describe_model(model, {"lean": "beugt sich"})


class Poses:
    """Poses that were found before."""

    def __init__(self, extractor):
        self.image = self.world = np.ones((33, 4), np.float32)
        self.found = True

    def push(self, pose, timestamp):
        return pose

    def reset(self):
        pass


@pytest.fixture(autouse=True)
def no_pose_model(monkeypatch):
    monkeypatch.setattr("skrehab.live.session.PoseStream", Poses)


def live(model, trial):
    session = LiveSession(model, PoseExtractor(), CueGate())
    return session, [session.push(frame, t / 30) for t, frame in enumerate(trial)]


def test_live(words):
    model, X, _ = words
    session, moments = live(model, X[0])
    assert session.classes_.tolist() == ["usual", "lean"]
    lean = model.predict_proba([X[0]])[0][:, 0]
    np.testing.assert_allclose([one.score for one in moments], lean, atol=1e-4)
    np.testing.assert_allclose([one.proba[1] for one in moments], lean, atol=1e-4)


def test_it_is_the_same_after_saving(words, tmp_path):
    model, X, _ = words
    skrehab.save(model, tmp_path / "model")
    again = skrehab.load(tmp_path / "model")
    assert columns_of(again).tolist() == [1, 0]
    np.testing.assert_allclose(
        [one.score for one in live(again, X[0])[1]], [one.score for one in live(model, X[0])[1]]
    )


def test_numbers_are_as_ever():
    model, X, _ = fitted([0, 1], None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session, moments = live(model, X[0])
    assert session.classes_.tolist() == [0, 1]
    motion = model.predict_proba([X[0]])[0][:, 1]
    np.testing.assert_allclose([one.score for one in moments], motion, atol=1e-4)


# --- one patient, calibrated, drawn ---------------------------------------------------------------
def taught(labels, normal, data):
    labels = np.array(labels)[data.y]
    model = recommended(None, n_teachers=1, max_epochs=2, normal_label=normal, random_state=0)
    return model, labels


@pytest.fixture(scope="module")
def told_twice():
    """The same trials: 1 is normal; and "usual", which comes after "lean" as 1 comes after 0."""
    data = tiny_trials()
    return data, [taught(*how, data) for how in (([1, 0], 1), (["usual", "lean"], "usual"))]


def test_calibration_goes_by_what_the_pipeline_was_told(told_twice):
    """It took 0, the motion, for normal, and asked again for words."""
    data, models = told_twice
    one, other = (
        skrehab.CalibratedByPatient(model, cv=2, false_alarms=1.0, frame_rate=10).fit(
            data.X, y, groups=data.patients
        )
        for model, y in models
    )
    assert one.normal_ == other.normal_ == 1
    np.testing.assert_allclose(one.map_, other.map_)
    assert one.threshold_ == pytest.approx(other.threshold_)
    wrong = skrehab.CalibratedByPatient(models[0][0], cv=2, normal_label=0)
    with pytest.raises(ValueError, match="told different ones"):
        wrong.fit(data.X, models[0][1], groups=data.patients)


def test_one_patients_model_goes_by_what_it_was_told(told_twice):
    data, models = told_twice
    found = [
        adapt_to_patient(model.fit(data.X, y), data.X[:2], y[:2]).predict_proba(data.X[:1])[0]
        for model, y in models
    ]
    told = adapt_to_patient(models[0][0], data.X[:2], models[0][1][:2], normal_label=1)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    np.testing.assert_allclose(found[0], told.predict_proba(data.X[:1])[0], atol=1e-6)


def test_displays_show_the_motion(words):
    pytest.importorskip("matplotlib").use("Agg")
    model, X, _ = words
    lean = model.predict_proba([X[0]])[0][:, 0]
    shown = skrehab.inspection.FrameTimelineDisplay.from_estimator(model, X[0])
    np.testing.assert_allclose(shown.frame_scores, lean, atol=1e-6)
    numbers, X, _ = fitted([1, 0], 1)
    shown = skrehab.inspection.FrameTimelineDisplay.from_estimator(numbers, X[0])
    np.testing.assert_allclose(
        shown.frame_scores, numbers.predict_proba([X[0]])[0][:, 0], atol=1e-6
    )
