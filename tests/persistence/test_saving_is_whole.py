"""A model folder is whole, or says that it is not: killed saves, loads meanwhile, wrappers."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch

import skrehab
from skrehab import LandmarkScaler, PoseSequencePretrainer, VideoClassifier

RNG = np.random.RandomState(0)
X = [RNG.randn(12, 5, 3).astype(np.float32) for _ in range(6)]

# forks whoever asks a child that saves two models in turn for as long as it lives: a process that
# is killed for good, without the seconds that starting one takes
SAVER = """
import os, sys, numpy as np, skrehab
from skrehab import LandmarkScaler
folder, n = sys.argv[1], 0
frames = [np.full((2, 200, 40), k) * [[[1]], [[3]]] for k in (1, 2)]
models = [LandmarkScaler(center=True).fit([one]) for one in frames]
skrehab.save(models[0], folder, metadata={"k": 1}, card=True)
for line in sys.stdin:
    child = os.fork()
    while child == 0:
        n += 1
        skrehab.save(models[n % 2], folder, metadata={"k": n % 2 + 1}, overwrite=True, card=True)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


def which(folder):
    """Which of the two models a folder holds, by its metadata and by its numbers."""
    model = skrehab.load(folder)
    return skrehab.persistence.read_metadata(folder)["k"], model.mean_[0, 0] / 2


