"""``skrehab assess`` with a model of several labels, and ``skrehab pose --manifest``."""

import csv
import json

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_trials
from media import moving_astronaut, write_video
from real_files import model_file

import skrehab
from skrehab.datasets import load_manifest
from skrehab.trials import ragged

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.skipif(model_file() is None, reason="no pose model file on this machine"),
]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("films") / "anna.mp4", moving_astronaut(8)[0])


def test_a_verdict_a_table_and_a_report_by_label(run, video, tmp_path):
    data = tiny_trials(n_landmarks=33, n_coords=4)
    frames = ragged([np.stack([one, 1 - one], axis=1) for one in data.frame_labels])
    model = skrehab.MultiLabelFrames(tiny_frames(), label_names=["trunk", "head"])
    skrehab.save(Pipeline([("frames", model)]).fit(data.X, frames), tmp_path / "model")
    names = ("--label-names", "head=head forward")
    code, out, err = run(
        *("assess", tmp_path / "model", video, "-o", tmp_path / "out", *names),
        *("--model-path", model_file(), "--threshold", 0.4, "--summary", tmp_path / "all.csv"),
    )
    assert code == 0, err
    with open(tmp_path / "out" / "anna_frames.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-2:] == ["trunk", "head forward"] and len(rows) == 8
    proba = np.array([[float(row["trunk"]), float(row["head forward"])] for row in rows])
    n_on = (proba >= 0.4).sum(axis=0)
    assert f"for 'trunk', {n_on[0]} of 8 frames at 0.4 or above" in out
    assert f"for 'head forward', {n_on[1]} of 8 frames at 0.4 or above" in out
    with open(tmp_path / "all.csv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["trunk"]) == pytest.approx(proba[:, 0].max(), abs=1e-4)  # a tenth of 8 is one
    found = [name for name in ("trunk", "head forward") if float(row[name]) >= 0.4]
    assert f"anna.mp4: {', '.join(found) or 'usual'}" in out
    page = (tmp_path / "out" / "anna_report.html").read_text(encoding="utf-8")
    assert "<dt>trunk</dt>" in page and "<dt>head forward</dt>" in page and "8 of 8" in page
    assert (tmp_path / "out" / "anna_overlay.mp4").stat().st_size > 1000


@pytest.mark.parametrize("labels", [["lean", "usual"], ["usual", "lean"]])
def test_a_model_of_words(run, video, tmp_path, labels):
    """Its metadata list the words in any order; the normal one was told in fit."""
    data = tiny_trials(n_landmarks=33, n_coords=4)
    y = np.array(["usual", "lean"])[data.y]
    model = skrehab.recipes.recommended(
        None, n_teachers=1, max_epochs=1, normal_label="usual", random_state=0
    ).fit(data.X, y)
    skrehab.save(model, tmp_path / "model", metadata={"labels": labels})
    words = ("--label-names", "usual=gewohnt", "--model-path", model_file())
    code, out, err = run(
        *("assess", tmp_path / "model", video, "-o", tmp_path, "--no-overlay", "--no-report"),
        *(*words, "--summary", tmp_path / "all.csv"),
    )
    assert code == 0, err
    with open(tmp_path / "anna_frames.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-2:] == ["gewohnt", "lean"]  # the normal one first
    found = skrehab.assessment.assess_video(model, video, model_path=model_file())
    lean = [float(row["lean"]) for row in rows]
    np.testing.assert_allclose(lean, found.proba[:, found.classes.index("lean")], atol=1e-4)
    with open(tmp_path / "all.csv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    teacher = model["labels"].estimator_
    whole = dict(zip(["lean", "gewohnt"], found.verdict.video))
    assert teacher.classes_.tolist() == ["lean", "usual"]
    assert row["verdict_of_whole"] == max(whole, key=whole.get)
    code, out, err = run("live", tmp_path / "model", "--video", video, "--headless", *words)
    assert code == 0, err
    assert list(json.loads(out.splitlines()[0])["probabilities"]) == ["gewohnt", "lean"]
    code, _, err = run(
        *("assess", tmp_path / "model", video, "-o", tmp_path / "new", "--label-names", "0=x")
    )
    assert code == 1 and "'0', which is not among the labels ['lean', 'usual']" in err
    assert not (tmp_path / "new").exists()


def test_poses_with_a_manifest_to_fill_in(run, video, tmp_path):
    manifest = tmp_path / "study" / "trials.csv"
    asked = ("pose", video, "-o", tmp_path / "poses", "--model-path", model_file())
    code, out, err = run(*asked, "--manifest", manifest)
    assert code == 0, err
    assert f"{manifest}: 1 trial, 1 without a label" in out
    said = " ".join(err.split())
    assert f"skrehab serve --label {manifest}; then skrehab check {manifest}." in said
    with open(manifest, encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["path"] == "../poses/anna.npz" and row["trial"] == "anna" and row["label"] == ""
    sheet = skrehab.datasets.LabelSheet(manifest)
    assert sheet.video(0).samefile(video)
    sheet.change(0, label="1", patient="P01")
    code, out, err = run(*asked, "--manifest", manifest)  # again: what was filled in stays
    assert code == 0 and "1 trial, 0 without a label" in out
    data = load_manifest(manifest)
    assert data.y.tolist() == [1] and data.X[0].shape == (8, 33, 4)
    code, _, err = run(*asked, "--manifest", tmp_path / "trials.xlsx")
    assert code == 1 and "--manifest must be a .csv" in err


def test_frames_count_from_what_the_model_chose(run, video, tmp_path):
    """``live`` and ``serve`` gave the cue from there, and this table counted from 0.5."""
    data = tiny_trials(n_landmarks=33, n_coords=4)
    model = skrehab.CalibratedByPatient(tiny_frames(), cv=2, false_alarms=60.0, frame_rate=10)
    model.fit(data.X, data.frame_labels, groups=data.patients)
    skrehab.save(model, tmp_path / "model")
    assert model.threshold_ != 0.5
    how = ("--model-path", model_file(), "--no-overlay", "--no-report", "-o", tmp_path)
    for given, used in (((), min(model.threshold_, 1)), (("--threshold", 0.25), 0.25)):
        code, out, err = run(
            *("assess", tmp_path / "model", video, *how, *given, "--overwrite"),
            *("--summary", tmp_path / "all.csv"),
        )
        assert code == 0, err
        with open(tmp_path / "all.csv", encoding="utf-8") as file:
            (row,) = csv.DictReader(file)
        assert float(row["threshold"]) == pytest.approx(used, rel=1e-5) and f"at {used:g}" in out
