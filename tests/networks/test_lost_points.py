"""One lost wrist must not move the wrist of other frames, nor change the size of the person."""

import numpy as np
import pytest
import torch

from skrehab import VideoClassifier
from skrehab.networks import build
from skrehab.networks._layers import resample_frames, resample_seen
from skrehab.networks.graph._network import JointNorm
from skrehab.networks.pose_input import PoseInput
from skrehab.networks.sequence._heatmaps import compact
from skrehab.networks.sequence.motionbert import crop_scale
from skrehab.preprocessing.lost import complete_trials
from skrehab.training.batching import collate_trials

WRIST, LOST = 9, 12
SMALL = {"n_landmarks": 17, "n_outputs": 1}
TINY_BERT = {"dim_feat": 16, "depth": 1, "n_heads": 2, "dim_rep": 8, "hidden": 16}


def walk(n_coords=3):
    """A person of 60 to 260 pixels, 500 pixels off the corner, whose landmarks drift evenly."""
    rng = np.random.RandomState(0)
    at, speed = 500 + 200 * rng.uniform(size=(17, 2)), rng.uniform(1, 2, size=(17, 2))
    trial = np.ones((30, 17, n_coords), np.float32)
    trial[..., :2] = at + speed * np.arange(30)[:, None, None]
    return trial


def torn(mark, n_coords=3):
    trial = walk(n_coords)
    trial[LOST, WRIST] = mark
    return trial


MARKS = {
    "nan": (3, (np.nan, np.nan, 0)),
    "zero": (3, (0, 0, 0)),
    "no score": (2, (np.nan, np.nan)),
    "all nan": (3, (np.nan, np.nan, np.nan)),
}


def clips(name, trial, **params):
    network = build(name, **SMALL, n_coords=trial.shape[2], skeleton="coco17", **params)
    inputs = collate_trials(complete_trials([trial]))
    with torch.no_grad():
        return network.clips(**inputs)


@pytest.mark.parametrize("mark", list(MARKS))
@pytest.mark.parametrize("n_frames", [16, 30, 64])
def test_clips_do_not_move(mark, n_frames):
    n_coords, value = MARKS[mark]
    params = {"widths": (12, 24), "n_gcn_scales": 3, "n_g3d_scales": 2, "n_frames": n_frames}
    whole = clips("msg3d", walk(n_coords), **params)
    got = clips("msg3d", torn(value, n_coords), **params)
    # a step takes under 2 pixels a frame of the trial; nothing may be off by more
    assert (got[:, :2] - whole[:, :2]).abs().max() < 2 * max(1, 30 / n_frames)
    others = [joint for joint in range(17) if joint != WRIST]
    np.testing.assert_allclose(got[:, :, :, others], whole[:, :, :, others], rtol=1e-6)


@pytest.mark.parametrize("mark", list(MARKS))
def test_the_person_keeps_its_size(mark):
    n_coords, value = MARKS[mark]
    bert = {"n_frames": 24, **TINY_BERT}
    pairs = [
        clips("motionbert", trial, **bert) for trial in (walk(n_coords), torn(value, n_coords))
    ]
    whole, got = (crop_scale(pair, 1.0) for pair in pairs)
    np.testing.assert_allclose(got[:, :2], whole[:, :2], atol=0.02)

    film = {"base_channels": 4, "stage_blocks": (1, 1), "image_size": 16}
    places = []
    for trial in (walk(n_coords), torn(value, n_coords)):
        clip = clips("posec3d", trial, **film).permute(0, 3, 2, 4, 1)
        places.append(compact(clip[..., :2], clip[..., 2], 56))
    assert (places[0] - places[1]).abs().max() < 0.5


def test_what_was_not_seen_has_a_lower_score():
    got = clips(
        "posec3d", torn((np.nan, np.nan, 0)), base_channels=4, stage_blocks=(1,), n_frames=30
    )
    assert got[0, 2, LOST, WRIST, 0] == 0
    assert got[0, 2].sum() == 30 * 17 - 1


