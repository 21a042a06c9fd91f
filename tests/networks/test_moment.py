"""MOMENT: parity with the official network, length fitting, fine-tuning modes, published files."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from torch import nn

pytest.importorskip("transformers", reason="MOMENT needs the extra skrehab[moment]")
from skrehab import networks
from skrehab.networks.sequence._lora import LoRALinear, add_lora, merge_lora
from skrehab.networks.sequence._moment_layers import instance_norm, pad_left
from skrehab.networks.sequence.moment import MOMENT, SIZES
from skrehab.saliency import explain
from skrehab.training.batching import pad_trials

TINY = {
    "d_model": 16,
    "n_layers": 2,
    "n_heads": 2,
    "d_kv": 8,
    "d_ff": 16,
    "vocab_size": 8,
    "seq_len": 64,
}


def tiny(n_landmarks=5, n_coords=3, n_outputs=2, **params):
    """Build a network of two small layers in evaluation mode, always with the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MOMENT(n_landmarks, n_coords, n_outputs, **(TINY | params)).eval()


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype(np.float32))


def count(module):
    return sum(p.numel() for p in module.parameters())


# --- parity ---------------------------------------------------------------------------------------
def test_small_equals_the_official_network():
    case = golden_case("moment_small_cls_concat")
    network = MOMENT(1, 3, 2, size="small")
    check_layout(network, case)
    assert count(network.encoder) == 35_332_800
    fill(network, skip=("embed_tokens",))  # half of all parameters, and never used
    x = golden_input(8, (2, 3, 512)).cumsum(-1)
    mask = torch.ones(2, 512)
    mask[1, :200] = 0
    with torch.no_grad():
        tokens, observed = network.encode(x, mask)
        check_outputs(network.classify_embedding(network.embed_series(x, mask)), case)
    np.testing.assert_allclose(tokens.abs().sum(), case["emb_abs_sum"], rtol=1e-4)
    assert observed.sum(dim=1).tolist() == [64, 64 - 25]


@pytest.mark.parametrize(
    ("size", "reduction", "encoder", "head"),
    [
        ("small", "concat", 35_332_800, 101_378),
        ("small", "mean", 35_332_800, 1_026),
        ("base", "mean", 109_628_544, 1_538),
        ("large", "concat", 341_231_104, 202_754),
    ],
)
def test_number_of_parameters(size, reduction, encoder, head):
    with torch.device("meta"):
        network = MOMENT(33, 3, 2, size=size, reduction=reduction)
    d_model = SIZES[size]["d_model"]
    assert count(network.encoder) == encoder
    assert count(network.head) == head
    assert count(network) == encoder + head + 8 * d_model + d_model


# --- from trials to series ------------------------------------------------------------------------
def test_pad_left_by_hand():
    """3 frames fill one patch by repeats of the first, 9 fill two, 20 are averaged to 16."""
    x = torch.zeros(4, 20, 1)
    for row, length in enumerate((3, 9, 16, 20)):
        x[row, :length, 0] = torch.arange(1.0, length + 1)
        x[row, length:] = 1e3
    series, mask = pad_left(x, torch.tensor([3, 9, 16, 20]), 16)
    assert series[0, :, 0].tolist() == [0] * 8 + [1] * 6 + [2, 3]
    assert series[1, :, 0].tolist() == [1] * 8 + list(range(2, 10))
    assert series[2, :, 0].tolist() == list(range(1, 17))
    assert mask.sum(dim=1).tolist() == [8, 16, 16, 16] and not mask[0, :8].any()
    # each of the 16 steps covers 1.25 frames: the first all of frame 1 and a quarter of frame 2
    torch.testing.assert_close(series[3, 0, 0], torch.tensor((1 + 0.25 * 2) / 1.25))


def test_instance_norm_by_hand():
    """Masked steps and NaN do not count; the deviation is that of the population, plus 1e-5."""
    x = torch.tensor([[[100.0, 1.0, float("nan"), 3.0, 5.0]]])
    mask = torch.tensor([[0, 1, 1, 1, 1]])
    out = instance_norm(x, mask)[0, 0]
    expected = (torch.tensor([1.0, 3.0, 5.0]) - 3) / ((8 / 3) ** 0.5 + 1e-5)
    torch.testing.assert_close(out[[1, 3, 4]], expected)


def test_no_gradient_through_mean_and_deviation():
    x = noise(2, 3, 8).requires_grad_()
    instance_norm(x).sum().backward()
    deviation = x.detach().std(dim=-1, correction=0, keepdim=True) + 1e-5
    torch.testing.assert_close(x.grad, (1 / deviation).expand_as(x))


