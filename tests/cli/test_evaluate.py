"""``skrehab check``, ``skrehab evaluate`` and ``train --report`` on a manifest of pose files."""

import csv

import numpy as np
import pytest


@pytest.fixture
def manifest(tmp_path):
    """Three patients, one of them under two spellings, and one recording twice."""
    rng = np.random.RandomState(0)
    rows = []
    for i in range(12):
        trial = 0.05 * rng.randn(60, 33, 3)
        trial[30:50, 11:17] += i % 2
        np.save(tmp_path / f"trial{i}.npy", trial)
        (tmp_path / f"trial{i}.csv").write_text(
            "start,stop,label\n" + ("1,1.66,1\n" if i % 2 else "")
        )
        patient = f"P{i // 4 + 1}" if i != 5 else "p02"
        rows.append(
            [f"T{i}", f"trial{i}.npy", patient, "reach", "left", i % 2, f"trial{i}.csv", 30]
        )
    path = tmp_path / "trials.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = "trial path patient exercise side label frame_labels frame_rate"
        writer.writerow(names.split())
        writer.writerows(rows)
    return path


def mended(manifest):
    manifest.write_text(manifest.read_text().replace("p02", "P2"))
    return manifest


def test_check_says_what_is_odd(run, manifest):
    code, out, err = run("check", manifest)
    assert code == 0, err
    assert "12 trials of 4 patients" in out
    assert "P2, p02 may be one person" in err
    assert "All trials have one label" in err and "p02" in err
    code, out, err = run("check", mended(manifest))
    assert "Nothing odd was found" in out and "note" not in err


def test_evaluate_writes_a_report_and_goes_on(run, manifest, tmp_path):
    arguments = ["evaluate", mended(manifest), "-o", tmp_path / "out", "--folds", 3]
    code, out, err = run(*arguments, "--models", "truth", "--epochs", 1)
    assert code == 0, err
    assert "truth" in out and "trial duration alone" in out
    assert "With 3 patients" in err
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Moments in the right order" in page and "<script" not in page
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {
        "report.html", "summary.csv", "pairs.csv", "patients.csv", "frames.csv", "table.tex", "kept"
    }  # fmt: skip
    assert len(list((tmp_path / "out" / "kept" / "folds").iterdir())) == 3
    code, out, err = run(*arguments, "--models", "truth,lstm", "--epochs", 1)
    assert code == 0, err
    assert len(list((tmp_path / "out" / "kept" / "folds").iterdir())) == 6
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "lstm: the published method with this network" in page and "Two trials" in page


def test_evaluate_names_what_it_does_not_know(run, manifest, tmp_path):
    code, _, err = run("evaluate", mended(manifest), "-o", tmp_path / "o", "--models", "lsmt")
    assert code == 1
    assert "There is no model 'lsmt'" in err and "recommended, truth" in err


def test_train_writes_a_report(run, manifest, tmp_path):
    code, out, err = run(
        *("train", mended(manifest), "-o", tmp_path / "model", "--recipe", "published"),
        *("--network", "lstm", "--epochs", 1, "--report", tmp_path / "out"),
    )
    assert code == 0, err
    assert (tmp_path / "out" / "report.html").exists()
    assert "Trial AUC, patients held out" in out
    assert (tmp_path / "model" / "model.json").exists()


@pytest.mark.parametrize("names", [("usual", "lean"), ("0", "1")])
def test_frame_labels_in_the_report_of_train_have_their_words(run, manifest, tmp_path, names):
    """Words become codes to be trained on, and words again in what is read."""
    lines = mended(manifest).read_text().splitlines()
    rows = [line.split(",") for line in lines]
    for row in rows[1:]:
        row[5] = names[int(row[5])]
        file = tmp_path / row[6]
        file.write_text(file.read_text().replace(",1\n", f",{names[1]}\n"))
    manifest.write_text("\n".join(map(",".join, rows)) + "\n")
    code, _, err = run(
        *("train", manifest, "-o", tmp_path / "model", "--recipe", "published"),
        *("--network", "lstm", "--epochs", 1, "--report", tmp_path / "out"),
        *("--normal-label", names[0]),
    )
    assert code == 0, err
    with open(tmp_path / "out" / "frames.csv", newline="", encoding="utf-8") as file:
        frames = list(csv.DictReader(file))
    counts = {name: sum(row["label"] == name for row in frames) for name in names}
    assert counts == {names[0]: 12 * 60 - 6 * 20, names[1]: 6 * 20}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Moments in the right order" in page
    assert f"Trials without the motion looked for have the label {names[0]}" in page
    with open(tmp_path / "out" / "summary.csv", newline="", encoding="utf-8") as file:
        assert "frame AUC" in {row["metric"] for row in csv.DictReader(file)}


def test_frames_labelled_as_no_trial_are_left_out_with_a_word(run, manifest, tmp_path):
    mended(manifest)
    (tmp_path / "trial1.csv").write_text("start,stop,label\n1,1.66,7\n")
    code, _, err = run(
        *("train", manifest, "-o", tmp_path / "model", "--recipe", "published"),
        *("--network", "lstm", "--epochs", 1, "--report", tmp_path / "out"),
    )
    assert code == 0, err
    assert "frames are labelled 7, as no trial is" in err
