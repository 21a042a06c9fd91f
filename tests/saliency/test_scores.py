"""From attributions to frame scores: each step worked out by hand or computed again plainly."""

import numpy as np
import pytest
import torch

from skrehab.saliency import (
    AGGREGATIONS,
    frame_scores,
    highest_score,
    min_max,
    score_frames,
    smooth_frames,
)

# two frames, two landmarks, two coordinates
BY_HAND = np.array([[[1.0, -3.0], [0.5, 0.5]], [[0.0, 0.0], [2.0, -2.0]]])


@pytest.mark.parametrize(
    ("aggregate", "raw", "on_map"),
    [
        ("positive", [2, 2], [1, 1]),  # map 1, 1; 0, 2 -> 0.5, 0.5; 0, 1
        ("sum", [5, 4], [1.25, 1]),  # map 4, 1; 0, 4
        ("mean", [1.25, 1], [0.625, 0.5]),
        ("max", [3, 2], [1, 2 / 3]),  # map 3, 0.5; 0, 2
        ("signed", [-1, 0], [1, 4 / 3]),  # map -2, 1; 0, 0 -> 0, 1; 2/3, 2/3
    ],
)
def test_aggregation_by_hand(aggregate, raw, on_map):
    np.testing.assert_allclose(frame_scores(BY_HAND, aggregate), raw)
    np.testing.assert_allclose(score_frames(BY_HAND, aggregate=aggregate), on_map)
    unit = score_frames(BY_HAND, aggregate=aggregate, scale="frames")
    np.testing.assert_allclose(unit, min_max(np.array(raw, dtype=float)))


def test_every_aggregation_is_tried():
    marks = test_aggregation_by_hand.pytestmark[0].args[1]
    assert {row[0] for row in marks} == set(AGGREGATIONS)


def test_the_first_coordinate_alone():
    # positive: map 1, 0.5; 0, 2 -> 0.5, 0.25; 0, 1
    np.testing.assert_allclose(score_frames(BY_HAND, coords="first"), [0.75, 1])
    raw = score_frames(BY_HAND, coords="first", aggregate="signed", scale=None)
    np.testing.assert_allclose(raw, [1.5, 2])


@pytest.mark.parametrize(
    ("smooth", "expected"),
    [
        (0, [8, 0, 4, 4]),
        (1, [8, 0, 4, 4]),
        (2, [4, 4, 2, 4]),  # t - 1 and t, zero before the first
        (3, [8 / 3, 4, 8 / 3, 8 / 3]),
        (4, [2, 3, 4, 2]),  # t - 2 to t + 1
        (("zero_padded", 3), [8 / 3, 4, 8 / 3, 8 / 3]),
        (("centred", 3), [4, 4, 8 / 3, 4]),
        (("centred", 4), [4, 4, 4, 8 / 3]),
        (("causal", 3), [8, 4, 4, 8 / 3]),
        (["causal", 2], [8, 4, 2, 4]),
        (("zero_padded", 100), [0.16] * 4),
        (("causal", 100), [8, 4, 4, 4]),
    ],
)
def test_smoothing_by_hand(smooth, expected):
    values = np.array([8.0, 0, 4, 4])
    np.testing.assert_allclose(smooth_frames(values, smooth), expected)
    both = smooth_frames(np.stack([values, 2 * values], axis=1), smooth)  # every channel alone
    np.testing.assert_allclose(both, np.stack([expected, 2 * np.array(expected)], axis=1))