@pytest.mark.parametrize(
    "params",
    [
        {"fit_length": "resample"},
        {"fit_length": "pad"},
        {"fit_length": "pad", "pool": "observed"},
        {"fit_length": "pad", "pool": "observed", "revin": False, "reduction": "mean"},
    ],
    ids=str,
)
def test_padding_changes_nothing(params):
    """Also where a channel is constant, which RevIN divides by almost nothing."""
    network = tiny(**params)
    lengths = [1, 2, 7, 8, 9, 15, 31, 40, 63, 64, 65, 100]
    x = torch.full((len(lengths), 100, 5, 3), 1e3)
    for row, length in enumerate(lengths):
        x[row, :length] = 3 + noise(length, 5, 3, seed=row)
        x[row, :length, 1] = 1.2345
    with torch.no_grad():
        together = network(x, torch.tensor(lengths))
        for row, length in enumerate(lengths):
            alone = network(x[row : row + 1, :length])
            torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("fit_length", ["resample", "pad"])
def test_a_constant_channel_is_zero_whatever_its_value(fit_length):
    """Its rounding errors, divided by a deviation of 1e-5, would be hundreds."""
    network = tiny(fit_length=fit_length)
    x = noise(1, 37, 5, 3).repeat(3, 1, 1, 1)
    x[:, :, 1] = torch.tensor([0.0, 777.7, -1234567.0])[:, None, None]
    with torch.no_grad():
        features = network.embed(x)
    torch.testing.assert_close(features[1:], features[:1].expand(2, -1), rtol=0, atol=1e-6)


