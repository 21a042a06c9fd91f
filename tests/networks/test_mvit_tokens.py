"""MViTv2 with several tokens: torchvision's network with one, and what tokens do."""

import copy
import importlib.util

import numpy as np
import pytest
import torch
from small_networks import count, noise, seeded
from torch import nn

from skrehab.networks.rgb.torchvision_video import MViT
from skrehab.networks.two_stream._tokens import row_drop
from skrehab.networks.two_stream.mvit_tokens import MViTTokens

RGB = {"widths": (8, 16, 32), "depths": (1, 2, 1), "n_frames": 4, "image_size": 64}


def need_torchvision():
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")


def with_torchvision_weights(n_tokens=1, **params):
    """Build torchvision's network with weights that nothing is lost in, and ours like it."""
    need_torchvision()
    theirs = seeded(MViT, 5, **params)
    torch.manual_seed(1)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    return theirs, seeded(MViTTokens, 5, n_tokens=n_tokens, **params)


@pytest.mark.parametrize(
    "params", [RGB, {**RGB, "widths": (8,), "depths": (2,)}, {**RGB, "n_frames": 6}]
)
def test_one_token_is_torchvisions_network(params):
    theirs, ours = with_torchvision_weights(**params)
    state = theirs.state_dict()
    state["pos_encoding.class_token"] = state["pos_encoding.class_token"][None]
    ours.load_state_dict(state, strict=True)
    x = noise(2, 3, params["n_frames"], 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_full_size_has_torchvisions_layout_and_the_papers_size():
    need_torchvision()
    with torch.device("meta"):
        theirs, ours = MViT(20), MViTTokens(20, n_tokens=1)
        assert count(ours) == count(theirs) == 34_245_524
        assert count(MViTTokens(None, n_tokens=1)) == 34_230_144
        assert count(MViTTokens(None, n_tokens=20)) == 34_230_144 + 19 * 96
        assert count(MViTTokens(None, n_tokens=20, n_distill_tokens=20)) == 34_233_888
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    shapes["pos_encoding.class_token"] = (1, 96)
    assert shapes == {key: tuple(value.shape) for key, value in ours.state_dict().items()}
    assert ours.reductions == (1, 3, 14)
    assert ours.block_widths == (96,) + (192,) * 2 + (384,) * 11 + (768,) * 2
    rates = [block.rate for block in ours.blocks]
    np.testing.assert_allclose(rates, np.linspace(0, 0.2, 16), atol=1e-9)


def test_published_weights_for_several_tokens():
    theirs, ours = with_torchvision_weights(n_tokens=3, **RGB)
    drawn = copy.deepcopy(ours.state_dict())
    state = theirs.state_dict()
    report = ours.load_torchvision(state)
    assert sorted(report.reinitialised) == ["head.1.bias", "head.1.weight"] and not report.unused
    tokens, one = ours.pos_encoding.class_token, state["pos_encoding.class_token"]
    torch.testing.assert_close(tokens.data, one + drawn["pos_encoding.class_token"])
    assert (tokens[0] != tokens[1]).any()
    assert torch.equal(ours.blocks[2].attn.rel_pos_t, state["blocks.2.attn.rel_pos_t"])
    # one token is taken as it is
    single = seeded(MViTTokens, 5, n_tokens=1, n_distill_tokens=2, **RGB)
    assert "pos_encoding.distill_token" in single.load_torchvision(state).reinitialised
    assert torch.equal(single.pos_encoding.class_token[0], one)


def test_tokens_are_followed_from_block_to_block():
    network = seeded(MViTTokens, None, n_tokens=3, n_distill_tokens=2, **RGB)
    x = noise(2, 3, 4, 64, 64)
    sizes = []
    hooks = [
        b.register_forward_hook(lambda *a: sizes.append((a[1][0].shape[1], a[2][1])))
        for b in network.blocks
    ]
    with torch.no_grad():
        trace = network.tokens(x, distill=True)
    for hook in hooks:
        hook.remove()
    shapes = [tuple(t.shape) for pair in trace.steps for t in pair]
    assert shapes == [(2, n, w) for w in (8, 16, 16, 32) for n in (3, 2)]
    assert trace.classification.shape == (2, 3, 32) and trace.distillation.shape == (2, 2, 32)
    torch.testing.assert_close(network.norm(trace.steps[-1][0]), trace.classification)
    # 2 x 16 x 16 patches, halved after those blocks that are called reductions
    assert [grid for _, grid in sizes] == [(2, 16, 16), (2, 8, 8), (2, 8, 8), (2, 4, 4)]
    assert sizes[0][0] == 5 + 2 * 16 * 16 and network.reductions == (1, 3)
    with torch.no_grad():
        alone = network.tokens(x)
    assert alone.distillation is None and alone.steps[0][1] is None


def test_tokens_have_no_position():
    """Tokens that change places go in and come out otherwise the same, each kind by itself."""
    network = seeded(MViTTokens, None, n_tokens=3, n_distill_tokens=2, **RGB)
    x = noise(2, 3, 4, 64, 64)
    with torch.no_grad():
        before = network.tokens(x, distill=True)
        network.pos_encoding.class_token.copy_(network.pos_encoding.class_token[[2, 0, 1]])
        after = network.tokens(x, distill=True)
    torch.testing.assert_close(after.classification, before.classification[:, [2, 0, 1]])
    torch.testing.assert_close(after.distillation, before.distillation)
    assert (before.classification[:, 0] - before.classification[:, 1]).abs().max() > 1e-3


def test_attention_of_tokens_to_places():
    network = seeded(MViTTokens, None, n_tokens=3, n_distill_tokens=2, **RGB)
    x = noise(2, 3, 4, 64, 64)
    block, seen = network.blocks[-1], []
    hook = block.attn.register_forward_hook(lambda *a: seen.append((a[1], a[2][0])))
    with torch.no_grad():
        trace = network.tokens(x, distill=True)
        maps = network.attention_map(x, distill=True)
        hook.remove()
        (y, grid), attended = seen[0]
        weights, _ = block.attn.weights(y, grid)
        v = block.attn.qkv(y)[..., 64:].unflatten(2, (4, 8)).transpose(1, 2)
        v, _ = block.attn.pool_v(v, grid)  # (batch, heads, tokens + patches, 8)
        tokens = block.attn.project((weights @ v).transpose(1, 2).flatten(2))[:, :5]
    torch.testing.assert_close(tokens, attended[:, :5], rtol=1e-4, atol=1e-5)
    assert maps.shape == (2, 3, 2, 8, 8) and trace.classification.shape[1] == 3
    expected = weights.mean(dim=1)[:, 2:5, 5:].reshape(2, 3, 2, 8, 8)
    torch.testing.assert_close(maps, expected)
    assert (maps.sum(dim=(2, 3, 4)) < 1).all()


def test_impossible_clips_are_refused():
    with pytest.raises(ValueError, match=r"image_size must be a multiple of 16 .* got 40 and 4"):
        MViTTokens(2, **(RGB | {"image_size": 40}))
    with pytest.raises(ValueError, match=r"widths and depths must be of one length"):
        MViTTokens(2, **(RGB | {"depths": (1, 1)}))
    network = MViTTokens(2, **RGB)
    with pytest.raises(ValueError, match=r"each of shape \(3, 4, 64, 64\); got .*32, 32"):
        network(noise(1, 3, 4, 32, 32))
    with pytest.raises(ValueError, match="without distillation tokens"):
        network.tokens(noise(1, 3, 4, 64, 64), distill=True)


def test_dropped_branches_keep_their_mean():
    torch.manual_seed(0)
    x = torch.ones(4000, 2, 3)
    dropped = row_drop(x, 0.25, training=True)
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (dropped.flatten(1).std(dim=1) == 0).all() and abs(dropped.mean() - 1) < 0.05
    assert row_drop(x, 0.25, training=False) is x
