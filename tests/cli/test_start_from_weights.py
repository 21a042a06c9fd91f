"""``skrehab train --weights``: the video network starts from a file, what it needs is set."""

import csv
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import skrehab
from skrehab import networks, recipes
from skrehab.cli import main as cli
from skrehab.cli._start import start_from


@pytest.fixture
def act_file(tmp_path):
    """AcT of the smallest size, as published: 13 joints with confidence, 20 actions."""
    torch.manual_seed(0)
    network = networks.build("act", n_landmarks=13, n_coords=3, n_outputs=20)
    save_file(network.state_dict(), tmp_path / "act.safetensors")
    return tmp_path / "act.safetensors"


def test_what_the_file_needs_is_set(act_file):
    pipeline = recipes.published("act")
    assert pipeline["labels"].estimator.network_params["size"] == "large"
    start_from(pipeline, act_file, freeze="encoder.0., encoder.1.")
    video = pipeline["labels"].estimator
    assert video.weights == str(act_file) and video.head == "new"
    assert video.freeze == ("encoder.0.", "encoder.1.")
    assert video.network_params == {"size": "micro", "n_frames": "all"}


def test_pyskls_weights_of_ctrgcn_need_a_relu(tmp_path):
    state = {"backbone.net.0.gcn1.alpha": torch.zeros(1)}
    save_file(state, tmp_path / "j.safetensors")
    pipeline = recipes.published("ctrgcn")
    start_from(pipeline, tmp_path / "j.safetensors", head="keep")
    video = pipeline["labels"].estimator
    assert video.network_params == {"temporal_relu": True} and video.head == "keep"


def test_what_has_no_place_is_refused(act_file, tmp_path):
    with pytest.raises(ValueError, match="--weights: for --recipe published only"):
        start_from(recipes.recommended(), act_file)
    with pytest.raises(ValueError, match="--freeze, --head: for --weights FILE only"):
        start_from(recipes.published(), None, freeze="encoder", head="new")
    with pytest.raises(FileNotFoundError, match=r"none\.h5: there is no such weights file"):
        start_from(recipes.published(), tmp_path / "none.h5")


def test_the_command_starts_from_the_file(act_file, tmp_path, monkeypatch, capsys):
    rows = [["trial", "path", "patient", "exercise", "side", "label"]]
    for i in range(6):
        np.save(tmp_path / f"{i}.npy", np.random.RandomState(i).randn(20, 33, 3))
        rows.append([f"T{i}", f"{i}.npy", f"P{i // 2}", "reach", "left", str(i % 2)])
    with open(tmp_path / "trials.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    command = ["skrehab", "train", tmp_path / "trials.csv", "-o", tmp_path / "model"]
    command += ["--recipe", "published", "--weights", act_file, "--freeze", "encoder,class_token"]
    command += ["--method", "vanilla_gradient", "--epochs", "1", "--no-evaluate"]
    monkeypatch.setattr(sys, "argv", list(map(str, command)))
    with pytest.raises(SystemExit) as stop:
        cli.main()
        raise SystemExit(0)
    assert not stop.value.code, capsys.readouterr().err
    video = skrehab.load(tmp_path / "model")["labels"].estimator_
    published = networks.weights.read_weights(act_file)
    for key, value in video.module_.state_dict().items():
        if key.startswith("encoder."):
            assert torch.equal(value, published[key]), key
    assert video.module_.proj.in_features == 99
