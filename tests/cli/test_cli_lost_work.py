"""What would cost hours is found before the work, or the work is kept."""

import csv
import os

import numpy as np
import pytest
from media import grey_wall, moving_astronaut, write_video
from real_files import model_file, needs_model
from sklearn.utils import Bunch

import skrehab
from skrehab.cli._skeleton import skeleton_of
from skrehab.datasets import load_manifest
from skrehab.skeletons import get_skeleton

NAMES = get_skeleton("mediapipe33").landmarks


def manifest(folder, paths, name="trials.csv"):
    """Two patients, each with both labels."""
    with open(folder / name, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "patient", "label"])
        writer.writerows([path, f"P{i // 2}", i % 2] for i, path in enumerate(paths))
    return folder / name


@pytest.fixture
def poses(tmp_path):
    """A manifest of four poses, and the arrays."""

    def write(names=None, order=slice(None), n_landmarks=33):
        rng, arrays = np.random.RandomState(0), []
        for i in range(4):
            pose = rng.randn(1, n_landmarks, 3) + 0.05 * rng.randn(30, n_landmarks, 3)
            more = {} if names is None else {"landmarks": np.array(names)[order]}
            np.savez(tmp_path / f"{i}.npz", pose=pose[:, order], **more)
            arrays.append(pose.astype(np.float32))
        return manifest(tmp_path, [f"{i}.npz" for i in range(4)]), arrays

    return write


# --- where it is to be written --------------------------------------------------------------------
def test_a_place_that_cannot_be_written_is_refused_before_the_work(run, poses, tmp_path):
    """It was found when the model was to be written, after the training."""
    path, _ = poses()
    (tmp_path / "file").write_text("mine")
    for command in (
        ["train", path, "-o", tmp_path / "file" / "model"],
        ["train", path, "-o", tmp_path / "model", "--report", tmp_path / "file"],
        ["train", path, "-o", tmp_path / "model", "--cache", tmp_path / "file" / "deep" / "er"],
        ["evaluate", path, "-o", tmp_path / "file"],
    ):
        code, out, err = run(*command)
        assert code == 1 and "cannot be written" in err and "file is no folder" in err
        assert "trials of" not in out + err  # nothing was read, and nothing trained
    assert (tmp_path / "file").read_text() == "mine" and not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--normal-label", "usual"], "The normal label 'usual' is not among the labels [0, 1]."),
        (["--folds", 9], "--folds 9: there are 2 patients"),
    ],
)
def test_options_of_evaluate_that_do_not_fit_are_said_in_words(run, poses, tmp_path, options, said):
    """Python's and scikit-learn's own words, the second after the poses of all videos."""
    path, _ = poses()
    code, _, err = run("evaluate", path, "-o", tmp_path / "out", *options)
    assert code == 1 and said in " ".join(err.split()) and not (tmp_path / "out").exists()


def test_a_normal_label_of_another_kind_with_frame_labels(poses, tmp_path):
    path, _ = poses()
    (tmp_path / "iv.csv").write_text("start,stop,label\n0.2,0.4,1\n")
    path.write_text("path,patient,label,frame_labels\n0.npz,P0,0,\n1.npz,P0,1,iv.csv\n")
    with pytest.raises(ValueError, match=r"normal_label is .usual., and labels are numbers"):
        load_manifest(path, frame_rate=30, normal_label="usual")
    assert load_manifest(path, frame_rate=30, normal_label="0").frame_labels[1].sum() == 6


def test_a_model_that_cannot_be_written_is_written_elsewhere(tmp_path, monkeypatch):
    """A full disk ended hours of training in a traceback of safetensors."""
    from skrehab.cli.train import _save

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    (tmp_path / "file").write_text("")
    scaler = skrehab.LandmarkScaler().fit([np.ones((4, 33, 3))])
    with pytest.raises(OSError, match="could not be written") as caught:
        _save(scaler, tmp_path / "file" / "model", metadata={"labels": ["a", "b"]}, overwrite=False)
    (rescued,) = elsewhere.glob("*/model")
    assert str(rescued) in str(caught.value)
    np.testing.assert_array_equal(skrehab.load(rescued).scale_, scaler.scale_)


def test_a_full_disk_is_an_error_of_the_system(tmp_path, run_python):
    pytest.importorskip("resource", reason="no limit of file sizes here")
    said = run_python(
        """if True:
        import resource, signal, sys
        import numpy as np, skrehab
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        scaler = skrehab.LandmarkScaler().fit([np.random.randn(4, 900, 3)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
        try:
            skrehab.save(scaler, sys.argv[1])
        except OSError as error:
            print(error.errno is not None)
        """,
        tmp_path / "model",
    )
    assert said == "True" and not (tmp_path / "model" / "model.json").exists()


# --- whose landmarks they are ---------------------------------------------------------------------
def test_landmarks_sorted_by_the_alphabet_train_the_same_model(run, poses, tmp_path):
    """The number of landmarks told the skeleton, and a left ankle was taken for a nose."""
    order = sorted(range(33), key=NAMES.__getitem__)
    found = []
    for names, how in ((NAMES, order), (NAMES, slice(None)), (None, slice(None))):
        path, arrays = poses(names, how)
        model = tmp_path / f"model{len(found)}"
        code, _, err = run("train", path, "-o", model, "--epochs", 1, "--no-evaluate")
        assert code == 0, err
        pipeline = skrehab.load(model)
        assert pipeline["bones"].bone_skeleton_.name.startswith("mediapipe33")
        found.append(pipeline.predict_proba(arrays))
    for one in found[1:]:
        for first, other in zip(found[0], one):
            np.testing.assert_allclose(first, other, atol=1e-6)


