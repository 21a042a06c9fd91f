"""Attention maps of MotionBERT: the weights that its own layers use."""

import pytest
import torch
from small_networks import noise, seeded

from skrehab.networks.sequence.motionbert import MotionBERT
from skrehab.networks.sequence.recurrent import LSTM
from skrehab.saliency import joint_attention

TINY = {"dim_feat": 16, "mlp_ratio": 2, "depth": 1, "n_heads": 2, "dim_rep": 8, "hidden": 16}


def tiny(**params):
    return seeded(MotionBERT, 17, 3, 2, n_frames=10, **(TINY | params))


@pytest.mark.parametrize(("over", "dim"), [("joints", 2), ("frames", 1)])
def test_weights_sum_to_one(over, dim):
    found = joint_attention(tiny(), noise(2, 23, 17, 3), torch.tensor([23, 9]), over=over)
    assert found.shape == (2, 10, 17) and (found > 0).all()
    torch.testing.assert_close(found.sum(dim=dim), torch.ones(2, 17 if over == "frames" else 10))


@pytest.mark.parametrize("over", ["joints", "frames"])
def test_a_key_that_draws_all_attention_gets_it(over):
    """One joint, or frame, whose key fits every query a thousand times better than the others."""
    network = tiny()
    layer = "attn_s" if over == "joints" else "attn_t"
    with torch.no_grad():
        for block in (*network.backbone.blocks_st, *network.backbone.blocks_ts):
            getattr(block, f"norm1_{layer[-1]}").register_forward_hook(lambda m, i, o: i[0])
            qkv = getattr(block, layer).qkv
            qkv.weight.zero_()
            qkv.bias[:16] = 1.0  # every query is one
            qkv.weight[16:32, 0] = 100.0  # keys grow with the first feature
        network.backbone.joints_embed.weight.zero_()
        network.backbone.pos_embed.zero_()
        network.backbone.temp_embed.zero_()
        if over == "joints":
            network.backbone.pos_embed[0, 5, 0] = 10.0
        else:
            network.backbone.temp_embed[0, 3, 0, 0] = 10.0
        for block in (*network.backbone.blocks_st, *network.backbone.blocks_ts):
            for other in (block.mlp_s.fc2, block.mlp_t.fc2, block.attn_s.proj, block.attn_t.proj):
                other.weight.zero_()
                other.bias.zero_()
    found = joint_attention(network, noise(1, 10, 17, 3), over=over)
    strongest = found[:, :, 5] if over == "joints" else found[:, 3]
    torch.testing.assert_close(strongest, torch.ones_like(strongest))


def test_other_networks_and_axes_are_refused():
    with pytest.raises(ValueError, match="LSTM has no attention over joints; MotionBERT has"):
        joint_attention(LSTM(17, 3, 1), noise(1, 9, 17, 3))
    with pytest.raises(ValueError, match="over must be 'joints' or 'frames', got 'time'"):
        joint_attention(tiny(), noise(1, 9, 17, 3), over="time")
