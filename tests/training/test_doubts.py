"""What cannot go well is refused, or said before the training."""

import warnings

import numpy as np
import pytest
from instances import tiny_trials

from skrehab import VideoClassifier
from skrehab.datasets import make_rehab_trials
from skrehab.networks import get_spec
from skrehab.preprocessing import LandmarkScaler
from skrehab.preprocessing.skeleton_conversion import convert
from skrehab.training.doubts import check_choice


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
