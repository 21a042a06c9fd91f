"""What cannot go well is refused, or said before the training."""

import warnings

import numpy as np
import pytest
from instances import tiny_trials

from skrehab import VideoClassifier
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation.checks import oddities
from skrehab.networks import get_spec
from skrehab.preprocessing import LandmarkScaler
from skrehab.preprocessing.skeleton_conversion import convert
from skrehab.recipes import published, recommended
from skrehab.training.doubts import check_choice
from skrehab.trials.padding import describe_padding, still_end


def poses(n_landmarks=33, scale=1.0, n=3):
    draw = np.random.RandomState(0)
    return [scale * draw.randn(9, n_landmarks, 3).astype(np.float32) for _ in range(n)]


@pytest.mark.parametrize("network", ["skateformer", "motionbert", "posec3d"])
def test_scaling_before_a_conversion_is_refused(network):
    with pytest.raises(ValueError, match=r"standardize=True scales each landmark .*converts them"):
        VideoClassifier(network, standardize=True).fit(poses(), [0, 1, 0])


@pytest.mark.parametrize(
    "params",
    [{"target": "ntu25"}, {"target": "coco17", "coords": "xys"}],
)
def test_scaling_before_a_wanted_conversion_is_refused(params):
    with pytest.raises(ValueError, match=r"SkeletonConverter\('(ntu25|coco17)'\) before"):
        VideoClassifier("stgcn", network_params=params, standardize=True).fit(poses(), [0, 1, 0])
    with pytest.raises(ValueError, match="converts them to mpose13"):
        check_choice(get_spec("act"), {"mpose": "velocity"}, poses(), standardize=True)


def test_the_reason_is_true():
    """A hand against the spine, as converted, and as scaled landmark by landmark before."""
    trials = make_rehab_trials(3, 2, "brush_hair", random_state=0).X
    scaled = LandmarkScaler(center=True).fit(trials).transform(trials)

    def hand(trial):
        ntu = convert(trial, "mediapipe33", "ntu25")
        wrist, hand, spine, shoulders = (ntu[:, i] for i in (6, 7, 1, 20))
        length = lambda bone: np.nanmean(np.linalg.norm(bone, axis=-1))  # noqa: E731
        return length(hand - wrist) / length(shoulders - spine)

    assert hand(trials[1]) < 0.3 < 0.9 < hand(scaled[1])


def test_scaling_in_the_networks_own_skeleton_is_taken():
    check_choice(get_spec("skateformer"), {}, poses(25), standardize=True)
    check_choice(get_spec("stgcn"), {}, poses(33), standardize=True)
    check_choice(get_spec("ctrgcn"), {"target": "kinect25"}, poses(25), standardize=True)
    VideoClassifier("lstm", standardize=True, max_epochs=1).fit(*_tiny())


def _tiny():
    data = tiny_trials()
    return data.X, data.y


def test_motionbert_on_pixels_warns():
    spec = get_spec("motionbert")
    with pytest.warns(UserWarning, match=r"in pixels.*'normalize': True"):
        check_choice(spec, {}, poses(17, scale=300))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_choice(spec, {"normalize": True}, poses(17, scale=300))
        check_choice(spec, {}, poses(17))
        lost = poses(17)
        lost[0][:] = np.nan
        check_choice(spec, {}, lost)


@pytest.mark.parametrize("network", ["mvit", "video_swin", "videomae"])
def test_large_networks_from_drawn_weights_warn_of_few_clips(network):
    spec = get_spec(network)
    with pytest.warns(UserWarning, match=rf"'{network}' starts from drawn weights with 160 clips"):
        check_choice(spec, {}, [None] * 160)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_choice(spec, {}, [None] * 1200)
        check_choice(spec, {}, [None] * 160, weights="file.pth")
        check_choice(get_spec("r3d"), {}, [None] * 160)
        check_choice(spec, {"width": 8}, [None] * 160)


# --- trials filled up to one length ---------------------------------------------------------------
FILLS = {
    "zeros": lambda trial, n: np.zeros((n, *trial.shape[1:])),
    "nan": lambda trial, n: np.full((n, *trial.shape[1:]), np.nan),
    "last frame": lambda trial, n: np.repeat(trial[-1:], n, axis=0),
    "minus one": lambda trial, n: np.full((n, *trial.shape[1:]), -1.0),
}


def filled(how, lengths=(10, 20, 30, 40)):
    rng = np.random.RandomState(0)
    trials = [1 + rng.rand(n, 33, 3) for n in lengths]
    longest = max(lengths)
    return [np.concatenate([one, FILLS[how](one, longest - len(one))]) for one in trials]


@pytest.mark.parametrize("how", FILLS)
def test_filled_up_trials_are_told(how):
    X = filled(how)
    first = how == "minus one"  # is a pose like any other
    assert [still_end(trial) for trial in X] == [30 - first, 20 - first, 10 - first, 0]
    assert describe_padding(X).startswith("3 of 4 trials, all of them of 40 frames, end in ")
    models = (
        VideoClassifier("lstm", max_epochs=1),
        recommended(n_teachers=1, max_epochs=1, random_state=0),
        published("lstm", max_epochs=1, frame_epochs=1, random_state=0),
    )
    for model in models:
        with pytest.warns(UserWarning, match="they look filled up to one length"):
            model.fit(X if how != "zeros" else np.stack(X), [0, 1, 0, 1])
    data = {"X": X, "y": np.array([0, 1, 0, 1]), "groups": np.array(["A", "A", "B", "B"])}
    assert describe_padding(X) in oddities(data)


def test_trials_as_they_were_recorded_are_not():
    rng = np.random.RandomState(0)
    X = [rng.rand(40, 33, 3) for _ in range(8)]
    assert describe_padding(X) is None
    assert describe_padding([trial[: 20 + i] for i, trial in enumerate(X)]) is None
    held = [np.concatenate([trial[:30], np.repeat(trial[29:30], 10, 0)]) for trial in X]
    assert describe_padding(held) is None  # each for as long: that is no padding
    for i, trial in enumerate(X[:3]):  # somebody goes
        trial[-10 - i :] = np.nan
    assert describe_padding(X) is None
    assert describe_padding([np.zeros((40, 33, 3))] * 4) is None
