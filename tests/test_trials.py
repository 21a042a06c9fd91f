"""The container: shapes, labels, weights and groups; every error names the trial."""

import numpy as np
import pytest
import torch
from sklearn.utils import get_tags

from skrehab import DisplacementSmoother, FrameMLP
from skrehab.trials import (
    UNLABELLED,
    check_frame_labels,
    check_frame_weights,
    check_groups,
    check_trial_labels,
    check_trials,
    labelled,
    ragged,
)

TRIALS = [np.zeros((4, 5, 3)), np.ones((6, 5, 3))]


# --- ragged ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("items", [[[1, 2], [3, 4]], [[1], [2, 3]], [], [[[1, 2]], [[3, 4]]]])
def test_ragged_is_always_one_dimensional(items):
    out = ragged(items)
    assert out.shape == (len(items),) and out.dtype == object
    for one, item in zip(out, items):
        np.testing.assert_array_equal(one, item)


def test_ragged_takes_generators_and_keeps_arrays():
    arrays = [np.arange(3), np.arange(2)]
    out = ragged(a for a in arrays)
    assert out[0] is arrays[0] and out[1] is arrays[1]
    assert out[[1, 0]][0] is arrays[1]  # scikit-learn indexes it like any y


# --- trials ---------------------------------------------------------------------------------------
def test_trials_become_float32_and_are_not_copied_needlessly():
    already = np.zeros((4, 5, 3), dtype=np.float32)
    first, second = check_trials([already, TRIALS[1].astype(np.int8)])
    assert first is already
    assert second.dtype == np.float32 and (second == 1).all()


def test_masked_numbers_are_lost_landmarks():
    masked = np.ma.masked_greater(np.arange(60).reshape(4, 5, 3), 50)
    trial = check_trials([masked])[0]
    assert type(trial) is np.ndarray and trial.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(trial), masked.mask)


@pytest.mark.parametrize(
    ("dtype", "what"), [("M8[D]", "dates"), ("m8[s]", "durations"), ([("x", float)], "records")]
)
def test_what_only_numpy_takes_for_numbers(dtype, what):
    with pytest.raises(
        ValueError, match=rf"X\[1\] cannot be read as an array of numbers: it holds {what}"
    ):
        check_trials([TRIALS[0], np.zeros((4, 5, 3), dtype=dtype)])


@pytest.mark.parametrize(
    "container",
    [list, tuple, ragged, lambda trials: [trial.tolist() for trial in trials]],
    ids=["list", "tuple", "object array", "nested lists"],
)
def test_containers(container):
    for out, trial in zip(check_trials(container(TRIALS)), TRIALS, strict=True):
        np.testing.assert_array_equal(out, trial)


def test_one_array_of_equal_trials_and_torch_tensors():
    stacked = check_trials(np.zeros((3, 4, 5, 3)))
    assert isinstance(stacked, list) and len(stacked) == 3
    tensor = torch.ones(4, 5, 3, requires_grad=True)
    np.testing.assert_array_equal(check_trials([tensor])[0], np.ones((4, 5, 3)))


def test_nan_is_a_lost_landmark():
    trial = np.full((4, 5, 3), np.nan)
    assert np.isnan(check_trials([trial])[0]).all()


@pytest.mark.parametrize("thing", ["walk.mp4", b"bytes", {"pose": TRIALS}, iter(TRIALS), None, 3])
def test_not_a_list_of_trials(thing):
    with pytest.raises(TypeError, match=rf"list of trials.*got {type(thing).__name__}"):
        check_trials(thing)


def test_a_matrix_is_not_a_list_of_trials():
    with pytest.raises(ValueError, match=r"got one array of shape \(4, 5\)\.$"):
        check_trials(np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"shape \(4, 5, 3\)\. For a single trial pass \[trial\]"):
        check_trials(np.zeros((4, 5, 3)))


def test_expected_shape_says_where_it_comes_from():
    with pytest.raises(ValueError, match=r"walks\[1\] must have 5 landmarks .*like walks\[0\]"):
        check_trials([TRIALS[0], np.zeros((4, 6, 3))], name="walks")
    with pytest.raises(ValueError, match=r"X\[0\] must have 33 landmarks .*as seen in fit"):
        check_trials(TRIALS, n_landmarks=33, n_coords=3)
    with pytest.raises(ValueError, match=r"X\[0\] must have 5 landmarks and 2 coord"):
        check_trials(TRIALS, n_landmarks=5, n_coords=2)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused(value):
    trial = TRIALS[1].copy()
    trial[3, 2, 1] = value
    with pytest.raises(ValueError, match=r"X\[1\] holds infinite values. Mark lost landmarks"):
        check_trials([TRIALS[0], trial])


@pytest.mark.parametrize("item", ["a.mp4", {"rgb": 1}, [[1], [1, 2]], np.zeros((2, 5, 3)) + 1j])
def test_not_numbers(item):
    with pytest.raises(ValueError, match=r"X\[1\] cannot be read as an array of numbers"):
        check_trials([TRIALS[0], item])


