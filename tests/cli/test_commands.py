"""The command line, run in this process through its real entry point."""

import csv
import json
import os
import re

import numpy as np
import pytest
from media import moving_astronaut, write_video
from real_files import model_file

import skrehab
from skrehab.datasets import encode_labels
from skrehab.persistence import read_metadata

QUICK = ("--recipe", "published", "--network", "lstm", "--epochs", 1, "--no-evaluate")
QUICK += ("--normal-label", "usual")


@pytest.fixture
def manifest(tmp_path):
    """Write a manifest of pose files: patients P01-P03, words as labels."""
    rng = np.random.RandomState(0)
    rows = []
    for i in range(12):
        label = ("usual", "compensation")[i % 2]
        trial = 0.05 * rng.randn(100, 33, 3)
        trial[50:, 11:17] += label == "compensation"  # shoulders and arms: a shift moves no bone
        np.save(tmp_path / f"trial{i}.npy", trial)
        rows.append([f"T{i}", f"trial{i}.npy", f"P{i // 4 + 1:02d}", "reach", "left", label])
    path = tmp_path / "trials.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["trial", "path", "patient", "exercise", "side", "label"])
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    "command",
    [[], ["demo"], ["pose"], ["train"], ["assess"], ["timeline"], ["models"], ["models", "list"],
     ["models", "fetch"]],
)  # fmt: skip
def test_help(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "Usage" in out


def test_version(run):
    assert run("--version")[1].strip() == f"skrehab {skrehab.__version__}"


def test_the_command_starts_light(run_python):
    """Help, or a slip in typing, must not wait for torch."""
    code = "import skrehab.cli.main, sys"
    code += "; print(*{'torch', 'sklearn', 'av', 'fastapi'} & {*sys.modules})"
    assert run_python(code) == ""


def test_the_package_is_the_command(run_python):
    """``python -m skrehab`` is what ``skrehab`` is."""
    code = "import runpy, sys; sys.argv = ['skrehab', '--version']; "
    code += "runpy.run_module('skrehab', run_name='__main__')"
    assert run_python(code) == f"skrehab {skrehab.__version__}"


def test_wrong_use_ends_with_code_2_and_says_so_on_stderr(run):
    code, out, err = run("pose")
    assert code == 2
    assert out == ""
    assert "Missing argument" in err


def test_models_list_names_every_network_and_file(run):
    code, out, _ = run("models", "list", "--json")
    listed = json.loads(out)
    assert code == 0
    assert [row["name"] for row in listed["networks"]] == skrehab.networks.list_networks()
    assert [row["name"] for row in listed["files"]] == ["pose_landmarker_full"]


def test_fetch_of_an_unknown_file(run):
    code, _, err = run("models", "fetch", "nothing")
    assert code == 1
    assert "pose_landmarker_full" in err


def test_fetch_from_a_file_that_is_no_model(run, tmp_path):
    (tmp_path / "x.task").write_bytes(b"not a zip")
    code, _, err = run(
        "models", "fetch", "pose_landmarker_full", "--from-file", tmp_path / "x.task"
    )
    assert code == 1
    assert "x.task" in err


def test_train_needs_the_normal_label_of_words(run, manifest, tmp_path):
    code, _, err = run("train", manifest, "-o", tmp_path / "model")
    assert code == 1
    assert "--normal-label" in err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    "recipe",
    [
        ("--epochs", 20),
        ("--recipe", "published", "--network", "lstm", "--epochs", 10, "--threshold", "auto"),
    ],
)
def test_train_writes_a_model_that_knows_its_labels_and_no_patient(run, manifest, tmp_path, recipe):
    model = tmp_path / "model"
    code, out, err = run("train", manifest, "-o", model, *recipe, "--normal-label", "usual")
    assert code == 0, err
    assert "Trial AUC" in out
    metadata = read_metadata(model)
    assert metadata["labels"] == ["usual", "compensation"]
    assert metadata["recipe"] == ("published" if "published" in recipe else "recommended")
    assert metadata["trial_auc"]["n_defined"] == 3
    assert not any(b"P01" in file.read_bytes() for file in model.iterdir())

    # the score is that of the compensation, not of whichever word comes last in the alphabet
    pipeline = skrehab.load(model)
    trial = np.load(tmp_path / "trial1.npy")
    score = 1 - pipeline.predict_proba([trial])[0][:, 0]
    assert score[60:].mean() > score[:40].mean()

    code, _, err = run("train", manifest, "-o", model, "--normal-label", "usual")
    assert code == 1
    assert "exists already" in err


