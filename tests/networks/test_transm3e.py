"""TransM3E: its graph network with tokens, what distillation teaches whom, and the whole."""

import pickle

import pytest
import torch
from small_networks import count, noise, seeded
from torch import nn

from skrehab.networks.graph.hdgcn import HDGCN
from skrehab.networks.two_stream.distillation import (
    TokenDistillation,
    distillation_pairs,
    token_divergence,
)
from skrehab.networks.two_stream.hdgcn_tokens import HDGCNTokens
from skrehab.networks.two_stream.mctf import FUSIONS
from skrehab.networks.two_stream.transm3e import TransM3E

POSE = {"widths": (8, 16), "n_units": (1, 1), "n_levels": 1, "n_frames": 16}
BOTH = {"size": "tiny", "widths": (8, 16), "depths": (1, 1), "n_frames": 4, "image_size": 32}
BOTH |= {"pose_widths": (8, 12), "pose_frames": 16}


def tiny(**params):
    return seeded(TransM3E, 4, **(BOTH | params))


def inputs(n=3, seed=0):
    return noise(n, 3, 4, 32, 32, seed=seed), noise(n, 20, 17, 3, seed=seed + 1)


def touched(module):
    """Say whether any gradient other than zero came to a module."""
    return any(p.grad is not None and p.grad.any() for p in module.parameters())


# --- HD-GCN with tokens ---------------------------------------------------------------------------
def test_without_tokens_it_is_hdgcn():
    assert count(HDGCNTokens(17, 3, 20, n_tokens=0, n_levels=1)) == 839_832
    plain, ours = seeded(HDGCN, 17, 3, 4, **POSE), seeded(HDGCNTokens, 17, 3, 4, n_tokens=0, **POSE)
    ours.load_state_dict(plain.state_dict(), strict=True)
    x = noise(2, 30, 17, 3)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), plain(x))


def test_mixer_is_equations_2_and_3():
    network = seeded(HDGCNTokens, 17, 3, 4, n_tokens=5, n_distill_tokens=2, **POSE)
    mixer = network.mixers[1]
    nn.init.normal_(mixer.project.weight)
    nn.init.normal_(mixer.project.bias)
    x, tokens, sent = noise(2, 16, 8, 17), noise(2, 5, 8, seed=1), noise(2, 2, 8, seed=2)
    with torch.no_grad():
        nodes, new, new_sent = mixer(x, tokens, sent)
        project = mixer.project
        for joint in (0, 9):
            z = project(x[:, :, :, joint].transpose(1, 2))  # (batch, frames, width)
            torch.testing.assert_close(nodes[:, :, :, joint].transpose(1, 2), z)
        flat = nodes.flatten(2)  # (batch, width, frames * joints)
        for old, out, merge in ((tokens, new, mixer.merge), (sent, new_sent, mixer.merge_distill)):
            told = torch.einsum("bcn,kn->bkc", flat, merge.weight) + merge.bias[:, None]
            torch.testing.assert_close(out, project(mixer.widen(old)) + told, rtol=1e-4, atol=1e-5)


def test_tokens_of_the_skeleton_network():
    network = seeded(
        HDGCNTokens, 17, 3, None, n_tokens=5, n_distill_tokens=2, n_levels=1, n_frames=15,
        widths=(8, 12, 16), n_units=(2, 1, 1),
    )  # fmt: skip
    trace = network.tokens(noise(3, 30, 17, 3), torch.tensor([30, 1, 12]), distill=True)
    shapes = [tuple(t.shape) for pair in trace.steps for t in pair]
    assert shapes == [(3, n, w) for w in (8, 8, 12, 16) for n in (5, 2)]
    assert network.stage_ends == (1, 2, 3)
    assert trace.classification is trace.steps[-1][0] and trace.distillation is trace.steps[-1][1]
    with pytest.raises(ValueError, match="without classification tokens"):
        HDGCNTokens(17, 3, 4, n_tokens=0, **POSE).tokens(noise(1, 5, 17, 3))
    with pytest.raises(ValueError, match="without distillation tokens"):
        HDGCNTokens(17, 3, 4, n_tokens=2, **POSE).tokens(noise(1, 5, 17, 3), distill=True)


