"""Lost points are filled from what was seen of the person, before a network mixes points."""

import numpy as np
import pytest

from skrehab.preprocessing import conversion
from skrehab.preprocessing.lost import complete_poses, complete_trials, seen_points
from skrehab.preprocessing.skeleton_conversion import convert
from skrehab.training.modalities import collate_modalities, normalize_pose

NAN = np.nan


def column(*values):
    return np.array(values, dtype=np.float32).reshape(-1, 1, 1)


def test_a_gap_is_a_straight_line_and_ends_are_held():
    got = complete_poses(column(NAN, 2, NAN, NAN, 8, NAN)).ravel()
    np.testing.assert_allclose(got, [2, 2, 4, 6, 8, 8])


def test_a_whole_trial_is_not_copied_and_one_with_gaps_not_changed():
    whole, torn = np.zeros((4, 2, 3), np.float32), column(1, NAN, 3)
    assert complete_poses(whole) is whole
    complete_poses(torn)
    assert np.isnan(torn[1])


def test_a_zero_is_a_number():
    np.testing.assert_array_equal(complete_poses(column(0, 5, 0)), column(0, 5, 0))
    assert seen_points(np.zeros((2, 3, 3))).all()


def test_the_visibility_of_what_was_filled_is_zero():
    trial = np.ones((3, 2, 4), np.float32)
    trial[1, 0, :3] = NAN
    trial[2, 1] = 0  # how programs write "not found"
    got = complete_poses(trial)
    np.testing.assert_array_equal(got[..., 3], [[1, 1], [0, 1], [1, 0]])
    np.testing.assert_array_equal(got[..., :3], 1)


def test_what_is_never_seen_stands_in_the_middle_of_its_own_person():
    trial = np.zeros((2, 4, 2), np.float32)
    trial[:, 0], trial[:, 1], trial[:, 2], trial[:, 3] = NAN, 4, 10, NAN
    got = complete_poses(trial, n_persons=2)
    np.testing.assert_array_equal(got[:, :, 0], [[4, 4, 10, 10]] * 2)
    kept = complete_poses(trial, never="keep")
    assert np.isnan(kept[:, [0, 3]]).all()


def test_a_person_who_is_never_there_is_zeros():
    trial = np.full((2, 4, 2), NAN, np.float32)
    trial[:, :2] = 3
    np.testing.assert_array_equal(complete_poses(trial, n_persons=2)[:, 2:], 0)
    assert not complete_trials([np.full((2, 3, 3), NAN)])[0].any()


def test_converted_a_lost_place_has_score_zero():
    trial = np.ones((1, 17, 3))
    trial[0, 9] = NAN, NAN, 0  # the left wrist
    got = convert(trial, "coco17", "h36m17")
    lost = conversion("coco17", "h36m17").weights[:, 9] != 0
    assert np.isnan(got[0, lost, :2]).all()
    np.testing.assert_array_equal(got[0, :, 2], np.where(lost, 0, 1))


def test_a_point_of_score_zero_does_not_shrink_the_person():
    trial = np.ones((30, 17, 3), np.float32)
    trial[..., :2] = 500 + 100 * np.random.RandomState(0).uniform(size=(30, 17, 2))
    torn = trial.copy()
    torn[7, 9] = 0  # (0, 0) with score 0
    spread = np.ptp(normalize_pose(trial, 2)[..., :2], axis=(0, 1)).max()
    np.testing.assert_allclose(
        np.ptp(normalize_pose(torn, 2)[8:, :, :2], axis=(0, 1)).max(), 2, 0.1
    )
    assert spread == pytest.approx(2)
    torn[7, 9] = NAN, NAN, 0
    batch = collate_modalities([{"rgb": None, "pose": torn}], n_dims=2)
    before, now, after = batch["pose"][0, 6:9, 9, :2].numpy()
    np.testing.assert_allclose(now, (before + after) / 2, atol=1e-5)
