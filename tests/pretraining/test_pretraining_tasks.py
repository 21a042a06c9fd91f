"""Pretext tasks on one trial: slowing, masking, shuffling, and what an objective shows."""

import numpy as np
import pytest

from skrehab.pretraining.tasks import (
    OBJECTIVES,
    mask_limb,
    resample,
    shuffle_segments,
    slow_down,
    view,
)
from skrehab.skeletons import get_skeleton

LIMBS = list(get_skeleton("common15").limbs.values())


def ramp(n_frames, dtype=np.float32):
    """One landmark that moves by one a frame."""
    return np.arange(n_frames, dtype=dtype).reshape(-1, 1, 1)


def noise(n_frames, seed=0):
    return np.random.RandomState(seed).randn(n_frames, 15, 3).astype(np.float32)


# --- slowing --------------------------------------------------------------------------------------
@pytest.mark.parametrize("share", [0.6, 0.7, 0.8, 0.9])
def test_a_ramp_gets_its_pace_as_slope(share):
    slowed = slow_down(ramp(50, float), share, start=3).ravel()
    assert len(slowed) == 50
    np.testing.assert_allclose(np.diff(slowed)[1:-1], share, rtol=1e-9)
    # consecutive frames, those from the start on, all of them and no other
    assert slowed[0] == 3 and slowed[-1] == 3 + 50 * share - 1


@pytest.mark.parametrize("n_frames", [1, 2, 30, 743])
def test_pace_one_changes_nothing(n_frames):
    trial = noise(n_frames)
    slowed = slow_down(trial, 1.0)
    assert slowed.dtype == np.float32
    np.testing.assert_array_equal(slowed, trial)


def test_number_of_frames_is_the_floor():
    """0.7 * 10 in floating point is a little more than 7, 0.29 * 100 a little less than 29."""
    for n_frames, share, kept in [(10, 0.7, 7), (100, 0.29, 29), (9, 0.6, 5), (1, 0.6, 1)]:
        slowed = slow_down(ramp(n_frames, float), share)
        assert slowed.max() - slowed.min() == kept - 1


def test_start_beyond_the_trial_is_refused():
    assert slow_down(ramp(10), 0.6, start=4).max() == 9
    with pytest.raises(ValueError, match="6 of 10 frames are taken: start must be 0 to 4, got 5"):
        slow_down(ramp(10), 0.6, start=5)


def test_resample_is_linear_in_between():
    np.testing.assert_allclose(resample(ramp(4, float), 8).ravel()[1:-1], np.arange(6) / 2 + 0.25)
    np.testing.assert_allclose(resample(ramp(8, float), 4).ravel(), [0.5, 2.5, 4.5, 6.5])
    assert (resample(ramp(1) + 5, 3) == 5).all()


# --- masking and shuffling ------------------------------------------------------------------------
@pytest.mark.parametrize("limb", ["left_arm", "right_arm", "left_leg", "right_leg"])
def test_mask_is_one_limb_in_every_frame(limb):
    trial, copy = noise(20), noise(20)
    limb = get_skeleton("common15").limbs[limb]
    masked = mask_limb(trial, limb)
    others = [i for i in range(15) if i not in limb]
    assert len(limb) == 3 and (masked[:, limb] == 0).all()
    np.testing.assert_array_equal(masked[:, others], trial[:, others])
    np.testing.assert_array_equal(trial, copy)


@pytest.mark.parametrize("n_frames", [1, 7, 25, 26, 60, 743])
def test_shuffled_segments_can_be_put_back(n_frames):
    trial = ramp(n_frames)
    shuffled, places = shuffle_segments(trial, 25, np.random.default_rng(1))
    assert places.dtype == np.int64 and places.min() >= 0 and places.max() < 25
    back = shuffled[np.argsort(places, kind="stable")]
    np.testing.assert_array_equal(back, trial)
    # each segment is in one piece, and its frames in order
    assert (np.diff(places) != 0).sum() == len(np.unique(places)) - 1
    inside = np.diff(places) == 0
    assert (np.diff(shuffled.ravel())[inside] == 1).all()
    if n_frames > 25:
        assert not np.array_equal(shuffled, trial)
        sizes = np.unique(places, return_counts=True)[1]
        assert len(sizes) == 25 and sizes.max() - sizes.min() <= 1


# --- objectives -----------------------------------------------------------------------------------
def draw(objective, n_frames=31, seed=0, **params):
    rng = np.random.default_rng(seed)
    return view(noise(n_frames), objective, rng, limbs=LIMBS, **params)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("n_frames", [1, 2, 31])
def test_every_objective_fits_together(objective, n_frames):
    one, again = draw(objective, n_frames), draw(objective, n_frames)
    assert one.given.shape == one.target.shape == (n_frames, 15, 3)
    assert one.given.dtype == one.target.dtype == one.seen.dtype == np.float32
    assert 1 <= len(one.seen) <= n_frames
    np.testing.assert_array_equal(one.seen, again.seen)
    assert one.pace == again.pace
    if "pace" not in objective:
        assert one.pace == 0
        np.testing.assert_array_equal(one.target, noise(n_frames))


def test_inpainting_shows_the_encoder_everything_and_the_decoder_all_but_a_limb():
    limbs = set()
    for seed in range(40):
        one = draw("inpaint", seed=seed)
        np.testing.assert_array_equal(one.seen, one.target)
        hidden = np.flatnonzero((one.given != one.target).any(axis=(0, 2)))
        assert tuple(hidden) in LIMBS and (one.given[:, hidden] == 0).all()
        limbs.add(tuple(hidden))
    assert limbs == set(LIMBS)


def test_target_is_the_slowed_trial():
    """The decoder is asked for what the encoder read, not for the trial before it was slowed."""
    paces, kept = (0.6, 0.7, 0.8, 0.9, 1.0), noise(31)
    drawn = set()
    for seed in range(40):
        one = draw("pace+inpaint", seed=seed, paces=paces)
        n_kept = int(31 * paces[one.pace] + 1e-9)
        candidates = [slow_down(kept, paces[one.pace], s) for s in range(31 - n_kept + 1)]
        assert any(np.array_equal(one.target, candidate) for candidate in candidates)
        drawn.add(one.pace)
    assert drawn == {0, 1, 2, 3, 4}


def test_first_frames_are_drawn_too():
    rng = np.random.default_rng(0)
    starts = {float(view(ramp(20), "pace", rng, paces=[0.6]).seen[0, 0, 0]) for _ in range(90)}
    assert starts == set(range(9))


def test_motion_prediction_hides_the_second_half_from_both():
    one = draw("predict_motion")
    np.testing.assert_array_equal(one.seen, one.target[:16])
    np.testing.assert_array_equal(one.given[:16], one.target[:16])
    assert (one.given[16:] == 0).all()


def test_reconstruction_gives_the_decoder_nothing():
    one = draw("reconstruct")
    np.testing.assert_array_equal(one.seen, one.target)
    assert (one.given == 0).all()


def test_order_shows_both_the_shuffled_trial():
    one = draw("order")
    assert one.places.shape == (31,) and not np.array_equal(one.seen, one.target)
    np.testing.assert_array_equal(one.seen, one.given)
    np.testing.assert_array_equal(one.seen[np.argsort(one.places, kind="stable")], one.target)
