"""The notebook of the documentation runs, and shows what is stored in it."""

import inspect
import json
import os
import pathlib
import re
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skrehab import datasets
from skrehab.datasets import make_bbt_clips, make_rehab_trials
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


def jupyter(tmp_path, monkeypatch):
    """Return nbclient and nbformat, and register this Python, whatever else is on the machine."""
    nbclient = pytest.importorskip("nbclient", reason="the extra notebook is not installed")
    nbformat = pytest.importorskip("nbformat", reason="the extra notebook is not installed")
    pytest.importorskip("ipykernel", reason="the extra notebook is not installed")
    kernel = tmp_path / "kernels" / "here"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "here", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return nbclient, nbformat


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
    nbclient, nbformat = jupyter(tmp_path, monkeypatch)
    notebook = nbformat.read(path, as_version=4)
    stored = shape_of(notebook)
    run = nbclient.NotebookClient(
        notebook, timeout=500, kernel_name="here", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    for cell in run["cells"]:  # warnings go to stderr, and are not stored
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stderr"]
    assert shape_of(run) == stored


# --- progress -------------------------------------------------------------------------------------
class Height(ClassifierMixin, BaseEstimator):
    """Scores a trial by its mean."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = np.array([trial.mean() for trial in X])
        return np.stack([1 - p, p], axis=1)


STUDY = f"""
import sys, warnings
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from skrehab.evaluation import evaluate_by_patient
warnings.simplefilter("ignore")
sys.modules["ipywidgets"] = None  # it is not needed
{inspect.getsource(Height)}
y = np.array([0, 1] * 3)
X = [np.full((9, 5, 3), 0.2 + 0.5 * label + 0.01 * i) for i, label in enumerate(y)]
study = evaluate_by_patient(Height(), X, y, list("aabbcc"), progress=True)
"""
EPOCHS = """
from skrehab.pretraining.progress import progress_bar
with progress_bar(True, 2) as told:
    told({"epoch": 1, "pace": 0.5})
    told({"epoch": 2, "pace": 0.25})
"""


@pytest.mark.timeout(300)
def test_progress_is_a_line_that_changes_in_a_notebook(tmp_path, monkeypatch):
    nbclient, nbformat = jupyter(tmp_path, monkeypatch)
    cells = [nbformat.v4.new_code_cell(source) for source in (STUDY, EPOCHS)]
    messages = []
    client = nbclient.NotebookClient(
        nbformat.v4.new_notebook(cells=cells), timeout=250, kernel_name="here",
        resources={"metadata": {"path": str(tmp_path)}},
    )  # fmt: skip
    process = client.process_message
    client.process_message = lambda msg, *rest: messages.append(msg) or process(msg, *rest)
    study, epochs = client.execute()["cells"]
    (line,) = study["outputs"]  # one output, changed in place; no warning of a missing package
    assert line["data"]["text/plain"] == f"Folds {chr(0x2588) * 30} 3/3"
    (line,) = epochs["outputs"]
    assert line["data"]["text/plain"].endswith("2/2 0:00 left, pace 0.25")
    kinds = [message["msg_type"] for message in messages]
    assert kinds.count("display_data") == 2  # shown before the work
    first = next(m for m in messages if m["msg_type"] == "display_data")["content"]["data"]
    assert first["text/plain"].startswith("Folds") and "0/" in first["text/plain"]


def test_progress_of_a_study_goes_to_stderr_elsewhere(capfd):
    y, patients = np.array([0, 1] * 3), list("aabbcc")
    X = [np.full((9, 5, 3), 0.2 + 0.5 * label + 0.01 * i) for i, label in enumerate(y)]
    evaluate_by_patient(Height(), X, y, patients, progress=True, random_state=None)
    out, err = capfd.readouterr()
    assert out == "" and "Folds" in err and "3/3" in err
    evaluate_by_patient(Height(), X, y, patients, progress=False, random_state=None)
    assert "Folds" not in capfd.readouterr().err
    with pytest.raises(TypeError, match="progress must be"):
        evaluate_by_patient(Height(), X, y, patients, progress=3, random_state=None)


# --- what notebooks show --------------------------------------------------------------------------
def test_data_sets_show_what_they_hold():
    data = make_rehab_trials(3, 1, "brush_hair", random_state=0)
    html = data._repr_html_()
    assert "6 trials of 3 patients" in html and "frame rate: 10 a second" in html
    assert "<script" not in html and "frame_compensations" in html
    data.exercise = ["<script>"] * 6
    assert "<script" not in data._repr_html_()
    data.X = None  # whatever was done to it
    assert "holds" in data._repr_html_()


def test_data_sets_show_themselves_in_few_lines():
    data = make_rehab_trials(3, 1, "brush_hair", random_state=0)
    lines = repr(data).splitlines()
    assert lines[0] == "6 trials of 3 people" and len(lines) == 1 + len(data)
    assert all(len(line) <= 80 for line in lines)
    said = {line.split()[0]: line for line in lines[1:]}
    assert said["y"].endswith("6 values: 0, 1") or said["y"].endswith("6 values: 1, 0")
    assert said["groups"].endswith("P01, P02, P03")
    assert said["X"].endswith(f"6 arrays, the first {data.X[0].shape}, float32")
    data.clear()
    assert "nothing" in repr(data) and "nothing" in data._repr_html_()


def test_data_sets_without_labels_called_y_show_themselves():
    data = make_bbt_clips(2, 1, random_state=0)
    html = data._repr_html_()
    assert html.startswith(f"<pre>{len(data.videos)} trials of 2 people</pre>")
    assert "coco17" in html and len(html) < 3000


@pytest.mark.parametrize("name", [n for n in datasets.__all__ if n.startswith("load_")])
def test_every_loader_returns_what_shows_itself(name):
    source = inspect.getsource(inspect.getmodule(getattr(datasets, name)))
    assert "TrialsBunch(" in source
    assert not re.search(r"\bBunch\(", source.replace("TrialsBunch", ""))


def test_studies_show_their_tables():
    y, patients = np.array([0, 1] * 3), ["Ann", "Ann", "Bea", "Bea", "Cid", "Cid"]
    X = [np.full((9, 5, 3), 0.2 + 0.5 * label + 0.01 * i) for i, label in enumerate(y)]
    study = evaluate_by_patient({"<b>height": Height()}, X, y, patients, random_state=None)
    html = study._repr_html_()
    assert html.count("<table") == 1
    assert "&lt;b&gt;height" in html and "<b>height" not in html
    assert "1.00" in html and "Wilcoxon" in html