@pytest.mark.parametrize("length", [5, 20, 64])
def test_skipping_empty_patches_is_exact(length):
    """The fast path gives what averaging the observed ones of all patches gives."""
    network = tiny(fit_length="pad", pool="observed")
    x = noise(2, length, 5, 3)
    series, mask = pad_left(x.flatten(2), None, 64)
    with torch.no_grad():
        few, _ = network.encode(series.transpose(1, 2), mask)
        network.pool = "all"
        all_of_them, observed = network.encode(series.transpose(1, 2), mask)
        network.pool = "observed"
        assert few.shape[2] == -(-length // 8) == observed[0].sum()
        torch.testing.assert_close(few, all_of_them[:, :, -few.shape[2] :])
        pooled = all_of_them[:, :, observed[0]].mean(dim=2)  # (batch, channels, d_model)
        torch.testing.assert_close(network.embed(x), pooled.transpose(1, 2).flatten(1))


@pytest.mark.parametrize("fit_length", ["resample", "pad"])
@pytest.mark.parametrize("length", [1, 12, 64, 65, 700])
def test_gradient_reaches_every_true_frame(fit_length, length):
    network = tiny(fit_length=fit_length)
    x = noise(2, length + 3, 5, 3).requires_grad_()
    lengths = torch.tensor([length, max(1, length // 2)])
    gradient = torch.autograd.grad(network(x, lengths).sum(), x)[0]
    reached = gradient.abs().amax(dim=(2, 3)) > 0
    for row, n in enumerate(lengths):
        assert reached[row, :n].all() and not reached[row, n:].any()


def test_amplitude_counts_only_without_revin():
    x = noise(2, 40, 5, 3)
    with torch.no_grad():
        with_it, without = tiny(revin=True), tiny(revin=False)
        torch.testing.assert_close(with_it(x), with_it(4 * x + 7), rtol=1e-3, atol=1e-3)
        assert not torch.allclose(without(x), without(4 * x), rtol=1e-2, atol=1e-2)


def test_reductions_differ_in_order_only():
    """Channel c of feature d lies at d * n_channels + c."""
    x = noise(2, 64, 5, 3)
    with torch.no_grad():
        concat = tiny(reduction="concat").embed(x)
        mean = tiny(reduction="mean").embed(x)
    torch.testing.assert_close(concat.unflatten(1, (16, 15)).mean(dim=2), mean)


# --- fine-tuning ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tuning", "trained"),
    [
        ("linear_probe", {"head.linear.weight", "head.linear.bias"}),
        ("frozen", set()),
        ("lora", None),
        ("full", None),
    ],
)
@pytest.mark.parametrize("fit_length", ["resample", "pad"])
def test_what_is_trained(tuning, trained, fit_length):
    network = tiny(tuning=tuning, fit_length=fit_length).train()
    named = dict(network.named_parameters())
    if tuning == "lora":
        trained = {name for name in named if ".lora_" in name or name.startswith("head.")}
        assert len(trained) == 2 * 2 * 2 + 2  # A and B of q and v in two layers, the head
        assert all(p.shape[0] == 64 for name, p in named.items() if name.endswith("lora_a"))
    elif tuning == "full":
        trained = set(named) - {"encoder.embed_tokens.weight"}
        if fit_length == "resample":
            trained -= {"patch_embedding.mask_embedding"}
    assert {name for name, p in named.items() if p.requires_grad} == trained
    assert network.is_frozen == (tuning in ("linear_probe", "frozen"))
    if trained:
        network(noise(3, 20, 5, 3), torch.tensor([20, 9, 1])).square().sum().backward()
    assert {name for name, p in named.items() if p.grad is not None} == trained


def test_embedding_once_is_the_same_as_every_time():
    """A frozen encoder drops nothing out in training, so a stored embedding is the fresh one."""
    network = tiny(dropout=0.5).train()
    x, lengths = noise(3, 20, 5, 3), torch.tensor([20, 9, 1])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert torch.equal(network.embed(x, lengths), network.embed(x, lengths))
        assert not torch.equal(network(x, lengths), network(x, lengths))  # the head's dropout
        network.eval()
        logits = network.classify_embedding(network.embed(x, lengths))
        assert torch.equal(logits, network(x, lengths))
        full = tiny(dropout=0.5, tuning="full").train()
        assert not torch.equal(full.embed(x, lengths), full.embed(x, lengths))


def test_computing_again_gives_the_same_gradients():
    x = noise(6, 30, 5, 3)  # 90 sequences, more than one chunk
    gradients = []
    for checkpointing in (True, False):
        network = tiny(tuning="full", checkpointing=checkpointing, dropout=0.3).train()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            network(x).square().sum().backward()
        gradients.append([p.grad for p in network.parameters() if p.grad is not None])
    assert len(gradients[0]) > 10
    for again, kept in zip(*gradients):
        torch.testing.assert_close(again, kept)


def test_lora_starts_as_it_was_learns_and_merges():
    plain, adapted = tiny(), tiny(tuning="lora", lora_rank=4, lora_alpha=8)
    x = noise(2, 30, 5, 3)
    adapted.head.load_state_dict(plain.head.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(adapted(x), plain(x))
        assert set(plain.state_dict()) == {k for k in adapted.state_dict() if ".lora_" not in k}
        for name, p in adapted.named_parameters():
            if name.endswith("lora_b"):
                p.normal_()
        learned = adapted(x)
        assert not torch.allclose(learned, plain(x))
        merge_lora(adapted)
        assert set(adapted.state_dict()) == set(plain.state_dict())
        torch.testing.assert_close(adapted(x), learned, rtol=1e-4, atol=1e-5)


def test_lora_by_hand():
    """y = W x + b + (alpha / rank) B A x, for the chosen layers only."""
    layers = nn.ModuleDict({"q": nn.Linear(4, 3), "k": nn.Linear(4, 3)})
    add_lora(layers, ("q", "v"), rank=2, alpha=6)
    assert isinstance(layers["q"], LoRALinear) and not isinstance(layers["k"], LoRALinear)
    q, x = layers["q"], noise(5, 4)
    with torch.no_grad():
        q.lora_b.copy_(noise(3, 2, seed=1))
        expected = x @ q.weight.T + q.bias + 3.0 * x @ (q.lora_b @ q.lora_a).T
        torch.testing.assert_close(q(x), expected)


# --- copies ---------------------------------------------------------------------------------------
def test_copy_and_pickle():
    network = tiny(17, 2, tuning="lora")
    x = noise(2, 30, 17, 2)
    with torch.no_grad():
        for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            assert torch.equal(again(x), network(x))


def test_unpickle_in_a_fresh_process(run_python, tmp_path):
    """Another process finds transformers, also beside a torchvision that does not fit torch."""
    network, x = tiny(), noise(2, 30, 5, 3)
    (tmp_path / "network.pickle").write_bytes(pickle.dumps((network, x)))
    code = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    network, x = pickle.load(file)
print(*network(x).flatten().tolist())
"""
    out = np.array(run_python(code, tmp_path / "network.pickle").split(), dtype=float)
    with torch.no_grad():
        np.testing.assert_allclose(out, network(x).flatten().numpy(), rtol=1e-5)


# --- published files ------------------------------------------------------------------------------
def publish(folder, network, *, task="reconstruction", drop=(), **changes):
    """Write the two files of a published network; `changes` go into t5_config or beside it."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    t5 = {
        "d_model": 16,
        "num_layers": 2,
        "num_heads": 2,
        "d_kv": 8,
        "d_ff": 16,
        "vocab_size": 8,
        "feed_forward_proj": "gated-gelu",
        "relative_attention_num_buckets": 32,
    }
    config = {"task_name": task, "seq_len": 64, "patch_len": 8, "t5_config": t5}
    for name, value in changes.items():
        (t5 if name in t5 else config)[name] = value
    (folder / "config.json").write_text(json.dumps(config))
    state = {k: v.contiguous() for k, v in network.state_dict().items() if k not in drop}
    save_file(state, folder / "model.safetensors")
    return folder


TRIALS = {"n_landmarks": 5, "n_coords": 3, "n_outputs": 2}


@pytest.fixture
def published(tmp_path):
    """A folder as published: the head is one for reconstruction."""
    network = tiny()
    network.head.linear = nn.Linear(16, 8)
    return publish(tmp_path / "MOMENT-1-tiny", network)


def test_from_a_folder(published):
    network = MOMENT.from_pretrained(published, **TRIALS, tuning="full", fit_length="pad")
    assert network.seq_len == 64 and network.fit_length == "pad" and not network.is_frozen
    x = noise(2, 30, 5, 3)
    with torch.no_grad():
        expected = tiny(tuning="full", fit_length="pad").embed(x)
        assert torch.equal(network.eval().embed(x), expected)
    assert set(network.load_report.reinitialised) == {"head.linear.weight", "head.linear.bias"}
    assert network.head.linear.weight.shape == (2, 240)


def test_the_head_of_a_classifier_can_be_kept(tmp_path):
    folder = publish(tmp_path / "own", tiny(), task="classification")
    x = noise(2, 30, 5, 3)
    network = MOMENT.from_pretrained(folder, **TRIALS, head="keep").eval()
    with torch.no_grad():
        assert torch.equal(network(x), tiny()(x))
    with pytest.raises(ValueError, match=r"sizes differ: head\.linear\.weight \(3, 240\)"):
        MOMENT.from_pretrained(folder, **(TRIALS | {"n_outputs": 3}), head="keep")


def test_a_head_for_reconstruction_is_never_taken_for_a_classifier(published):
    """With reduction="mean" and eight labels even its size would fit."""
    params = {"n_landmarks": 5, "n_coords": 3, "n_outputs": 8, "reduction": "mean"}
    network = MOMENT.from_pretrained(published, **params)
    assert "head.linear.weight" in network.load_report.reinitialised
    with pytest.raises(ValueError, match="is for reconstruction, not for classification"):
        MOMENT.from_pretrained(published, **params, head="keep")


def test_lora_on_published_weights(published):
    network = MOMENT.from_pretrained(published, **TRIALS, tuning="lora").eval()
    x = noise(2, 30, 5, 3)
    with torch.no_grad():
        torch.testing.assert_close(network.embed(x), tiny().embed(x))


def test_from_the_cache(published, tmp_path):
    """A repository in the Hugging Face cache is found by its name, without a connection."""
    repository = tmp_path / "cache" / "models--AutonLab--MOMENT-1-tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    (repository / "snapshots").mkdir()
    published.rename(repository / "snapshots" / ("0" * 40))
    network = MOMENT.from_pretrained(
        "AutonLab/MOMENT-1-tiny", **TRIALS, cache_dir=tmp_path / "cache"
    )
    with torch.no_grad():
        x = noise(2, 30, 5, 3)
        assert torch.equal(network.eval().embed(x), tiny().embed(x))
    with pytest.raises(FileNotFoundError, match=r"not in this machine's cache\. Download it"):
        MOMENT.from_pretrained("AutonLab/MOMENT-1-other", **TRIALS, cache_dir=tmp_path / "cache")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"t5_config": None}, "has no t5_config"),
        ({"t5_config": {"d_model": 16}}, r"does not state \['d_ff', 'd_kv', 'num_heads'"),
        ({"patch_len": 16}, "says patch_len=16: only 8 is supported"),
        ({"feed_forward_proj": "relu"}, "says feed_forward_proj='relu'"),
        ({"num_heads": "six"}, r"not positive integers: \{'n_heads': 'six'\}"),
        ({"d_ff": 32}, r"sizes differ: encoder\.block\.0.*wi_0"),
        ({"num_layers": 1}, r"holds 9 weights .* more, such as encoder\.block\.1\."),
        ({"num_layers": 3}, r"lacks 9 weights, such as encoder\.block\.2\."),
    ],
)
def test_files_of_other_networks_are_refused(tmp_path, changes, message):
    folder = publish(tmp_path / "other", tiny(), **changes)
    with pytest.raises(ValueError, match=message):
        MOMENT.from_pretrained(folder, **TRIALS)