@pytest.mark.parametrize("merge_distill", [True, False])
def test_what_the_skeleton_network_has_to_tell(merge_distill):
    """As printed, Eq. 3 leaves distillation tokens that are the same for every trial."""
    tokens = {"n_tokens": 5, "n_distill_tokens": 2, "merge_distill": merge_distill}
    network = seeded(HDGCNTokens, 17, 3, 4, **tokens, **POSE)
    with torch.no_grad():
        trace = network.tokens(noise(2, 30, 17, 3), distill=True)
    one, two = trace.distillation
    assert torch.equal(one, two) == (not merge_distill)
    assert not torch.allclose(*trace.classification, atol=1e-3)


def test_persons_are_averaged():
    one = seeded(HDGCNTokens, 17, 3, 4, n_tokens=2, **POSE)
    two = seeded(HDGCNTokens, 34, 3, 4, n_tokens=2, n_persons=2, **POSE)
    state = {k: v for k, v in one.state_dict().items() if not k.startswith("data_bn")}
    two.load_state_dict(state, strict=False)
    x = noise(2, 20, 17, 3)
    with torch.no_grad():
        torch.testing.assert_close(two(torch.cat([x, x], dim=2)), one(x), rtol=1e-4, atol=1e-5)


# --- distillation ---------------------------------------------------------------------------------
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_divergence(temperature):
    """Against the definition, for either axis."""
    r, s = noise(2, 3, 4).double(), noise(2, 3, 4, seed=1).double()
    params = {"temperature": temperature}
    for axis, dim in (("channels", 2), ("tokens", 1)):
        p, q = ((x / temperature).softmax(dim=dim) for x in (s, r))
        expected = (p * (p / q).log()).sum(dim=dim).mean() * temperature**2
        torch.testing.assert_close(token_divergence(r, s, axis=axis, **params), expected)
        assert token_divergence(s, s, axis=axis, **params).abs() < 1e-12
    with pytest.raises(ValueError, match=r"axis must be one of .*'channels'.*got 'time'"):
        token_divergence(r, s, axis="time")
    with pytest.raises(ValueError, match=r"one shape, got \(2, 3, 4\) and \(2, 3, 2\)"):
        token_divergence(r, s[..., :2])


def test_placements():
    sizes = (16, 10, (1, 3, 14), (3, 6, 9))
    assert distillation_pairs("sparse", *sizes) == ((1, 3), (3, 6), (14, 9))
    assert distillation_pairs("final", *sizes) == ((15, 9),)
    every = distillation_pairs("every", *sizes)
    assert [block for block, _ in every] == list(range(16))
    partners = [partner for _, partner in every]
    assert partners == sorted(partners) and set(partners) == set(range(10))
    assert distillation_pairs("sparse", 3, 2, (1, 2), (0, 1)) == ((1, 0), (2, 1))
    assert distillation_pairs("sparse", 2, 4, (1,), (1, 3)) == ((1, 3),)
    with pytest.raises(ValueError, match="never reduces its patches"):
        distillation_pairs("sparse", 2, 2, (), (0, 1))
    with pytest.raises(ValueError, match=r"placement must be one of .*got 'all'"):
        distillation_pairs("all", *sizes)


def test_distillation_is_the_mean_over_pairs():
    module = seeded(TokenDistillation, [4, 6], [4, 5], [(0, 0), (1, 1)])
    receivers = [noise(2, 3, 4), noise(2, 3, 6)]
    senders = [noise(2, 3, 4, seed=1), noise(2, 3, 5, seed=2)]
    with torch.no_grad():
        first = token_divergence(receivers[0], senders[0])
        second = token_divergence(module.projections[1](receivers[1]), senders[1])
        torch.testing.assert_close(module(receivers, senders), (first + second) / 2)
    assert count(module) == 6 * 5 + 5