def test_train_names_a_bad_threshold(run, manifest, tmp_path):
    code, _, err = run(
        *("train", manifest, "-o", tmp_path / "m", "--normal-label", "usual"),
        *("--recipe", "published", "--threshold", "much"),
    )
    assert code == 1
    assert "much" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--network", "lstm"), "--network: for --recipe published only"),
        (("--method", "frame_logits", "--threshold", "0.5"), "--method, --threshold: for --recipe"),
        (("--recipe", "published", "--skeleton", "ntu25"), "--skeleton is for --recipe recomm"),
        (("--recipe", "best"), "'best' is not one of"),
    ],
)
def test_options_of_the_other_recipe_are_refused(run, manifest, tmp_path, options, message):
    code, _, err = run("train", manifest, "-o", tmp_path / "m", "--normal-label", "usual", *options)
    assert code in (1, 2)
    assert message in " ".join(err.replace("│", " ").split())


def test_patients_and_exercises_reach_the_training(run, manifest, tmp_path):
    """The splice is on: with every trial an exercise of its own there is less to join."""
    options = ("--epochs", 1, "--no-evaluate", "--normal-label", "usual")
    together = manifest.read_text()
    models = []
    for name in ("together", "apart"):
        if name == "apart":
            rows = together.splitlines()
            manifest.write_text(
                "\n".join(row.replace("reach", f"reach{i}") for i, row in enumerate(rows)) + "\n"
            )
        code, _, err = run("train", manifest, "-o", tmp_path / name, *options)
        assert code == 0, err
        models.append(skrehab.load(tmp_path / name))
    trial = np.load(tmp_path / "trial1.npy")
    one, other = (model.predict_proba([trial])[0] for model in models)
    assert np.abs(one - other).max() > 1e-4


def test_the_skeleton_of_pose_files(run, manifest, tmp_path):
    for path in tmp_path.glob("trial*.npy"):
        np.save(path, np.load(path)[:, :25])
    options = ("--epochs", 1, "--no-evaluate", "--normal-label", "usual")
    code, _, err = run("train", manifest, "-o", tmp_path / "m", *options)
    assert code == 1
    assert "Several skeletons may be meant" in err and "kinect25" in err
    for skeleton, first in (("kinect25", "bones"), ("none", "motion")):
        model = tmp_path / skeleton
        code, _, err = run("train", manifest, "-o", model, *options, "--skeleton", skeleton)
        assert code == 0, err
        assert skrehab.load(model).steps[0][0] == first


