"""AcT with every frame a token: against trials alone, without padding or mask."""

import numpy as np
import pytest
import torch
from instances import tiny_trials, tiny_video

import skrehab
from skrehab import networks
from skrehab.networks.sequence.act import ActionTransformer
from skrehab.networks.weights import load_weights


def network(**params):
    torch.manual_seed(0)
    return ActionTransformer(4, 3, 2, n_frames="all", **params).eval()


def trial(n, seed=0):
    return torch.from_numpy(np.random.RandomState(seed).randn(1, n, 4, 3).astype(np.float32))


def test_padding_is_masked():
    """A trial in a padded batch gives what it gives alone, whatever lies in the padding."""
    module = network(max_frames=40)
    trials = [trial(n, seed=n) for n in (40, 7, 1, 23)]
    batch = torch.full((4, 40, 4, 3), 5.0)
    for row, one in zip(batch, trials):
        row[: one.shape[1]] = one[0]
    with torch.no_grad():
        together = module(batch, torch.tensor([40, 7, 1, 23]))
        alone = torch.cat([module(one) for one in trials])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    x = batch.clone().requires_grad_()
    module(x, torch.tensor([40, 7, 1, 23])).sum().backward()
    for row, n in zip(x.grad, (40, 7, 1, 23)):
        assert (row[:n].flatten(1) != 0).any(dim=1).all() and (row[n:] == 0).all()


def test_with_as_many_frames_as_the_table_it_is_the_network_of_a_fixed_number():
    fixed = ActionTransformer(4, 3, 2, n_frames=30).eval()
    every = network(max_frames=30)
    every.load_state_dict(fixed.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(every(trial(30)), fixed(trial(30)), rtol=1e-4, atol=1e-5)
        assert (every(trial(15)) - fixed(trial(15))).abs().max() > 1e-3  # 15 tokens, not 30


def test_longer_trials_are_resampled_to_the_table():
    module = network(max_frames=20)
    long, short = trial(40), trial(12, seed=1)
    halved = long.reshape(1, 20, 2, 4, 3).mean(dim=2)  # each two frames are one
    batch = torch.zeros(2, 40, 4, 3)
    batch[0], batch[1, :12] = long[0], short[0]
    with torch.no_grad():
        found = module(batch, torch.tensor([40, 12]))
        torch.testing.assert_close(found[:1], module(halved), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found[1:], module(short), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(module(long), module(halved), rtol=1e-4, atol=1e-5)


def test_the_size_of_the_paper():
    module = ActionTransformer(33, 3, 1, size="large", n_frames="all", max_frames=100)
    layer = module.encoder[0]
    assert module.proj.out_features == 256 and len(module.encoder) == 6
    assert layer.mha.n_heads == 4 and layer.ffn[0].out_features == 1024
    assert module.head.fc1.out_features == 512 and module.pos_embed.num_embeddings == 101


def test_the_table_is_as_long_as_the_longest_training_trial(tmp_path):
    data = tiny_trials()
    model = tiny_video(network="act", network_params={"n_frames": "all"}).fit(data.X, data.y)
    longest = max(len(one) for one in data.X)
    assert model.max_frames_ == longest == model.module_.max_frames
    longer = [np.concatenate([one, one, one]) for one in data.X[:3]]
    expected = model.predict_proba(longer)
    again = skrehab.load(skrehab.save(model, tmp_path / "m"))
    np.testing.assert_allclose(again.predict_proba(longer), expected, rtol=1e-5)
    given = tiny_video(network="act", network_params={"n_frames": "all", "max_frames": 99})
    assert given.fit(data.X, data.y).module_.max_frames == 99
    assert len(model.saliency(longer, n_steps=3)[0]) == len(longer[0])


def test_published_weights_load_apart_from_the_table_and_the_ends():
    micro = networks.build("act", n_landmarks=13, n_coords=4, n_outputs=20)
    module = network(max_frames=77)
    state = micro.state_dict()
    report = load_weights(module, state, head="new", ends=networks.get_spec("act").ends)
    new = {"proj.weight", "pos_embed.weight", "head.fc1.weight", "head.fc1.bias"}
    new |= {"head.fc2.weight", "head.fc2.bias"}
    assert new - {"proj.bias"} <= set(report.reinitialised)
    assert {k for k in state if k.startswith("encoder.")} <= set(report.loaded)
    assert torch.equal(module.class_token, micro.class_token)


def test_what_is_refused():
    with pytest.raises(ValueError, match="n_frames must be a number or 'all', got 'each'"):
        ActionTransformer(4, 3, 1, n_frames="each")
    for params in ({"max_frames": 9}, {"n_frames": "all", "max_frames": 0}):
        with pytest.raises(ValueError, match="max_frames is a number of frames above 0"):
            ActionTransformer(4, 3, 1, **params)
