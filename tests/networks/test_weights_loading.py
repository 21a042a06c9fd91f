"""Published weights: what fits is loaded, what does not is said, strangers' pickles stay shut."""

import hashlib

import numpy as np
import pytest
import torch
from instances import tiny_trials, tiny_video
from safetensors.torch import save_file

from skrehab import VideoClassifier, networks
from skrehab.networks.weights import load_weights, read_weights, unwrap


def act(n_landmarks=5, n_outputs=1, n_frames=30):
    with torch.random.fork_rng():
        torch.manual_seed(n_landmarks)
        return networks.build(
            "act", n_landmarks=n_landmarks, n_coords=3, n_outputs=n_outputs, n_frames=n_frames
        )


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def safetensors_file(tmp_path):
    save_file(act().state_dict(), tmp_path / "act.safetensors")
    return tmp_path / "act.safetensors"


def test_all_fits(safetensors_file):
    network = act(5)
    with torch.no_grad():
        network.proj.weight.zero_()
    report = load_weights(network, read_weights(safetensors_file))
    assert len(report.loaded) == len(network.state_dict()) and not report.reinitialised
    for key, value in act().state_dict().items():
        assert torch.equal(network.state_dict()[key], value)


def test_new_head_and_data_dependent_ends(safetensors_file):
    """AcT on other landmarks and frames: only the encoder and the class token transfer."""
    network = act(n_landmarks=33, n_outputs=4, n_frames=20)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = read_weights(safetensors_file)
    with pytest.raises(ValueError, match=r"5 sizes differ|sizes differ: .*head='new'"):
        load_weights(network, state)
    spec = networks.get_spec("act")
    report = load_weights(network, state, "new", spec.head, spec.ends)
    assert set(report.reinitialised) == {
        *("proj.weight", "proj.bias", "pos_embed.weight"),
        *("head.fc1.weight", "head.fc1.bias", "head.fc2.weight", "head.fc2.bias"),
    }
    assert report.reinitialised["proj.weight"] == "size (64, 99), in the file (64, 15)"
    assert report.reinitialised["head.fc1.bias"] == "head='new'"
    after = network.state_dict()
    for key in report.reinitialised:
        assert torch.equal(after[key], before[key])
    for key in report.loaded:
        assert torch.equal(after[key], state[key])
    assert "encoder.0.mha.wq.weight" in report.loaded
    assert "proj.weight: new (size (64, 99)" in str(report)


def test_a_size_elsewhere_is_an_error(safetensors_file):
    state = read_weights(safetensors_file)
    state["encoder.1.norm1.weight"] = torch.zeros(3)
    with pytest.raises(ValueError, match=r"encoder\.1\.norm1\.weight \(64,\), in the file \(3,\)"):
        load_weights(act(), state, "new")


def test_nothing_fits():
    with pytest.raises(ValueError, match=r"None of the file's keys is the network's: .*'a'"):
        load_weights(act(), {"a": torch.zeros(2)})


def test_pickles_need_a_known_hash(tmp_path):
    path = tmp_path / "model.pth"
    torch.save({"epoch": 3, "state_dict": {"module.a": torch.ones(2)}}, path)
    with pytest.raises(ValueError, match=r"model\.pth is a pickle.*weights_sha256"):
        read_weights(path)
    with pytest.raises(ValueError, match=r"has SHA-256 .* expected aaaaaaaa. It was not read"):
        read_weights(path, sha256="a" * 8)
    with pytest.raises(ValueError, match="first 8 digits, got 'ab'"):
        read_weights(path, sha256="ab")
    assert read_weights(path, sha256=sha256(path))["a"].tolist() == [1, 1]
    # a known name with another content
    path.rename(tmp_path / "r3d_18-b3b3357e.pth")
    with pytest.raises(ValueError, match="expected b3b3357e"):
        read_weights(tmp_path / "r3d_18-b3b3357e.pth")


class Bomb:
    def __reduce__(self):
        return (print, ("code ran",))


def test_code_in_a_pickle_is_not_run(tmp_path, capsys):
    path = tmp_path / "model.pt"
    torch.save({"state_dict": Bomb()}, path)
    with pytest.raises(ValueError, match=r"model\.pt cannot be read as weights"):
        read_weights(path, sha256=sha256(path))
    assert "code ran" not in capsys.readouterr().out


