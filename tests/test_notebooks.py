"""The notebook of the documentation runs, and shows what is stored in it."""

import json
import os
import pathlib
import re
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import evaluate_by_patient

ROOT = pathlib.Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def shape_of(notebook):
    """The kinds of outputs of each cell; of text in HTML only what does not depend on scores."""
    found = []
    for cell in notebook["cells"]:
        kinds = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            html = re.sub(r"sk-container-id-\d+|\d", "", "".join(data.get("text/html", "")))
            kinds.append((output["output_type"], sorted(data), "table" in html, "pre" in html))
        found.append((cell["cell_type"], kinds))
    return found


def test_there_is_a_notebook_that_was_run():
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert code and all(cell["outputs"] for cell in code)
        assert not any(o["output_type"] == "error" for cell in code for o in cell["outputs"])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="the extra notebook is not installed")
    nbformat = pytest.importorskip("nbformat", reason="the extra notebook is not installed")
    pytest.importorskip("ipykernel", reason="the extra notebook is not installed")
    kernel = tmp_path / "kernels" / "here"  # this Python, whatever is registered on the machine
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "here", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    notebook = nbformat.read(path, as_version=4)
    stored = shape_of(notebook)
    run = nbclient.NotebookClient(
        notebook, timeout=500, kernel_name="here", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    for cell in run["cells"]:  # warnings go to stderr, and are not stored
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stderr"]
    assert shape_of(run) == stored


# --- what notebooks show --------------------------------------------------------------------------
class Height(ClassifierMixin, BaseEstimator):
    """Scores a trial by its mean."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = np.array([trial.mean() for trial in X])
        return np.stack([1 - p, p], axis=1)


def test_data_sets_show_what_they_hold():
    data = make_rehab_trials(3, 1, "brush_hair", random_state=0)
    html = data._repr_html_()
    assert "6 trials of 3 patients" in html and "frame rate: 10 a second" in html
    assert "<script" not in html and "frame_compensations" in html
    data.exercise = ["<script>"] * 6
    assert "<script" not in data._repr_html_()
    data.X = None  # whatever was done to it
    assert "holds" in data._repr_html_()


def test_studies_show_their_tables():
    y, patients = np.array([0, 1] * 3), ["Ann", "Ann", "Bea", "Bea", "Cid", "Cid"]
    X = [np.full((9, 5, 3), 0.2 + 0.5 * label + 0.01 * i) for i, label in enumerate(y)]
    study = evaluate_by_patient({"<b>height": Height()}, X, y, patients, random_state=None)
    html = study._repr_html_()
    assert html.count("<table") == 1
    assert "&lt;b&gt;height" in html and "<b>height" not in html
    assert "1.00" in html and "Wilcoxon" in html