def test_pose_names_bad_videos_and_keeps_the_good(run, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    code, _, err = run("pose", tmp_path / "bad.mp4", "-o", tmp_path / "poses")
    assert code == 1
    assert "bad.mp4" in err


def test_pose_refuses_two_videos_of_one_name(run, tmp_path):
    videos = [tmp_path / name / "x.mp4" for name in "ab"]
    for video in videos:
        video.parent.mkdir()
        video.touch()
    code, _, err = run("pose", *videos, "-o", tmp_path / "poses")
    assert code == 1
    assert "x.npz" in err


@pytest.mark.parametrize("name", ["[red]a[/nothing].mp4", ":smile:.mp4", "[/].mp4"])
def test_names_are_no_markup(run, tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("pose", name, "-o", "poses", "--model-path", model_file() or "none.task")
    assert code == 1
    assert name in err or model_file() is None


@pytest.mark.skipif(model_file() is None, reason="no pose model file on this machine")
def test_pose_goes_on_where_it_stopped(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SKREHAB_MODELS", str(model_file()))
    # the second name is no text: what an archive of another century unpacks to
    videos = [tmp_path / name for name in ("a.mp4", os.fsdecode(b"\xe9.mp4"), "c.mp4")]
    for video in videos:
        frames = moving_astronaut(2, step=4)[0]
        os.replace(write_video(tmp_path / "video.mp4", frames), video)
    poses = tmp_path / "poses"
    code, out, err = run("pose", *videos[:2], "-o", poses)
    assert code == 0, err
    kept = (poses / "a.npz").stat().st_mtime_ns
    second = poses / os.fsdecode(b"\xe9.npz")
    second.write_bytes(second.read_bytes()[:-9])  # a copy that was broken off
    code, out, err = run("pose", *videos, "-o", poses)
    assert code == 0, err
    assert "1 of 3 videos was done already" in err
    assert out.count("2 frames, 2 with a pose") == 2
    assert (poses / "a.npz").stat().st_mtime_ns == kept
    with np.load(second) as again, np.load(poses / "c.npz") as new:
        np.testing.assert_array_equal(again["world"], new["world"])


@pytest.mark.skipif(model_file() is None, reason="no pose model file on this machine")
def test_from_video_to_overlay(run, manifest, tmp_path, monkeypatch):
    monkeypatch.setenv("SKREHAB_MODELS", str(model_file()))
    video = write_video(tmp_path / "someone new.mp4", moving_astronaut(12)[0])
    code, out, err = run("pose", video, "-o", tmp_path / "poses")
    assert code == 0, err
    assert "12 frames, 12 with a pose" in out
    with np.load(tmp_path / "poses" / "someone new.npz") as poses:
        assert poses["world"].shape == (12, 33, 4)
        assert (np.diff(poses["timestamps"]) > 0).all()

    # the model was trained on poses without visibility, as any .npy may hold; it must say so
    model = tmp_path / "model"
    for path in tmp_path.glob("trial*.npy"):
        trial = np.load(path)
        np.save(path, np.concatenate([trial, np.ones((len(trial), 33, 1))], axis=2))
    code, _, err = run(
        *(
            "train",
            manifest,
            "-o",
            model,
            "--recipe",
            "published",
            "--network",
            "lstm",
            "--epochs",
            3,
            "--no-evaluate",
        ),
        *("--normal-label", "usual"),
    )
    assert code == 0, err
    code, out, err = run("assess", model, video, "-o", tmp_path / "out")
    assert code == 0, err
    with open(tmp_path / "out" / "someone new_frames.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert float(rows[3]["usual"]) + float(rows[3]["compensation"]) == pytest.approx(1, abs=1e-5)
    assert (tmp_path / "out" / "someone new_overlay.mp4").stat().st_size > 1000


def test_models_of_other_landmarks_refuse_videos_before_looking_for_a_pose(run, manifest, tmp_path):
    model = tmp_path / "model"
    code, _, err = run("train", manifest, "-o", model, *QUICK)
    assert code == 0, err
    video = write_video(tmp_path / "new.mp4", moving_astronaut(4)[0])
    code, _, err = run("assess", model, video, "-o", tmp_path / "out")
    assert code == 1
    assert "trained on 33 landmarks with 3 values, and poses of videos have 33 with 4" in err


@pytest.mark.skipif(model_file() is None, reason="no pose model file on this machine")
def test_a_video_comes_at_the_rate_of_the_training(run, manifest, tmp_path, monkeypatch):
    monkeypatch.setenv("SKREHAB_MODELS", str(model_file()))
    for path in tmp_path.glob("trial*.npy"):
        trial = np.load(path)
        trial = np.concatenate([trial, np.ones((len(trial), 33, 1))], axis=2)
        np.savez(path.with_suffix(".npz"), world=trial, timestamps=np.arange(len(trial)) / 10)
    manifest.write_text(manifest.read_text().replace(".npy", ".npz"))
    code, _, err = run("train", manifest, "-o", tmp_path / "model", *QUICK)
    assert code == 0, err
    assert read_metadata(tmp_path / "model")["frame_rate"] == 10
    for fps, n_rows in ((30, 5), (10.5, 13)):  # 0.43 s at 30 frames a second; nearly 10 as it is
        video = write_video(tmp_path / f"at {fps}.mp4", moving_astronaut(13)[0], fps=fps)
        code, _, err = run("assess", tmp_path / "model", video, "-o", tmp_path / "out")
        assert code == 0, err
        assert ("resampled to 10 frames a second" in err) is (fps == 30)
        with open(tmp_path / "out" / f"at {fps}_frames.csv", encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == n_rows


def test_frame_rates_of_the_training(run, manifest, tmp_path):
    code, _, err = run("train", manifest, "-o", tmp_path / "model", *QUICK, "--target-fps", 10)
    assert code == 1
    assert "give them to 'skrehab pose'" in err
    first, second = sorted(tmp_path.glob("trial*.npy"))[:2]
    for path, fps in ((first, 10), (second, 25)):
        trial = np.load(path)
        np.savez(path.with_suffix(".npz"), world=trial, timestamps=np.arange(len(trial)) / fps)
        manifest.write_text(manifest.read_text().replace(path.name, path.with_suffix(".npz").name))
    code, _, err = run("train", manifest, "-o", tmp_path / "model", *QUICK)
    assert code == 0, err
    assert "trials have 10 to 25 frames a second" in err


def test_assess_wants_a_probability(run, tmp_path):
    code, _, err = run("assess", tmp_path, "new.mp4", "--threshold", 7)
    assert code == 2
    assert "less than or equal to 1" in err


def test_demo_writes_report_figures_and_scores(run, tmp_path):
    code, out, err = run(
        *("demo", "-o", tmp_path, "--patients", 3, "--repetitions", 1, "--jobs", 1, "--epochs", 2)
    )
    assert code == 0, err
    for method in ("recommended", "published (AcT", "MLP trained on frame truth", "constant"):
        assert method in out
    assert "trial duration alone" in out
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert report.count("data:image/png;base64") == 3
    with open(tmp_path / "frame_auc_by_patient.csv", encoding="utf-8") as file:
        assert [row["patient"] for row in csv.DictReader(file)] == ["P01", "P02", "P03"]
    assert re.search(r"No compensation was seen. Missed: |False alarms: .*Missed: ", report)


def test_the_trial_that_is_shown_is_chosen_without_truth():
    from skrehab.cli.demo_report import about_trial, chosen_trial
    from skrehab.cli.demo_run import RECOMMENDED
    from skrehab.trials import ragged

    class Result:
        """Has no frame labels to look at."""

        frame_scores = {RECOMMENDED: ragged([np.full(4, p) for p in (0.9, 0.2, 0.4, 0.99, 0.6)])}
        data = type("Data", (), {"y": np.array([1, 0, 1, 0, 1])})

    assert chosen_trial(Result) == 4  # 0.4, 0.6 and 0.9 are compensation
    scores, truth = np.array([0.1, 0.9, 0.9, 0.8, 0.1, 0.2]), np.array([0, 1, 0, 0, 1, 1])
    maps = np.ones((6, 3)) * [1, 3, 2]
    text = about_trial(scores, truth, maps, ["neck", "left_hip_to_knee", "trunk"], 10)
    assert text == (
        "Compensation was seen at 0.1 to 0.4 s, most in left hip to knee, trunk. "
        "False alarms: 0.2 to 0.4 s. Missed: 0.4 to 0.6 s."
    )
    assert about_trial(scores * 0, truth, maps, ["a", "b", "c"], 10) == (
        "No compensation was seen. Missed: 0.1 to 0.2 s, 0.4 to 0.6 s."
    )


@pytest.mark.parametrize(
    ("y", "normal", "codes", "names"),
    [
        (np.array([1, 0, 1]), None, [1, 0, 1], ["0", "1"]),
        (np.array([1, 0, 1]), "1", [0, 1, 0], ["1", "0"]),
        (np.array(["b", "a", "c"]), "b", [0, 1, 2], ["b", "a", "c"]),
    ],
)
def test_encode_labels(y, normal, codes, names):
    got = encode_labels(y, normal)
    assert got[0].tolist() == codes
    assert got[1] == names


def test_encode_labels_refuses_one_label_and_unknown_ones():
    with pytest.raises(ValueError, match="At least two labels"):
        encode_labels(np.array([0, 0]))
    with pytest.raises(ValueError, match="'x' is not among"):
        encode_labels(np.array(["a", "b"]), "x")


# --- what is said and refused ---------------------------------------------------------------------
HASTY = ("--epochs", 1, "--no-evaluate", "--normal-label", "usual")


def test_train_says_what_it_read_before_it_starts(run, manifest, tmp_path):
    trial = np.load(tmp_path / "trial3.npy")
    trial[:30] = np.nan
    np.save(tmp_path / "trial3.npy", trial)
    code, out, err = run("train", manifest, "-o", tmp_path / "m", *HASTY)
    assert code == 0, err
    lines = err.splitlines()
    assert lines[0] == "trials.csv: 12 trials of 3 patients, 1 exercise"
    assert "P02                 2      2" in lines
    assert "frames with a pose: 1,170 of 1,200 (98 %); least in T3: 70 of 100" in lines
    assert "frame rate: not known, as the files hold no times" in lines
    assert out.startswith("Model: ")  # results alone


def test_folds_have_a_bar(run, manifest, tmp_path):
    code, out, err = run(
        *("train", manifest, "-o", tmp_path / "m", "--normal-label", "usual", "--epochs", 1),
        *("--recipe", "published", "--network", "lstm"),
    )
    assert code == 0, err
    assert "patients held out" in err and "3/3" in err and "Trial AUC" in out


def test_label_names_stay_with_the_model(run, manifest, tmp_path):
    text = manifest.read_text().replace("usual", "0").replace("compensation", "1")
    manifest.write_text(text)
    options = ("--epochs", 1, "--no-evaluate")
    code, _, err = run("train", manifest, "-o", tmp_path / "plain", *options)
    assert code == 0 and "--label-names 0=usual,1=compensation would" in err
    assert read_metadata(tmp_path / "plain")["labels"] == ["0", "1"]
    named = ("--label-names", "0=usual,1=leans over")
    code, _, err = run("train", manifest, "-o", tmp_path / "named", *options, *named)
    assert code == 0 and "would give them names" not in err
    assert "patient  usual  leans over" in err.splitlines()
    assert read_metadata(tmp_path / "named")["labels"] == ["usual", "leans over"]
    code, _, err = run("train", manifest, "-o", tmp_path / "m", *options, "--label-names", "2=x")
    assert code == 1 and "not among the labels" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--recipe", "published", "--method", "foo"), "'foo' is not one of"),
        (("--recipe", "published", "--network", "actt"), "no network of poses 'actt'. Did you"),
        (("--recipe", "published", "--network", "r3d"), "no network of poses 'r3d'"),
        (("--skeleton", "kinect26"), "no skeleton 'kinect26'. Did you mean 'kinect2"),
        (("--label-names", "usual"), "written as 0=usual,1=compensation"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_read(run, manifest, tmp_path, options, message):
    code, _, err = run("train", manifest, "-o", tmp_path / "m", *HASTY, *options)
    err = " ".join(err.replace("│", " ").split())
    assert code in (1, 2) and message in err and "cross_validate" not in err
    assert "12 trials" not in err


def test_options_are_what_the_library_takes():
    from skrehab.cli.app import _persons
    from skrehab.cli.train import Method
    from skrehab.pose.persons import PERSONS
    from skrehab.saliency.attribution import METHODS

    assert sorted(Method) == sorted(METHODS)
    assert sorted(_persons()) == sorted(PERSONS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pose", "no.mp4", "-o", "out"], "there is no file no.mp4"),
        (
            ["pose", "here.mp4", "-o", "out", "--model-path", "no.task"],
            "no pose model file no.task",
        ),
        (["train", "no.csv", "-o", "out"], "There is no manifest no.csv"),
        (["train", "here.mp4", "-o", "here.mp4"], "exists already"),
        (["assess", "model", "no.mp4"], "There is no model folder model"),
        (["assess", "full", "no.mp4"], "there is no file no.mp4"),
        (["assess", "full", "here.mp4"], "here_frames.csv exists already: --overwrite"),
        (["live", "full", "--video", "no.mp4"], "There is no video no.mp4"),
        (["serve", "model"], "There is no model folder model"),
    ],
)
def test_paths_are_looked_for_before_anything_is_imported(run_python, tmp_path, arguments, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "model.json").write_text("{}")
    for name in ("here.mp4", "here_frames.csv"):
        (tmp_path / name).touch()
    code = f"""
import contextlib, io, sys
sys.argv = ["skrehab", *{arguments!r}]
from skrehab.cli.main import main
said = io.StringIO()
with contextlib.redirect_stderr(said):
    try:
        main()
    except SystemExit as stop:
        print(stop.code)
print(*{{"torch", "sklearn", "numpy", "av", "mediapipe"}} & {{*sys.modules}})
print(said.getvalue())
"""
    code, imported, *said = run_python(code, cwd=tmp_path).split("\n")
    assert code == "1" and message in " ".join(said)
    assert imported == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(model_file() is None, reason="no pose model file on this machine")
def test_assess_takes_many_videos_and_replaces_none(run, manifest, tmp_path):
    for path in tmp_path.glob("trial*.npy"):
        trial = np.load(path)
        np.save(path, np.concatenate([trial, np.ones((len(trial), 33, 1))], axis=2))
    code, _, err = run("train", manifest, "-o", tmp_path / "model", *HASTY)
    assert code == 0, err
    clips = tmp_path / "clips"
    clips.mkdir()
    seen = moving_astronaut(6)[0]
    write_video(clips / "clip9.mp4", seen)
    write_video(clips / "clip10.mp4", np.concatenate([seen, np.full_like(seen, 128)]))
    (clips / "clip11.mp4").write_bytes(b"no video")
    options = ("-o", tmp_path / "out", "--no-overlay", "--model-path", model_file())
    assess = ("assess", tmp_path / "model", clips, *options)
    code, out, err = run(*assess, "--summary", tmp_path / "all.csv")
    assert code == 1 and "clip11.mp4" in err
    assert "1 of 3 videos failed; the others are done." in err
    assert out.index("clip9.mp4") < out.index("clip10.mp4")
    assert "by the network that sees the whole video" in out
    assert "mean of the highest tenth of frames" in out and "6 frames with a pose" in out
    with open(tmp_path / "all.csv", encoding="utf-8") as file:
        rows = {row["video"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["clip9.mp4", "clip10.mp4"] and rows["clip9.mp4"]["frames"] == "6"
    seen = int(rows["clip10.mp4"]["frames_with_pose"])
    assert f"{12 - seen} of 12 frames without a pose" in out
    assert int(rows["clip10.mp4"]["frames_from_threshold"]) <= seen
    assert rows["clip10.mp4"]["verdict_of_whole"] in ("usual", "compensation")

    (clips / "clip11.mp4").unlink()
    table = tmp_path / "out" / "clip9_frames.csv"
    before = table.stat().st_mtime_ns
    code, _, err = run(*assess)
    assert code == 1 and "clip9_frames.csv" in err and "--overwrite replaces it" in err
    code, out, err = run(*assess, "--skip-done")
    assert code == 0 and "2 of 2 videos done already" in err and out == ""
    assert table.stat().st_mtime_ns == before
    names = ("--label-names", "usual=fine,compensation=leans")
    code, out, err = run(*assess, "--overwrite", *names)
    assert code == 0, err
    assert "for 'leans'" in out and table.stat().st_mtime_ns > before
    with open(table, encoding="utf-8") as file:
        assert next(csv.reader(file))[-2:] == ["fine", "leans"]


def test_others_are_done_only_where_there_are_others():
    from skrehab.cli.pose import failures

    assert failures(1, 1) == "The video failed."
    assert failures(3, 3) == "All 3 videos failed."
    assert failures(1, 2) == "1 of 2 videos failed; the other is done."
    assert failures(2, 5) == "2 of 5 videos failed; the others are done."


@pytest.mark.parametrize("width", [80, 50])
def test_models_list_cuts_no_name(width):
    from skrehab.cli.models import listing
    from skrehab.pose import list_models

    rows = [skrehab.networks.get_spec(name) for name in skrehab.networks.list_networks()]
    lines = listing(rows, list_models(), width)
    words = " ".join(" ".join(lines).split())
    for row in rows:
        assert any(line.startswith(f"  {row.name} ") for line in lines)
        for text in (row.summary, row.reference, row.licence, *row.sizes):
            assert " ".join(text.split()) in words
    assert max(map(len, lines)) <= 80 and "…" not in words


def test_completion_is_offered(run, monkeypatch):
    monkeypatch.setenv("_SKREHAB_COMPLETE", "complete_bash")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "skrehab train --network mil")
    monkeypatch.setenv("COMP_WORDS", "skrehab train --network mil")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert "mil_tcn" in run()[1].split()


def test_serve_wants_a_model_or_a_manifest(run, tmp_path):
    code, _, err = run("serve")
    assert code == 1 and "either a model folder, or --label MANIFEST" in err
    code, _, err = run("serve", tmp_path, "--label", tmp_path / "trials.csv")
    assert code == 1 and "either a model folder, or --label MANIFEST" in err
    code, _, err = run("serve", "--label", tmp_path / "trials.csv")
    assert code == 1 and "There is no manifest" in err and "trials.csv" in err