def test_what_is_learnt_stays_worth_learning():
    """The receiver comes to differ between trials as the sender does, and does not flatten it."""
    torch.manual_seed(0)
    x = noise(64, 8)
    sender = 2 * torch.tanh(x @ noise(8, 12, seed=1))[:, None]
    receiver = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
    module = TokenDistillation([16], [12], [(0, 0)])
    optimizer = torch.optim.Adam([*receiver.parameters(), *module.parameters()], 1e-2)
    losses, spread = [], []
    for _ in range(150):
        tokens = receiver(x)[:, None]
        loss = module([tokens], [sender])
        losses.append(loss.item())
        spread.append(tokens.std(dim=0).mean().item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.2 * losses[0] and spread[-1] > 2 * spread[0]


@pytest.mark.parametrize("placement", ["final", "every", "sparse"])
def test_only_the_receiver_learns_from_distillation(placement):
    network = tiny(distillation=placement).train()
    network(*inputs())["distillation"].backward()
    assert touched(network.rgb) and touched(network.distillation)
    assert network.rgb.pos_encoding.distill_token.grad.any()
    rest = ("pose", "pose_widen", "rgb_fusion", "pose_fusion", "rgb_head", "pose_head")
    assert not any(touched(network.get_submodule(name)) for name in rest)


def test_the_sender_learns_from_its_own_branch():
    network = tiny().train()
    rgb, pose = inputs()
    network(rgb, pose)["pose"].sum().backward()
    assert network.pose.distill_token.grad.any() and network.pose.class_token.grad.any()
    assert not touched(network.rgb) and not touched(network.distillation)


# --- the whole ------------------------------------------------------------------------------------
def test_number_of_parameters():
    """55.4 million says the paper; what exceeds 55,337,656 are maps it has no sizes for."""
    with torch.device("meta"):
        network = TransM3E()
    parts = {name: count(module) for name, module in network.named_children()}
    assert parts["rgb"] == 34_233_888
    assert parts["rgb_fusion"] == parts["pose_fusion"] == 10_126_848
    assert parts["rgb_head"] == parts["pose_head"] == 15_380
    own = 839_832 - (256 * 20 + 20)  # HD-GCN without its classifier
    assert parts["pose"] == own + 577_296 + 2 * 20 * 64
    assert parts["pose_widen"] == 197_376 and parts["distillation"] == 258_496
    assert count(network) == 56_388_764
    assert 34_233_888 + 15_380 + 2 * 10_126_848 + own == 55_337_656
    assert network.clip.shape == (3, 16, 224, 224)


@pytest.mark.parametrize("stage", [1, 2])
def test_prediction_is_the_mean_of_both_branches(stage):
    network = tiny()
    rgb, pose = inputs()
    with torch.no_grad():
        out = network(rgb, pose, stage=stage)
        alone = network(rgb, stage=stage), network(None, pose, stage=stage)
    assert set(out) == {"rgb", "pose", "prediction", "distillation"}
    mean = (out["rgb"].sigmoid() + out["pose"].sigmoid()) / 2
    torch.testing.assert_close(out["prediction"], mean)
    assert (out["distillation"] > 0) == (stage == 2)
    # a branch alone says what it says in company, and is then the prediction
    for one, key, other in zip(alone, ("rgb", "pose"), ("pose", "rgb")):
        torch.testing.assert_close(one[key], out[key])
        torch.testing.assert_close(one["prediction"], out[key].sigmoid())
        assert one[other] is None and one["distillation"] == 0


def test_stage_one_leaves_the_meeting_of_branches_alone():
    network = tiny().train()
    rgb, pose = inputs()
    y = torch.tensor([[1, 0, 0, 1]] * 3)
    network.loss(network(rgb, pose, stage=1), y).backward()
    for name, parameter in network.named_parameters():
        later = "distill" in name or "fusion" in name
        assert (parameter.grad is None) == later, name
    network.zero_grad()
    network.loss(network(rgb, stage=1), y).backward()
    assert touched(network.rgb) and not touched(network.pose)
    network.zero_grad()
    network.loss(network(rgb, pose, stage=2), y).backward()
    silent = {n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()}
    last = "rgb.blocks.1.attn."  # the last block's patches are read by nobody
    unread = ("rel_pos_h", "rel_pos_w", "rel_pos_t", "pool_q.pool.weight")
    assert silent == {last + key for key in unread}


@pytest.mark.parametrize("loss_function", ["sigmoid_bce", "softmax_bce"])
def test_loss(loss_function):
    network = tiny(loss_function=loss_function, distillation_weight=0.5)
    out = network(*inputs())
    y = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]])
    total = 0.5 * out["distillation"]
    predictions = []
    for key in ("rgb", "pose"):
        logits = out[key]
        p = logits.sigmoid() if loss_function == "sigmoid_bce" else logits.softmax(dim=1)
        total = total - torch.where(y == 1, p, 1 - p).log().mean()
        predictions.append(p)
    torch.testing.assert_close(network.loss(out, y), total)
    torch.testing.assert_close(out["prediction"], sum(predictions) / 2)
    alone = network(inputs()[0])
    assert network.loss(alone, y).item() < network.loss(out, y).item()


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize("tokens", [{}, {"n_distill_tokens": 1}, {"n_tokens": 1}])
def test_every_ablation_trains(fusion, tokens):
    network = tiny(fusion=fusion, **tokens).train()
    rgb, pose = inputs(1)  # a batch of one
    out = network(rgb, pose, torch.tensor([7]))
    network.loss(out, torch.tensor([[1, 0, 0, 1]])).backward()
    assert out["prediction"].shape == (1, 4)
    assert touched(network.rgb) and touched(network.pose)
    assert network.rgb.pos_encoding.distill_token.grad.any()
    assert network.pose.distill_token.grad.any()