def test_missing_and_damaged_files(tmp_path, published):
    with pytest.raises(ValueError, match=r"do not give \['d_model', 'size'\]"):
        MOMENT.from_pretrained(published, **TRIALS, size="small", d_model=8)
    with pytest.raises(FileNotFoundError, match="neither a folder nor the name of a repository"):
        MOMENT.from_pretrained(tmp_path / "nowhere", **TRIALS)
    (published / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json is not JSON"):
        MOMENT.from_pretrained(published, **TRIALS)
    (published / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no config\.json"):
        MOMENT.from_pretrained(published, **TRIALS)
    folder = publish(tmp_path / "truncated", tiny())
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(ValueError, match=r"model\.safetensors cannot be read as weights"):
        MOMENT.from_pretrained(folder, **TRIALS)
    folder = publish(tmp_path / "less", tiny(), drop=["encoder.embed_tokens.weight"])
    assert MOMENT.from_pretrained(folder, **TRIALS).is_frozen  # the word table is not needed


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"size": "huge"}, r"size must be one of \['small', 'base', 'large'\], got 'huge'"),
        ({"fit_length": "crop"}, "fit_length must be one of"),
        ({"pool": "max"}, "pool must be one of"),
        ({"reduction": "sum"}, "reduction must be one of"),
        ({"tuning": "some"}, "tuning must be one of"),
        ({"seq_len": 100}, "seq_len must be a multiple of 8 up to 40000, got 100"),
    ],
)
def test_wrong_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        tiny(**params)