@pytest.mark.parametrize("learned", [1.0, -2.0])
def test_a_score_says_only_so_much(learned):
    """Scores that hardly varied in training: the first that is 0 was 300 deviations away."""
    norm = JointNorm(2 * 3, 3, has_score=True).eval()
    norm.running_mean.fill_(0.75)
    norm.running_var.fill_(1e-14)
    norm.weight.data.fill_(learned)
    norm.bias.data.fill_(0.5)
    x = torch.full((1, 6, 4), 0.75)
    x[0, 5, 2] = 0  # the second joint's score in one frame
    x[0, 0, 1] = 0  # a place is not bounded
    found = norm(x).detach()
    np.testing.assert_allclose(found[0, 5], [0.5, 0.5, 0.5 - 4 * learned, 0.5])
    np.testing.assert_allclose(found[0, 0, 1], 0.5 - 0.75 * learned / 1e-5**0.5, rtol=1e-4)
    np.testing.assert_allclose(found[0, 1:5], 0.5)
    plain = torch.nn.BatchNorm1d(6).eval()
    plain.load_state_dict(norm.state_dict())  # the very names of published files
    norm.has_score = False
    np.testing.assert_array_equal(norm(x).detach(), plain(x).detach())


@pytest.mark.parametrize("network", ["msg3d", "stgcn", "stgcnpp", "ctrgcn", "hdgcn"])
def test_networks_over_a_graph_know_which_is_the_score(network):
    for n_coords, has_score in ((2, False), (3, True)):
        built = build(network, **SMALL, n_coords=n_coords, skeleton="coco17")
        norms = [one for one in built.modules() if isinstance(one, JointNorm)]
        assert [one.has_score for one in norms] == [has_score]
    in_space = build(network, n_landmarks=25, n_coords=3, n_outputs=1, skeleton="ntu25")
    assert not any(one.has_score for one in in_space.modules() if isinstance(one, JointNorm))


def test_resampling_all_that_is_seen_is_plain_resampling():
    x = torch.randn(3, 40, 1, 5, 2)
    lengths = torch.tensor([40, 11, 25])
    seen = torch.ones(3, 40, 1, 5, 1, dtype=torch.bool)
    for n_frames in (12, 64):
        plain = resample_frames(x, lengths, n_frames)
        torch.testing.assert_close(resample_seen(x, seen, lengths, n_frames), plain)


def test_a_trial_without_any_score_is_resampled_as_it_is():
    x = torch.randn(1, 9, 1, 5, 2)
    none = torch.zeros(1, 9, 1, 5, 1, dtype=torch.bool)
    torch.testing.assert_close(resample_seen(x, none, None, 4), resample_frames(x, None, 4))


def test_scores_that_count_from_the_first_frame_hide_nothing():
    moved = walk() - walk()[:1]
    moved[5:, 3, 2] = -0.5  # a score that fell
    got = clips("stgcn", moved, widths=(8,), n_units=(1,), n_frames=30)
    np.testing.assert_allclose(got[0, ..., 0].permute(1, 2, 0), moved, atol=1e-4)


def test_a_displacement_of_zero_is_not_lost():
    x = torch.tensor([[0.0, 1.0], [0.0, 3.0]])[None, :, :, None].repeat(1, 1, 1, 3)
    scaled = PoseInput(2, 3)(x)
    np.testing.assert_allclose(scaled[0, :, :, 0], [[-1, -1 / 3], [-1, 1]], rtol=1e-6)
    x[0, 1, 1] = torch.nan
    np.testing.assert_allclose(PoseInput(2, 3)(x)[0, :, :, 0], [[-1, 1], [-1, 0]], rtol=1e-6)


@pytest.mark.parametrize("network", ["act", "lstm"])
def test_a_classifier_judges_a_torn_trial_like_the_whole_one(network):
    X = [walk() / 500, walk()[::-1] / 500] * 4
    model = VideoClassifier(network, max_epochs=3, random_state=0).fit(X, [0, 1] * 4)
    whole = model.decision_function(X[:1])
    gap = np.array(X[0])
    gap[LOST, WRIST] = np.nan
    np.testing.assert_allclose(model.decision_function([gap]), whole, atol=1e-4)
    found = model.saliency([gap], n_steps=3, return_maps=True)
    assert found.maps[0][LOST, WRIST] == 0 and found.maps[0][LOST - 1, WRIST] > 0
    # learning, too: a gap changes nothing where a straight line fills it
    again = VideoClassifier(network, max_epochs=3, random_state=0).fit([gap, *X[1:]], [0, 1] * 4)
    np.testing.assert_allclose(again.decision_function(X[:1]), whole, atol=1e-3)
