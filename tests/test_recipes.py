"""recommended() and published(): what they are made of, that they learn, live and offline."""

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score, cross_validate

import skrehab
from skrehab import FrameStream, PatientReference
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import trial_roc_auc
from skrehab.pseudo_labels import PUBLISHED_THRESHOLDS, PatientPipeline
from skrehab.recipes import published, recommended
from skrehab.skeletons import get_skeleton, guess_skeleton, list_skeletons
from skrehab.training.schedules import enough_epochs

QUICK = {"n_teachers": 1, "max_epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return make_rehab_trials(3, 2, ["brush_hair", "wash_face"], strength=3.0, random_state=1)


def who(data):
    return {"groups": data.groups, "exercise": data.exercise}


def scores(pipe, data):
    return np.concatenate(pipe.predict_proba(data.X))


# --- recommended ----------------------------------------------------------------------------------
def test_what_is_recommended():
    pipe = recommended(random_state=3)
    assert isinstance(pipe, Pipeline) and [name for name, _ in pipe.steps] == [
        "bones", "labels", "frames",
    ]  # fmt: skip
    labels, student = pipe["labels"], pipe["frames"]
    assert (labels.output, labels.method, labels.n_estimators) == ("soft", "frame_logits", 2)
    assert labels.estimator.network == "mil_tcn"
    assert labels.estimator.network_params == {"channels": 32}  # centred: it only teaches
    assert student.causal and not recommended(causal=False)["frames"].causal
    for one in (labels.estimator, student):
        assert (one.optimizer, one.lr, one.weight_decay) == ("adamw", 2e-3, 0.0)
        assert (one.schedule, one.max_epochs, one.batch_size) == ("cosine_batch", "auto", 32)
        assert (one.like_length, one.standardize, one.random_state) == (8, True, 3)
        augment = one.augment
        assert (augment.splice, augment.rotate, augment.offset) == (0.5, 15, 0.3)
    assert recommended(augment=False)["frames"].augment is None


def test_it_runs_live_as_offline_and_drops_the_visibility(data):
    X = [np.concatenate([one, np.ones((*one.shape[:2], 1))], axis=2) for one in data.X]
    pipe = recommended(**QUICK).fit(data.X, data.y)
    seen = recommended(**QUICK).fit(X, data.y)
    np.testing.assert_array_equal(np.concatenate(seen.predict_proba(X)), scores(pipe, data))
    trial = data.X[1]
    offline = pipe.predict_proba([trial])[0]
    np.testing.assert_allclose(pipe.predict_proba([trial[:20]])[0], offline[:20], atol=1e-6)
    stream = FrameStream(pipe)
    live = [stream.push(frame, t / 10) for t, frame in enumerate(trial)]
    np.testing.assert_allclose(live, offline, atol=1e-6)


def test_it_is_saved(data, tmp_path):
    pipe = recommended(**QUICK).fit(data.X, data.y, **who(data))
    again = skrehab.load(skrehab.save(pipe, tmp_path / "m"))
    assert isinstance(again, PatientPipeline)
    np.testing.assert_array_equal(scores(again, data), scores(pipe, data))
    auto = recommended(**QUICK).set_params(frames__max_epochs="auto", frames__channels=2)
    auto = auto.fit(data.X[:4], data.y[:4])
    assert skrehab.load(skrehab.save(auto, tmp_path / "auto"))["frames"].max_epochs == "auto"


def test_any_skeleton_or_none(data):
    for name in ("kinect20", "common15", "uiprmd22", "coco17"):
        skeleton = get_skeleton(name)
        X = [
            np.random.RandomState(i).randn(9, skeleton.n_landmarks, skeleton.n_dims) for i in (0, 1)
        ]
        augment = skeleton.n_dims == 3  # a picture cannot be turned about the vertical
        given = "auto" if name != "coco17" else name
        pipe = recommended(given, augment=augment, **QUICK).fit(X * 2, [0, 1] * 2)
        assert pipe["frames"].n_landmarks_ == len(skeleton.limb_bones)
    odd = [np.random.RandomState(i).randn(9, 7, 3) for i in range(4)]
    with pytest.raises(ValueError, match="7 landmarks with 3 coordinates: No registered skeleton"):
        recommended(**QUICK).fit(odd, [0, 1] * 2)
    assert recommended(None, **QUICK).fit(odd, [0, 1] * 2)["frames"].n_landmarks_ == 7


def test_skeletons_are_told_by_their_shape():
    told = {}
    for name in list_skeletons():
        one = get_skeleton(name)
        for extra in (0, 1):
            try:
                found = guess_skeleton(one.n_landmarks, one.n_dims + extra)
            except ValueError as error:
                assert "Several skeletons may be meant" in str(error)
                told[name, extra] = None
            else:
                told[name, extra] = found.landmarks == one.landmarks
    assert False not in told.values()
    ambiguous = {key for key, value in told.items() if value is None}
    # Kinect's and OpenPose's 25 with three values; COCO's and Human3.6M's 17 in a picture
    assert ambiguous == {
        *(("kinect25", 0), ("ntu25", 0), ("openpose25", 1)),
        *((name, extra) for name in ("coco17", "h36m17") for extra in (0, 1)),
    }


@pytest.mark.parametrize(
    ("n", "batch", "epochs"),
    [(900, 32, 18), (5000, 32, 18), (100, 32, 130), (32, 32, 200), (1, 32, 200), (65, 32, 174)],
)
def test_epochs_adapt_to_the_trials(n, batch, epochs):
    assert enough_epochs(n, batch) == epochs


def test_epochs_adapt_in_training(data):
    pipe = recommended(n_teachers=1, random_state=0).set_params(
        labels__estimator__max_epochs=1, frames__channels=2, frames__batch_size=3
    )
    n = len(data.X)
    pipe.fit(data.X, data.y)
    assert len(pipe["frames"].history_) == enough_epochs(n, 3) < 200


def test_the_page_names_bones(data):
    """What ``skrehab serve`` shows beside the map of a video."""
    from skrehab.serve.analysis import _rows

    pipe = recommended(**QUICK).fit(data.X, data.y)
    rows = _rows(pipe, pipe["labels"], 16)
    parts = {row["name"]: row["part"] for row in rows}
    assert parts["left shoulder to elbow"] == "left arm"
    assert parts["mid hip to mid shoulder"] == "trunk"
    assert sorted(row["index"] for row in rows) == list(range(16))


# --- patients -------------------------------------------------------------------------------------
def test_patients_reach_teacher_and_student(data):
    plain = recommended(**QUICK).fit(data.X, data.y)
    told = recommended(**QUICK).fit(data.X, data.y, **who(data))
    off = recommended(**QUICK)
    for step in ("labels__estimator", "frames"):
        off.set_params(**{f"{step}__augment__splice": 0.0})
    off.fit(data.X, data.y, **who(data))

    def teacher(pipe):
        return pipe["labels"].estimator_.predict_proba(pipe[:1].transform(data.X))

    np.testing.assert_array_equal(teacher(off), teacher(plain))  # without patients it is off
    assert (teacher(told) != teacher(plain)).any()
    same_labels = told["labels"].transduction_
    bones = told[:1].transform(data.X)
    student = clone(told["frames"]).fit(bones, same_labels, **who(data))
    np.testing.assert_array_equal(np.concatenate(student.predict_proba(bones)), scores(told, data))
    alone = clone(told["frames"]).fit(bones, same_labels)
    assert (np.concatenate(alone.predict_proba(bones)) != scores(told, data)).any()


@pytest.mark.parametrize("routing", [False, True])
def test_cross_validation_hands_patients_on(data, routing):
    import sklearn

    pipe = recommended(**QUICK)
    given = {"params": who(data)} | ({} if routing else {"groups": data.groups})
    with sklearn.config_context(enable_metadata_routing=routing):
        folds = cross_validate(
            *(pipe, data.X, data.y),
            cv=LeaveOneGroupOut(),
            scoring=trial_roc_auc,
            return_estimator=True,
            return_indices=True,
            error_score="raise",
            **given,
        )
    train = folds["indices"]["train"][0]
    alone = clone(pipe).fit(
        [data.X[i] for i in train],
        data.y[train],
        groups=data.groups[train],
        exercise=data.exercise[train],
    )
    np.testing.assert_array_equal(scores(alone, data), scores(folds["estimator"][0], data))


def test_frame_truth_is_refused(data):
    with pytest.raises(TypeError, match="frame_labels"):
        recommended(**QUICK).fit(data.X, data.y, frame_labels=data.frame_labels)


def test_plain_cross_val_score_works(data):
    found = cross_val_score(
        *(recommended(**QUICK), data.X, data.y),
        groups=data.groups,
        cv=LeaveOneGroupOut(),
        scoring=trial_roc_auc,
        error_score="raise",
    )
    assert np.isfinite(found).all()


# --- published ------------------------------------------------------------------------------------
@pytest.mark.parametrize("network", ["lstm", "act", "skateformer", "moment"])
@pytest.mark.parametrize("method", ["vanilla_gradient", "integrated_gradients"])
@pytest.mark.parametrize("thresholds", [1, 2])
def test_what_is_published(network, method, thresholds):
    pipe = published(network, method, thresholds, random_state=0)
    assert [name for name, _ in pipe.steps] == ["motion", "labels", "frames"]
    motion, labels, frames = (step for _, step in pipe.steps)
    assert (motion.order, motion.causal, motion.window) == ("smooth_first", True, 5)
    assert (labels.label_source, labels.aggregate, labels.smooth) == ("true", "positive", "auto")
    assert (labels.scale, labels.output, labels.method) == ("map", "hard", method)
    video = labels.estimator
    assert video.lr == (1e-3 if network == "lstm" else 1e-4)
    assert (video.batch_size, video.optimizer, video.schedule) == (16, "adam", "cosine")
    assert (video.gradient_clip, video.gradient_clip_value, video.min_lr) == (None, 0.8, 1e-5)
    assert frames.hidden_layer_sizes == (256, 128)
    assert (frames.dropout, frames.lr, frames.batch_size) == (0.2, 1e-3, 64)
    row = PUBLISHED_THRESHOLDS[network, method]
    assert labels._resolve_threshold(33) == (row["single"] if thresholds == 1 else row["dual"])


@pytest.mark.parametrize(
    ("network", "params"),
    [
        ("lstm", {"hidden_size": 4}),
        ("act", {"size": "micro", "n_frames": "all"}),
        ("skateformer", None),
        ("moment", dict(d_model=16, n_layers=1, n_heads=2, d_ff=16, vocab_size=8, seq_len=64)),
    ],
)
def test_it_learns_and_is_causal(data, network, params):
    """Small networks of each kind: from trials to live frame scores."""
    pipe = published(network, max_epochs=1, frame_epochs=1, random_state=0)
    pipe.set_params(labels__n_steps=2, labels__threshold=("quantile", 0.38))
    if params is not None:
        pipe.set_params(labels__estimator__network_params=params)
    X, y = data.X[:4], np.array([0, 1, 0, 1])
    pipe.fit(X, y, groups=data.groups[:4])
    offline = pipe.predict_proba(X[:1])[0]
    np.testing.assert_allclose(pipe.predict_proba([X[0][:9]])[0], offline[:9], atol=1e-6)


def test_other_networks_and_thresholds():
    assert published("gru")["labels"].threshold == ("quantile", 0.38)
    assert published("gru", "vanilla_gradient")["labels"].threshold == ("quantile", 0.30)
    assert published("act", threshold="auto")["labels"].threshold == "auto"
    assert published("act", threshold="2.2,3.2")["labels"].threshold == (2.2, 3.2)
    with pytest.raises(ValueError, match="'much' is neither a number nor two"):
        published("act", threshold="much")
    with pytest.raises(ValueError, match="thresholds must be 1 or 2, got 3"):
        published(thresholds=3)


def test_a_reference_of_ones_own_is_told_the_normal_label():
    own = PatientReference(2, which="normal")
    pipe = recommended(reference=own, normal_label="usual")
    said = {"n_trials": 2, "which": "normal", "normal_label": "usual"}
    assert pipe["reference"].get_params() == said
    assert own.normal_label is None
    assert recommended(reference=PatientReference(normal_label=0))["reference"].normal_label == 0