def test_without_distillation():
    network = tiny(distillation=None)
    out = network(*inputs())
    assert out["distillation"] == 0 and not out["distillation"].requires_grad
    assert network.distillation is None


def test_both_stages_learn():
    """Distillation itself grows at first: the sender comes to have something to say."""
    network = tiny(drop_path=0.0, dropout=0.0).train()
    rgb, pose = inputs(4, seed=5)
    y = torch.tensor([[1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    for stage in (1, 2):
        optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
        losses = []
        for _ in range(12):
            out = network(rgb, pose, stage=stage)
            loss = network.loss(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append((loss - out["distillation"]).item())
        assert losses[-1] < 0.6 * losses[0], stage


def test_padding_changes_nothing_and_every_frame_counts():
    network = tiny()
    lengths = torch.tensor([1, 15, 16, 17, 100])
    x = torch.zeros(5, 100, 17, 3)
    for i, n in enumerate(lengths):
        x[i, :n] = noise(int(n), 17, 3, seed=i)
    x.requires_grad_(True)
    before = x.detach().clone()
    together = network(None, x, lengths)["pose"]
    for i, n in enumerate(lengths):
        alone = network(None, x[i : i + 1, :n])["pose"]
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-5, atol=1e-5)
    (together * noise(5, 4)).sum().backward()
    assert torch.equal(x.detach(), before)
    for gradient, n in zip(x.grad, lengths):
        assert (gradient[:n].abs().amax(dim=(1, 2)) > 0).all() and not gradient[n:].any()


def test_other_skeletons():
    network = tiny(n_landmarks=33, n_coords=4)
    out = network(None, noise(2, 9, 33, 4))
    assert out["pose"].shape == (2, 4)


def test_evaluation_is_repeatable_and_training_is_not():
    network = tiny()
    with torch.no_grad():
        out, again = network(*inputs()), network(*inputs())
        for key, value in out.items():
            assert torch.equal(value, again[key])
        network.rgb.eval()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network.dropout.train()
            assert not torch.equal(network(*inputs())["rgb"], out["rgb"])


def test_copies():
    network = tiny()
    other = pickle.loads(pickle.dumps(network))
    fresh = TransM3E(4, **BOTH).eval()
    fresh.load_state_dict(network.state_dict(), strict=True)
    with torch.no_grad():
        expected = network(*inputs())["prediction"]
        for one in (other, fresh):
            torch.testing.assert_close(one(*inputs())["prediction"], expected)


def test_wrong_arguments():
    network = tiny()
    with pytest.raises(ValueError, match="RGB clips, skeleton trials, or both; got neither"):
        network()
    with pytest.raises(ValueError, match="stage must be 1 or 2, got 3"):
        network(*inputs(), stage=3)
    with pytest.raises(ValueError, match=r"size must be one of \['s', 'tiny'\], got 'b'"):
        TransM3E(size="b")
    with pytest.raises(ValueError, match=r"loss_function must be one of .*got 'mse'"):
        tiny(loss_function="mse")
    with pytest.raises(ValueError, match=r"n_distill_tokens must be 1 or n_tokens \(4\), got 3"):
        tiny(n_distill_tokens=3)
