"""Tables of the site that are made from the code and its benchmarks."""

import importlib.util
import pathlib
import re
import sys

import pytest

from skrehab import networks

ROOT = pathlib.Path(__file__).resolve().parents[1]
MEASURED = (ROOT / "benchmarks" / "results" / "networks.md").read_text(encoding="utf-8")


def extension(name):
    """Load one of docs/_ext."""
    spec = importlib.util.spec_from_file_location(f"site_{name}", ROOT / "docs/_ext" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_network_stands_in_the_choice_with_what_was_measured():
    table = extension("choice_pages").network_choice(MEASURED)
    names = re.findall(r"^   \* - ``(\w+)``$", table, flags=re.MULTILINE)
    own = [n for n in networks.list_networks() if "skrehab" in str(networks.get_spec(n).builder)]
    assert sorted(names) == sorted(set(names)) and set(own) <= set(names)
    entry = table[table.index("``act``") :].splitlines()[:6]
    row = next(row for row in MEASURED.splitlines() if row.startswith("| act |"))
    forward, training, megabytes = (row.strip("| ").split(" | ")[i] for i in (4, 5, 7))
    assert entry[1:5] == [
        "     - any skeleton, trials of any length",
        "     - 225,538",
        f"     - {forward}; {training} to train",
        f"     - {megabytes}",
    ]
    assert names.index("act") < names.index("moment") < names.index("r3d")  # quickest first


def test_a_network_that_was_not_measured_is_listed_all_the_same(monkeypatch):
    import torch

    from skrehab.networks import registry

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    networks.register(networks.NetworkSpec("newest", torch.nn.Linear, "a", "b", "c"))
    assert "``newest``" in extension("choice_pages").network_choice(MEASURED)


def test_errors_have_cause_and_cure():
    group = {"title": "Lists", "error": [{"message": "m ...", "cause": "a `b`.", "cure": "c."}]}
    assert extension("choice_pages").error_page({"group": [group]}).splitlines() == [
        "Lists", "-----", "", "``m ...``", "   a ``b``.", "", "   **Do:** c.",
    ]  # fmt: skip


def test_every_public_object_has_its_line_in_the_api():
    import skrehab

    text = extension("generated_pages").api_by_task()
    for name in skrehab._PUBLIC:
        assert f"   ~skrehab.{name}\n" in text
    for name in ("metrics.by_patient", "datasets.write_mini_set", "evaluation.tripod_checklist"):
        assert text.count(f"   ~skrehab.{name}\n") == 1


def test_a_notebook_becomes_a_page():
    png = "iVBORw0KGgo="
    code = {"cell_type": "code", "source": ["a\n", "b"]}
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": ["Words."]},
            code | {"outputs": [{"text": ["out\n"]}, {"data": {"text/html": "<p>x</p>"}}]},
            code | {"outputs": [{"data": {"image/png": png, "text/plain": "Figure"}}]},
        ]
    }
    text, pictures = extension("notebook_pages").rst_of(notebook, "nb")
    assert list(pictures) == ["nb_0.png"] and pictures["nb_0.png"].startswith(b"\x89PNG")
    assert text.startswith("Words.\n") and "   a\n   b\n" in text and "   out\n" in text
    assert "<p>x</p>" in text and "/generated/notebooks/nb_0.png" in text and "Figure" not in text


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