# --- integrated gradients of a network that scales every trial itself -----------------------------
def moving(seed=0):
    rng = np.random.RandomState(seed)
    return [rng.randn(n, 2, 3).astype(np.float32).cumsum(axis=0) for n in (70, 64, 20)]


def attributable(**params):
    torch.manual_seed(0)
    network = networks.build("moment", n_landmarks=2, n_coords=3, n_outputs=1, **(TINY | params))
    torch.nn.init.normal_(next(network.head.parameters()))
    return network.eval()


def test_the_scaled_trial_gives_the_network_s_output_and_gradient():
    network = attributable()
    x, lengths = pad_trials(moving())
    scaled, inner = network.held_scale(x, lengths)
    torch.testing.assert_close(inner(scaled, lengths), network(x, lengths), rtol=1e-3, atol=1e-4)
    for row, n in zip(scaled, lengths):
        assert (row[n:] == 0).all()
    assert network.revin  # as it was
    moved = scaled * 3 + 7  # what the network itself does not see, the inner one does
    torch.testing.assert_close(network(3 * x, lengths), network(x, lengths), rtol=1e-3, atol=1e-3)
    assert (inner(moved, lengths) - inner(scaled, lengths)).abs().max() > 1e-2


@pytest.mark.parametrize("baseline", ["zeros", "rest"])
def test_integrated_gradients_with_revin_are_complete(baseline):
    """They sum to the logit less that of a trial which stands still."""
    network, trials = attributable(), moving()
    how = {"aggregate": "signed", "normalize": False, "baseline": baseline}
    found = explain(network, trials, [1] * 3, n_steps="auto", tol=1e-3, **how)
    x, lengths = pad_trials(trials)
    with torch.no_grad():
        gained = (network(x, lengths) - network(torch.zeros_like(x), lengths))[:, 0]
    sums = torch.tensor([float(scores.sum()) for scores in found.scores])
    torch.testing.assert_close(sums, gained, atol=5e-3, rtol=1e-2)
    assert gained.abs().max() > 0.05 and (found.completeness_error < 5e-3).all()


def test_a_path_that_leads_nowhere_is_refused():
    network, trials = attributable(), moving()
    with pytest.raises(ValueError, match=r"a path from an array leads nowhere.*revin=False"):
        explain(network, trials, [1] * 3, baseline=np.ones((2, 3)))
    with pytest.raises(ValueError, match="need fit_length='resample'"):
        explain(attributable(fit_length="pad"), trials, [1] * 3)
    plain = attributable(revin=False)
    assert not plain.ignores_scale
    assert explain(plain, trials, [1] * 3, baseline=np.ones((2, 3)), n_steps=4).maps[0].any()