# --- trial labels ---------------------------------------------------------------------------------
@pytest.mark.parametrize("y", [[0, 1], ["a", "b"], (True, False), np.array([0.5, 2.5])])
def test_trial_labels(y):
    np.testing.assert_array_equal(check_trial_labels(y, TRIALS), y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "one label per trial"),
        ([1], "2 trials, 1 labels"),
        ([1, [0, 1]], r"y\[1\] has shape \(2,\)"),
        ([1.0, np.nan], r"y\[1\] is nan: every trial needs a label"),
        (np.array([np.inf, 1]), r"y\[0\] is inf"),
        (["lean", None], r"y\[1\] is None: every trial needs a label"),
    ],
)
def test_bad_trial_labels(y, message):
    with pytest.raises(ValueError, match=message):
        check_trial_labels(y, TRIALS)


# --- frame labels ---------------------------------------------------------------------------------
def test_frame_labels():
    y = check_frame_labels([[0, 1, 0, -1], np.zeros(6)], TRIALS)
    assert y.shape == (2,) and y.dtype == object
    assert y[1].dtype.kind == "i"  # whole floats are labels
    assert labelled(y[0]).tolist() == [True, True, True, False]


def test_equal_length_frame_labels_stay_one_array_a_trial():
    y = check_frame_labels(np.zeros((2, 4), dtype=int), [np.zeros((4, 5, 3))] * 2)
    assert y.shape == (2,) and y[0].shape == (4,)


def test_minus_one_among_words_is_no_word():
    """numpy reads such a list as text, and makes a class called "-1" of what is not labelled."""
    y = check_frame_labels([["normal", "lean", -1, -1], ("lean",) * 6], TRIALS)
    assert y[0].tolist() == ["normal", "lean", -1, -1]
    assert labelled(y[0]).tolist() == [True, True, False, False]
    assert y[1].dtype.kind == "U"
    model = FrameMLP((4,), max_epochs=1, random_state=0).fit(
        [np.nan_to_num(trial) for trial in TRIALS], y
    )
    assert model.classes_.tolist() == ["lean", "normal"]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "Frame labels are needed"),
        ([[0] * 4], "2 trials, 1 given"),
        ([[0] * 4, 1], r"y\[1\] must have shape \(6,\), got \(\). .*put a pseudo-labeler"),
        ([[0] * 4, [0] * 5], r"y\[1\] must have shape \(6,\), got \(5,\)"),
        ([[0] * 4, [[0]] * 6], r"y\[1\] must have shape \(6,\), got \(6, 1\)"),
        ([[0.5] * 4, [0] * 6], r"y\[0\] must hold whole numbers"),
        ([[np.nan] * 4, [0] * 6], r"y\[0\] must hold whole numbers"),
        ([["a"] * 4, np.array(["a", -1] * 3)], r"y\[1\] holds the text '-1'.*the number -1"),
        ([["a"] * 4, ["a", "-1"] * 3], r"y\[1\] holds the text '-1'"),
        ([["a"] * 4, np.array([b"a", b"-1"] * 3)], r"y\[1\] holds the text '-1'"),
        ([["a"] * 4, np.array(["a", "-1"] * 3, dtype=object)], r"y\[1\] holds the text '-1'"),
        ([["a", 1, -1, "b"], [0] * 6], r"y\[0\] mixes words such as 'a' with 1\."),
        ([["a", np.nan, -1, "b"], [0] * 6], r"y\[0\] mixes words such as 'a' with nan"),
    ],
)
def test_bad_frame_labels(y, message):
    with pytest.raises(ValueError, match=message):
        check_frame_labels(y, TRIALS)


def test_labelled_reads_text_and_mixed_labels():
    assert labelled(np.array(["lean", "-1"])).all()  # text is never "not labelled"
    mixed = np.array(["lean", UNLABELLED, "none"], dtype=object)
    assert labelled(mixed).tolist() == [True, False, True]
    assert labelled([0, -1]).tolist() == [True, False]


# --- weights and groups ---------------------------------------------------------------------------
def test_weights_are_spread_over_frames():
    assert check_frame_weights(None, TRIALS) is None
    spread = check_frame_weights([2, np.arange(6)], TRIALS)
    np.testing.assert_array_equal(spread[0], [2.0] * 4)
    np.testing.assert_array_equal(spread[1], np.arange(6))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1], "1 entries for 2 trials"),
        ([1, -1], r"sample_weight\[1\] must be one finite weight >= 0, or 6"),
        ([1, np.nan], r"sample_weight\[1\]"),
        ([np.inf, 1], r"sample_weight\[0\]"),
        ([[1] * 3, 1], r"sample_weight\[0\] must be one finite weight >= 0, or 4"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        check_frame_weights(weights, TRIALS)


def test_groups():
    assert check_groups(None, TRIALS) is None
    assert check_groups(("P1", "P2"), TRIALS).tolist() == ["P1", "P2"]
    for groups in (["P1"], [["P1"], ["P2"]], "P1"):
        with pytest.raises(ValueError, match="one patient per trial: 2 trials"):
            check_groups(groups, TRIALS)


def test_tags_say_that_nan_and_three_axes_are_fine():
    tags = get_tags(DisplacementSmoother())
    assert tags.input_tags.allow_nan
    assert tags.input_tags.three_d_array and not tags.input_tags.two_d_array