@pytest.mark.parametrize("n_frames", [1, 3, 8, 40])
@pytest.mark.parametrize("window", [2, 5, 8])
def test_zero_padded_smoothing_is_torch_s_average_pooling(window, n_frames):
    values = np.random.RandomState(0).rand(n_frames, 3, 2)
    channels = torch.from_numpy(values).reshape(n_frames, -1).T[None]
    expected = torch.nn.functional.avg_pool1d(channels, window, stride=1, padding=window // 2)
    expected = expected[0].T.reshape(-1, 3, 2)[:n_frames]  # an even window gives one more
    np.testing.assert_allclose(smooth_frames(values, window), expected, atol=1e-12)


def test_causal_smoothing_does_not_look_ahead():
    values = np.random.RandomState(0).rand(30, 2)
    whole = smooth_frames(values, ("causal", 8))
    np.testing.assert_array_equal(smooth_frames(values[:12], ("causal", 8)), whole[:12])


@pytest.mark.parametrize(
    "smooth", [-1, 2.5, True, "8", ("past", 8), ("causal",), ("causal", -1), ("causal", 2.0), None]
)
def test_smoothing_that_is_refused(smooth):
    with pytest.raises(ValueError, match="smooth must be a number of frames"):
        smooth_frames(np.zeros(3), smooth)


def test_the_sign_comes_before_the_smoothing():
    """Negative values are dropped first: they take nothing off their neighbours."""
    attribution = np.array([2.0, -2, 2, -2]).reshape(4, 1, 1)
    scores = score_frames(attribution, smooth=2, scale=None)
    np.testing.assert_allclose(scores, [1, 1, 1, 1])
    signed = score_frames(attribution, smooth=2, scale=None, aggregate="signed")
    np.testing.assert_allclose(signed, [1, 0, 0, 0])


def plain(attribution, window):
    """Steps 2 to 6 of the authors, written with loops."""
    n_frames, n_landmarks, n_coords = attribution.shape
    relu = [[[max(v, 0) for v in one] for one in frame] for frame in attribution.tolist()]
    landmarks = np.zeros((n_frames, n_landmarks))
    for t in range(n_frames):
        for j in range(n_landmarks):
            for c in range(n_coords):
                for s in range(t - window // 2, t - window // 2 + window):
                    landmarks[t, j] += relu[s][j][c] / window if 0 <= s < n_frames else 0
    low, high = landmarks.min(), landmarks.max()
    return [sum((v - low) / (high - low) for v in row) for row in landmarks]


def test_the_authors_recipe_computed_again():
    attribution = np.random.RandomState(0).randn(25, 33, 3).astype(np.float32)
    scores = score_frames(attribution, smooth=8)
    np.testing.assert_allclose(scores, plain(attribution, 8), rtol=1e-4)
    assert scores.max() > 1 and scores.dtype == np.float32 and scores.shape == (25,)


def test_z_scores_are_clipped():
    rng = np.random.RandomState(0)
    attribution = rng.rand(200, 3, 1)
    attribution[7, 1] = 1000.0  # without clipping all else is squeezed to zero
    squeezed = score_frames(attribution)
    clipped = score_frames(attribution, z_clip=3.0)
    landmarks = attribution[..., 0]
    z = np.clip((landmarks - landmarks.mean()) / landmarks.std(), -3, 3)
    np.testing.assert_allclose(clipped, ((z - z.min()) / (z.max() - z.min())).sum(axis=1))
    assert np.delete(clipped, 7).max() > 5 * np.delete(squeezed, 7).max()
    frames = score_frames(attribution, z_clip=3.0, scale="frames")
    assert frames.min() == 0 and frames.max() == 1
    assert score_frames(np.full((4, 2, 1), 0.1), z_clip=3.0).tolist() == [0] * 4


def test_min_max():
    np.testing.assert_allclose(min_max(np.array([-1.0, 3.0, 1.0])), [0, 1, 0.5])
    assert min_max(np.array([2.0, 2.0])).tolist() == [0, 0]  # nothing stands out
    assert min_max(np.array([7.0])).tolist() == [0]


@pytest.mark.parametrize("aggregate", AGGREGATIONS)
@pytest.mark.parametrize("scale", ["map", "frames"])
def test_scores_stay_in_their_range(aggregate, scale):
    attribution = np.random.RandomState(0).randn(30, 7, 3)
    attribution[3] = 100.0  # one frame with all landmarks at the top
    scores = score_frames(attribution, aggregate=aggregate, scale=scale)
    highest = highest_score(7, aggregate=aggregate, scale=scale)
    assert 0 <= scores.min() and scores.max() == pytest.approx(highest)
    for nothing in (0.0, -1.0):
        flat = score_frames(np.full((4, 2, 3), nothing), aggregate=aggregate, scale=scale)
        assert flat.tolist() == [0] * 4


@pytest.mark.parametrize("name", ["aggregate", "coords", "scale"])
def test_unknown_choices_are_refused(name):
    with pytest.raises(ValueError, match=rf"{name} must be one of .* got 'median'"):
        score_frames(BY_HAND, **{name: "median"})