def test_landmarks_that_no_skeleton_has_are_not_guessed_by_their_number(run, poses, tmp_path):
    path, _ = poses([f"marker{i}" for i in range(33)])
    arguments = ["train", path, "-o", tmp_path / "model", "--epochs", 1, "--no-evaluate"]
    code, _, err = run(*arguments)
    assert code == 1 and "marker0, marker1, marker2, ..." in err and "--skeleton none" in err
    assert run(*arguments, "--skeleton", "mediapipe33")[0] == 0


def test_names_tell_skeletons_of_as_many_landmarks_apart():
    X = [np.zeros((3, 25, 3))]
    names = {name: get_skeleton(name).landmarks for name in ("kinect25", "openpose25")}
    for name, landmarks in names.items():
        data = Bunch(X=X, landmarks=landmarks, skeleton=name)
        assert skeleton_of("auto", data) == name and skeleton_of(name, data) == name
        other = "openpose25" if name == "kinect25" else "kinect25"
        with pytest.raises(ValueError, match=f"the files name the landmarks of '{name}'"):
            skeleton_of(other, data)
    nameless = Bunch(X=X, landmarks=None, skeleton=None)
    assert skeleton_of("auto", nameless) == "auto" and skeleton_of("none", nameless) is None
    numbers = Bunch(X=X, landmarks=tuple(map(str, range(25))), skeleton=None)
    assert skeleton_of("auto", numbers) == "auto"


# --- poses of videos ------------------------------------------------------------------------------
@needs_model
def test_one_bad_video_costs_none_of_the_others(run, tmp_path, monkeypatch):
    """The first without a person ended the batch, and the poses found before were lost."""
    monkeypatch.setenv("SKREHAB_MODELS", str(model_file()))
    frames, _ = moving_astronaut(n_frames=8)
    for i in range(3):
        write_video(tmp_path / f"{i}.mp4", frames[i : i + 6], fps=15)
    for name, n_frames in (("wall.mp4", 4), ("another.mp4", 5)):
        write_video(tmp_path / name, grey_wall(n_frames), fps=15)
    bad = manifest(tmp_path, ["0.mp4", "wall.mp4", "1.mp4", "another.mp4", "2.mp4"], "bad.csv")
    train = ["train", bad, "-o", tmp_path / "model", "--epochs", 1, "--no-evaluate"]
    code, _, err = run(*train)
    assert code == 1 and "wall.mp4: no person" in err and "another.mp4: no person" in err
    assert f"kept in {tmp_path / 'model.poses'}" in " ".join(err.split())
    assert len(list((tmp_path / "model.poses").rglob("output.pkl"))) == 5
    code, _, err = run("evaluate", bad, "-o", tmp_path / "out", "--epochs", 1)
    assert code == 1 and "wall.mp4: no person" in err and "another.mp4: no person" in err
    assert (tmp_path / "out" / "poses").is_dir()

    write_video(tmp_path / "3.mp4", frames[2:7], fps=15)
    train[1] = manifest(tmp_path, [f"{i}.mp4" for i in range(4)])
    code, _, err = run(*train)
    assert code == 0, err
    assert not (tmp_path / "model.poses").exists()
    assert skrehab.load(tmp_path / "model")["pose"].memory is None


@needs_model
def test_what_lies_where_poses_go_is_looked_at(run, tmp_path, monkeypatch):
    """Any archive passed for a pose that was done, and so did one made with other options."""
    monkeypatch.setenv("SKREHAB_MODELS", str(model_file()))
    frames, _ = moving_astronaut(n_frames=6)
    for i in range(3):
        write_video(tmp_path / f"{i}.mp4", frames[i:], fps=15)
    out = tmp_path / "poses"
    out.mkdir()
    np.savez(out / "0.npz", mine=np.arange(3))
    (out / "1.npz").mkdir()
    before = (out / "0.npz").read_bytes()
    command = ["pose", *(tmp_path / f"{i}.mp4" for i in range(3)), "-o", out]
    code, _, err = run(*command, "--manifest", out / "trials.csv")
    assert code == 1 and err.count("is no pose of 'skrehab pose'") == 2 and "2 of 3 videos" in err
    assert (out / "0.npz").read_bytes() == before and (out / "2.npz").is_file()
    assert "2.npz" in (out / "trials.csv").read_text()
    assert "0.npz" not in (out / "trials.csv").read_text()

    command = ["pose", tmp_path / "2.mp4", "-o", out]
    code, _, err = run(*command)
    assert code == 0 and "1 of 1 video was done already" in err and "note" not in err
    code, _, err = run(*command, "--target-fps", 5)
    assert code == 0 and "made with other options, and left as they are: 2.npz." in err
    os.utime(tmp_path / "2.mp4", (2e9, 2e9))
    code, _, err = run(*command)
    assert code == 0 and "made before the video was changed or copied: 2.npz." in err
    code, _, err = run(*command, "--target-fps", 5, "--overwrite")
    assert code == 0 and len(np.load(out / "2.npz")["timestamps"]) == 2