def test_files_that_are_not_there_or_not_weights(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such weights file"):
        read_weights(tmp_path / "none.safetensors")
    with pytest.raises(FileNotFoundError, match=r"should hold model\.safetensors.*none"):
        read_weights(tmp_path)
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.safetensors cannot be read"):
        read_weights(tmp_path / "text.safetensors")
    (tmp_path / "weights.onnx").write_text("hello")
    with pytest.raises(ValueError, match="of an unknown kind"):
        read_weights(tmp_path / "weights.onnx")


def test_unwrap():
    inner = {"module.x": torch.zeros(1), "n": 3}
    assert list(unwrap({"model": {"state_dict": inner}})) == ["x"]
    with pytest.raises(ValueError, match=r"no array among the entries \['a'\]"):
        unwrap({"a": 1})


# --- through the classifier -----------------------------------------------------------------------
def test_classifier_starts_from_weights(tmp_path):
    data = tiny_trials()
    first = tiny_video(network="act", network_params=None).fit(data.X, data.y)
    save_file(first.module_.state_dict(), tmp_path / "act.safetensors")
    params = {"network": "act", "network_params": None, "weights": tmp_path / "act.safetensors"}
    # nothing learns but a head that starts where the first one ended
    again = tiny_video(**params, freeze=("proj", "class", "pos", "encoder"), lr=1e-12)
    again.fit(data.X, data.y)
    assert not again.weights_report_.reinitialised
    np.testing.assert_allclose(
        again.predict_proba(data.X), first.predict_proba(data.X), rtol=1e-4, atol=1e-6
    )
    y = np.arange(len(data.y)) % 3
    with pytest.raises(ValueError, match="head='new'"):
        tiny_video(**params).fit(data.X, y)
    new = tiny_video(**params, head="new").fit(data.X, y)
    assert all(key.startswith("head.") for key in new.weights_report_.reinitialised)
    assert first.weights_report_ is None


def test_frozen_layers_stay(tmp_path):
    data = tiny_trials()
    params = {"network": "act", "network_params": None, "lr": 0.01}
    start = tiny_video(**params, max_epochs=1).fit(data.X, data.y)
    save_file(start.module_.state_dict(), tmp_path / "act.safetensors")
    tuned = tiny_video(
        **params, weights=tmp_path / "act.safetensors", freeze=("encoder.0.", "proj")
    ).fit(data.X, data.y)
    before, after = start.module_.state_dict(), tuned.module_.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    frozen = {key for key in before if key.startswith(("encoder.0.", "proj"))}
    assert frozen and not changed & frozen
    assert changed == set(before) - frozen
    assert all(p.requires_grad for p in tuned.module_.parameters())
    with pytest.raises(
        ValueError, match=r"freeze names 'encodr', but the network has .*encoder\.0"
    ):
        tiny_video(**params, freeze=("encodr",)).fit(data.X, data.y)
    with pytest.raises(ValueError, match="leaves nothing to train"):
        tiny_video(freeze=("rnn", "norm", "hidden", "head")).fit(data.X, data.y)


def test_head_warmup_and_layer_decay(tmp_path):
    data = tiny_trials()
    params = {"network": "act", "network_params": None, "max_epochs": 2, "random_state": 0}
    untouched = VideoClassifier(**params, lr=1e-12, schedule=None).fit(data.X, data.y)
    warm = VideoClassifier(**params, head_warmup=2).fit(data.X, data.y)
    half = VideoClassifier(**params, head_warmup=1).fit(data.X, data.y)
    slow = VideoClassifier(**params, layer_decay=1e-6).fit(data.X, data.y)

    def moved(classifier, key):
        a, b = untouched.module_.state_dict()[key], classifier.module_.state_dict()[key]
        return float((a - b).abs().max())

    for classifier in (warm, half, slow):
        assert moved(classifier, "head.fc2.weight") > 1e-4
    assert (
        moved(warm, "encoder.0.ffn.0.weight") < 1e-9 < 1e-5 < moved(half, "encoder.0.ffn.0.weight")
    )
    assert moved(slow, "encoder.3.ffn.0.weight") < 1e-7


def test_newly_drawn_ends_learn_at_the_full_rate(tmp_path):
    """AcT's new first layer is no lowest block, and learns while the classifier warms up."""
    save_file(act(n_landmarks=9).state_dict(), tmp_path / "act.safetensors")
    data = tiny_trials()
    params = {"network": "act", "max_epochs": 1, "random_state": 0, "head": "new"}
    params |= {"weights": tmp_path / "act.safetensors", "schedule": None}
    still = VideoClassifier(**params, lr=1e-12).fit(data.X, data.y).module_.state_dict()
    warm = VideoClassifier(**params, head_warmup=1).fit(data.X, data.y)
    slow = VideoClassifier(**params, layer_decay=1e-6).fit(data.X, data.y)
    kept = VideoClassifier(**params, head_warmup=1, freeze=("proj",)).fit(data.X, data.y)
    assert warm.weights_report_.reinitialised.keys() >= {"proj.weight", "proj.bias"}

    def moved(classifier, key):
        return float((still[key] - classifier.module_.state_dict()[key]).abs().max())

    for classifier in (warm, slow):
        assert moved(classifier, "proj.weight") > 1e-4 and moved(classifier, "proj.bias") > 1e-4
        assert moved(classifier, "head.fc2.weight") > 1e-4
        assert moved(classifier, "encoder.0.ffn.0.weight") < 1e-7
    assert moved(kept, "proj.weight") < 1e-9  # named: a wish


def test_normalisation_of_frozen_layers_keeps_its_statistics(tiny):
    class Net(torch.nn.Module):
        """A network with batch normalisation."""

        def __init__(self, n_landmarks, n_coords, n_outputs):
            super().__init__()
            self.body = torch.nn.Linear(n_landmarks * n_coords, 4)
            self.norm = torch.nn.BatchNorm1d(4)
            self.head = torch.nn.Linear(4, n_outputs)

        def forward(self, x, lengths=None):
            return self.head(self.norm(self.body(x.flatten(2).mean(1))))

    free = VideoClassifier(Net, max_epochs=2, random_state=0).fit(tiny.X, tiny.y)
    kept = VideoClassifier(Net, max_epochs=2, random_state=0, freeze=("norm", "body"))
    kept.fit(tiny.X, tiny.y)
    assert free.module_.norm.running_mean.abs().max() > 0
    assert (kept.module_.norm.running_mean == 0).all()
