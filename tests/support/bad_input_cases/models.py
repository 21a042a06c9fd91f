"""Model folders: parts cut, missing, exchanged or changed, before skrehab.load."""

import functools
import json
import tempfile
from pathlib import Path

import numpy as np

import skrehab
from bad_input_cases.case import battery, cut, folder_called, hole, link, nothing, pipe, rubbish
from bad_input_cases.trials import fitted, good_trial
from skrehab.persistence import read_metadata

CASES, case = battery()
GROUP = "model folders"


@functools.cache
def saved():
    """Return the files of a good model, by name."""
    with tempfile.TemporaryDirectory() as folder:
        path = skrehab.save(fitted(), Path(folder) / "model")
        return {file.name: file.read_bytes() for file in path.iterdir()}


def model(file=None, change=None, name="model"):
    """Write the model, one file of it changed, or left out where the change gives None."""

    def make(folder):
        path = folder / name
        path.mkdir()
        for known, data in saved().items():
            data = change(data) if known == file else data
            if data is not None:
                (path / known).write_bytes(data)
        return path

    return make


def tree(change):
    """Change the JSON of the model."""

    def make(data):
        content = json.loads(data)
        change(content)
        return json.dumps(content).encode()

    return make


case(
    GROUP,
    "whole",
    model(),
    lambda path: skrehab.load(path).predict_proba([good_trial()]),
    lambda said: np.array_equal(said[0], fitted().predict_proba([good_trial()])[0]),
)
case(
    GROUP,
    "unicode and blanks",
    model(name="Modèle 映像 🙂"),
    lambda path: skrehab.load(path).predict_proba([good_trial()]),
    lambda said: said[0].shape == (9, 2),
)
for file in ("model.json", "weights.safetensors"):
    for label, change in {
        "missing": lambda data: None,
        "empty": lambda data: b"",
        "half of it": cut(0.5),
        "all but one byte": lambda data: data[:-1],
        "random bytes": lambda data: rubbish(0, len(data)),
        "zeros": lambda data: bytes(len(data)),
        "zeros in the middle": hole,
    }.items():
        if file == "weights.safetensors" and change is hole:
            continue  # other numbers are a whole file; the format has no check sum
        case(GROUP, f"{file}, {label}", model(file, change), skrehab.load, names=(file,))
for label, change in {
    "a list": lambda data: b"[1, 2]",
    "brackets without end": lambda data: b"[" * 100_000,
    "another format": tree(lambda t: t.update(format="other")),
    "a newer version": tree(lambda t: t.update(format_version=99)),
    "an entry too many": tree(lambda t: t.update(hooks=["import os"])),
    "an entry missing": tree(lambda t: t.pop("metadata")),
    "a class of Python": tree(lambda t: t["estimator"].update({"class": "os.system"})),
    "no class": tree(lambda t: t["estimator"].update({"class": None})),
    "a number as estimator": tree(lambda t: t.update(estimator=5)),
    "an unknown parameter": tree(lambda t: t["estimator"]["params"].update(__reduce__=1)),
    "an unknown attribute": tree(lambda t: t["estimator"]["state"].update(transform="x")),
    "a weight of another name": tree(
        lambda t: t["estimator"]["state"].update(mean_={"array": "../../etc/passwd"})
    ),
}.items():
    case(
        GROUP,
        f"model.json, {label}",
        model("model.json", change),
        skrehab.load,
        names=("model.json",),
    )
case(
    GROUP,
    "metadata of half a file",
    model("model.json", cut(0.5)),
    read_metadata,
    names=("model.json",),
)
case(GROUP, "nothing there", nothing("model"), skrehab.load)
case(GROUP, "an empty folder", folder_called("model"), skrehab.load)
case(GROUP, "a link to itself", link("model", "model"), skrehab.load)
case(GROUP, "a pipe", pipe("model"), skrehab.load)


def with_pipe(name):
    def make(folder):
        path = model(name, lambda data: None)(folder)
        pipe(name)(path)
        return path

    return make


for file in ("model.json", "weights.safetensors"):
    case(GROUP, f"a pipe called {file}", with_pipe(file), skrehab.load)