def tiny(**params):
    params = {"network_params": {"hidden_size": 4}, "max_epochs": 1, "random_state": 0} | params
    return VideoClassifier("lstm", **params).fit(X, [0, 1] * 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_kill_at_any_moment_leaves_no_mixture(tmp_path):
    """50 kills at random moments of a process that does nothing but overwrite a model."""
    folder, rng, outcomes = tmp_path / "model", np.random.RandomState(0), []
    saver = subprocess.Popen(
        [sys.executable, "-c", SAVER, str(folder)],
        env=os.environ | {"PYTHONPATH": str(pathlib.Path(skrehab.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(50):
            print("go", file=saver.stdin, flush=True)
            child = int(saver.stdout.readline())
            time.sleep(rng.uniform(0.005, 0.1))
            os.kill(child, signal.SIGKILL)
            assert saver.stdout.readline() == "gone\n"
            try:
                by_metadata, by_numbers = which(folder)
            except ValueError as error:
                assert "holds other weights than model.json" in str(error)
                assert "save the model again" in str(error)
                outcomes.append("refused")
            else:
                assert by_metadata == by_numbers
                outcomes.append(by_metadata)
    finally:
        saver.stdin.close()
        saver.wait(timeout=10)
        saver.stdout.close()
    assert {1, 2} <= set(outcomes)  # both were there, so that it was killed among saves


def test_a_save_works_after_a_kill(tmp_path):
    folder = tmp_path / "model"
    (folder / ".saving-abc").mkdir(parents=True)  # what a first save leaves when it is killed
    scaler = LandmarkScaler().fit(X)
    skrehab.save(scaler, folder)
    np.testing.assert_array_equal(skrehab.load(folder).scale_, scaler.scale_)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileExistsError, match="not a model"):
        skrehab.save(scaler, tmp_path / "empty")


@pytest.mark.parametrize("swapped", ["weights.safetensors", "model.json"])
def test_one_file_of_another_model_is_refused(tmp_path, swapped):
    """Both are the same class with the same shapes: only the digest tells them apart."""
    one = skrehab.save(LandmarkScaler().fit(X), tmp_path / "one")
    other = skrehab.save(LandmarkScaler().fit([2 * x for x in X]), tmp_path / "other")
    shutil.copy(other / swapped, one / swapped)
    with pytest.raises(ValueError, match=r"other weights than model\.json was saved with"):
        skrehab.load(one)


def test_what_a_killed_save_left_is_named(tmp_path):
    """New weights in place, their model.json still beside: the message says which it is."""
    one = skrehab.save(LandmarkScaler().fit(X), tmp_path / "one")
    other = skrehab.save(LandmarkScaler().fit([2 * x for x in X]), tmp_path / "other")
    begun = one / ".saving-abc"
    begun.mkdir()
    shutil.copy(other / "weights.safetensors", one / "weights.safetensors")
    shutil.copy(other / "model.json", begun / "model.json")
    with pytest.raises(ValueError, match=r"cut short: .*saving-abc.*model\.json") as caught:
        skrehab.load(one)
    assert "Move it over" in str(caught.value)
    (begun / "model.json").replace(one / "model.json")  # what it says
    np.testing.assert_array_equal(skrehab.load(one).scale_, skrehab.load(other).scale_)


def test_loading_while_somebody_saves(tmp_path):
    folder = tmp_path / "model"
    models = [LandmarkScaler(center=True).fit([np.full((1, 50, 4), k)]) for k in (1, 2)]
    skrehab.save(models[0], folder, metadata={"k": 1})
    stop = threading.Event()

    def overwrite():
        n = 0
        while not stop.is_set():
            n += 1
            skrehab.save(models[n % 2], folder, metadata={"k": n % 2 + 1}, overwrite=True)

    thread = threading.Thread(target=overwrite)
    thread.start()
    try:
        for _ in range(40):
            assert skrehab.load(folder).mean_[0, 0] in (1, 2)
    finally:
        stop.set()
        thread.join()


def test_version_1_says_nothing_of_its_weights_and_loads(tmp_path):
    folder = skrehab.save(LandmarkScaler().fit(X), tmp_path / "m")
    tree = json.loads((folder / "model.json").read_text())
    del tree["weights_sha256"]
    (folder / "model.json").write_text(json.dumps(tree))
    with pytest.raises(ValueError, match="weights_sha256"):  # version 2 must say
        skrehab.load(folder)
    (folder / "model.json").write_text(json.dumps(tree | {"format_version": 1}))
    skrehab.load(folder)


# --- networks that were changed after fit ---------------------------------------------------------
def compiled(module):
    return torch.compile(module, backend="eager")


def half_compiled(module):
    module.rnn = torch.compile(module.rnn, backend="eager")
    return module


def twice(module):
    return torch.nn.DataParallel(compiled(module))


@pytest.mark.parametrize("wrap", [compiled, half_compiled, torch.nn.DataParallel, twice])
def test_wrapped_networks_are_saved_as_what_is_inside(tmp_path, wrap):
    model = tiny()
    expected = model.predict_proba(X)
    model.module_ = wrap(model.module_)
    again = skrehab.load(skrehab.save(model, tmp_path / "m"))
    np.testing.assert_array_equal(again.predict_proba(X), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_networks_of_short_floats(tmp_path, dtype):
    model = tiny()
    model.module_.to(dtype)
    again = skrehab.load(skrehab.save(model, tmp_path / "m"))
    for name, tensor in model.module_.state_dict().items():
        torch.testing.assert_close(again.module_.state_dict()[name], tensor.float(), atol=0, rtol=0)


def test_a_network_that_could_not_be_loaded_is_not_saved(tmp_path):
    model = tiny()
    torch.nn.utils.parametrizations.weight_norm(model.module_.head)
    with pytest.raises(TypeError, match=r"VideoClassifier\.module_ cannot be saved.*head"):
        skrehab.save(model, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_encoders_are_written_whole(tmp_path):
    file = tmp_path / "encoder.safetensors"
    pretrainer = PoseSequencePretrainer(4, max_epochs=1, objective="pace", random_state=0).fit(X)
    file.write_bytes(b"old")
    pretrainer.save_encoder(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder.safetensors"]
    from safetensors.numpy import load_file

    assert all(key.startswith("encoder.") for key in load_file(file))


# --- from_pretrained ------------------------------------------------------------------------------
def test_from_pretrained_reads_a_folder(tmp_path, monkeypatch):
    scaler = LandmarkScaler().fit(X)
    skrehab.save(scaler, tmp_path / "lab" / "lean")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (tmp_path / "lab/lean", str(tmp_path / "lab/lean"), "./lab/lean", "~/lab/lean"):
        np.testing.assert_array_equal(skrehab.from_pretrained(name).scale_, scaler.scale_)
    for name in ("./lab/none", "~/none", tmp_path / "none", "a/b/c"):
        with pytest.raises(FileNotFoundError, match=r"is a path.*no model\.json"):
            skrehab.from_pretrained(name)
