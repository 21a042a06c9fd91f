"""Fusion of tokens: MCTF against golden outputs and the paper's equations, and the simpler ways."""

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from small_networks import noise

from skrehab.networks.two_stream.mctf import FUSIONS, MCTF, build_fusion

every_fusion = pytest.mark.parametrize("name", FUSIONS)


def seeded(name, *args, **params):
    """Build a fusion whose weights do not change from run to run, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fusion = build_fusion(name, *args, **params).eval()
        for parameter in fusion.parameters():  # biases and scales that are not all alike
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    return fusion


def test_equals_the_released_code_in_its_layout():
    case = golden_case("mctf_768")
    network = MCTF(20, 768, official_layout=True)
    check_layout(network, case)
    fill(network)
    received, tokens = golden_input(10, (2, 20, 768)), golden_input(11, (2, 20, 768))
    with torch.no_grad():
        check_outputs(network(received, tokens).mean(dim=1), case)


def test_the_paper_has_as_many_parameters_but_mixes_no_axes():
    """Tokens change places in, tokens change places out; not so in the released layout."""
    with torch.device("meta"):
        assert sum(p.numel() for p in MCTF(20, 768).parameters()) == 10_126_848
    received, tokens = noise(2, 5, 8, seed=1), noise(2, 5, 8, seed=2)
    order = [3, 0, 4, 1, 2]
    for official in (False, True):
        torch.manual_seed(0)
        network = MCTF(5, 8, official_layout=official).eval()
        with torch.no_grad():
            moved = network(received[:, order], tokens[:, order])
            follows = torch.allclose(moved, network(received, tokens)[:, order], atol=1e-5)
        assert follows == (not official)


def test_the_papers_equations():
    """Eq. 5-11, term by term in double precision."""
    fusion = seeded("mctf", 3, 4)
    r, m = noise(1, 3, 4, seed=1), noise(1, 3, 4, seed=2)
    w = {k: v.detach().double().numpy() for k, v in fusion.named_parameters()}

    def norm(x, name):
        x = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)

    def attend(q, k, v):
        e = np.exp(q @ k.T / 2)  # the square root of four channels
        return e / e.sum(axis=1, keepdims=True) @ v

    def gelu(x):
        return torch.nn.functional.gelu(torch.from_numpy(x)).numpy()

    part = "attn_mixed_cls_tokens."
    one, two = r[0].double().numpy(), m[0].double().numpy()
    lr, lm = norm(one, "norm1_token1"), norm(two, "norm1_token2")
    qr, kr, vr = (linear(lr, f"{part}w{x}_t1") for x in "qkv")
    qm, km, vm = (linear(lm, f"{part}w{x}_t2") for x in "qkv")
    a_r = (
        linear(attend(qr, kr, vr), part + "proj_t1t1")
        + linear(attend(qr, km, vr), part + "proj_t1t2")
        + linear(attend(qm, kr, vr), part + "proj_t2t1")
    )
    a_m = (
        linear(attend(qm, km, vm), part + "proj_t2t2")
        + linear(attend(qr, km, vm), part + "proj_t1t2_2")
        + linear(attend(qm, kr, vm), part + "proj_t2t1_2")
    )
    hidden = np.maximum(linear(np.concatenate([a_r, a_m], axis=1), part + "proj.0"), 0)
    mean = (one + two) / 2
    fused = norm(mean + linear(hidden, part + "proj.2"), "norm2_pathway1")
    dense = linear(gelu(linear(fused, "mlp_pathway1.fc1")), "mlp_pathway1.fc2")
    with torch.no_grad():
        np.testing.assert_allclose(fusion(r, m)[0], mean + dense, rtol=1e-4, atol=1e-5)


@every_fusion
def test_one_interface(name):
    fusion = seeded(name, 5, 8)
    received, tokens = noise(2, 5, 8, seed=1), noise(2, 5, 8, seed=2)
    received.requires_grad_(True)
    tokens.requires_grad_(True)
    before = received.detach().clone(), tokens.detach().clone()
    fused = fusion(received, tokens)
    assert fused.shape == (2, 10 if name == "self_attention" else 5, 8)
    (fused.mean(dim=1) * noise(2, 8, seed=3)).sum().backward()
    for kind, copy in zip((received, tokens), before):
        assert torch.equal(kind.detach(), copy)
        assert (kind.grad.abs().sum(dim=2) > 0).all()
    assert all(p.grad is not None and p.grad.any() for p in fusion.parameters())
    with torch.no_grad():  # a trial is fused by itself
        torch.testing.assert_close(fusion(received[:1], tokens[:1]), fused[:1].detach())


def test_the_simple_ways():
    r, m = noise(2, 5, 8, seed=1), noise(2, 5, 8, seed=2)
    assert torch.equal(build_fusion("sum", 5, 8)(r, m), r + m)
    assert torch.equal(build_fusion("multiplication", 5, 8)(r, m), r * m)
    with torch.no_grad():
        # cross-attention: which received token comes first does not matter
        cross = seeded("cross_attention", 5, 8)
        torch.testing.assert_close(cross(r.flip(1), m), cross(r, m))
        assert not torch.allclose(cross(r.flip(2), m), cross(r, m), atol=1e-3)
        # self-attention: all ten are alike, except for their normalisation
        own = seeded("self_attention", 5, 8)
        torch.testing.assert_close(own(r.flip(1), m)[:, 5:], own(r, m)[:, 5:])


@pytest.mark.parametrize("name", ["mctf", "self_attention", "cross_attention"])
def test_drop_path_leaves_the_dense_layers_out_for_whole_trials(name):
    fusion = seeded(name, 5, 8, drop_path=0.5).train()
    torch.manual_seed(0)
    r, m = noise(1, 5, 8, seed=1).expand(64, -1, -1), noise(1, 5, 8, seed=2).expand(64, -1, -1)
    with torch.no_grad():
        outcomes = {tuple(row.round(decimals=4).ravel().tolist()) for row in fusion(r, m)}
    assert len(outcomes) == 2


def test_unknown_fusion():
    with pytest.raises(ValueError, match=r"fusion must be one of .*'mctf'.*got 'concat'"):
        build_fusion("concat", 5, 8)
