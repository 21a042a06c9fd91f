"""Manifests as people write them: good ones, and every way to get one wrong."""

import subprocess
import sys

import numpy as np
import pytest

from skrehab.datasets import intervals_to_frames, load_manifest
from skrehab.skeletons import get_skeleton
from skrehab.trials import check_frame_labels, check_trials

HEADER = "trial,path,patient,exercise,side,label"


def write(folder, *lines, header=HEADER, name="trials.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
    return path


@pytest.fixture
def videos(tmp_path):
    """A folder with three files that are called videos."""
    (tmp_path / "videos").mkdir()
    for name in ("a.mp4", "b.MOV", "c.avi"):
        (tmp_path / "videos" / name).write_bytes(b"")
    return tmp_path


@pytest.fixture
def poses(tmp_path):
    """A folder with three pose arrays of 4, 5 and 6 frames."""
    for n, name in enumerate("abc", start=4):
        np.save(tmp_path / f"{name}.npy", np.full((n, 33, 3), n, dtype=np.float64))
    return tmp_path


# --- good manifests -------------------------------------------------------------------------------
def test_videos(videos):
    path = write(
        videos,
        "t1,videos/a.mp4,P01,brush_hair,left,0",
        "t2,videos/b.MOV,P01,brush_hair,right,1",
        f"t3,{videos / 'videos' / 'c.avi'},P02,wash_face,both,0",
    )
    for given in (path, str(path)):
        data = load_manifest(given)
        assert data.X == [str(videos / "videos" / name) for name in ("a.mp4", "b.MOV", "c.avi")]
        assert data.y.tolist() == [0, 1, 0] and data.y.dtype.kind == "i"
        assert data.groups.tolist() == ["P01", "P01", "P02"]
        assert data.side.tolist() == ["left", "right", "both"]
        assert data.exercise.tolist() == ["brush_hair", "brush_hair", "wash_face"]
        assert data.trial.tolist() == ["t1", "t2", "t3"]
        for key in ("score", "frame_intervals", "frame_labels", "timestamps", "landmarks"):
            assert data[key] is None
        assert "3 trials of 2 patients" in data.DESCR


def test_paths_are_relative_to_the_manifest_not_to_the_shell(videos, tmp_path_factory, monkeypatch):
    path = write(videos, "t1,videos/a.mp4,P01,,,0", "t2,videos\\b.MOV,P01,,,1")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    data = load_manifest(path)
    assert data.X == [str(videos / "videos" / "a.mp4"), str(videos / "videos" / "b.MOV")]


def test_only_three_columns_are_needed_and_more_are_ignored(videos):
    path = write(
        videos, "videos/a.mp4,7,1,61", "videos/b.MOV,8,0,45", header="path,patient,label,age"
    )
    data = load_manifest(path)
    assert data.trial.tolist() == ["a", "b"] and data.groups.tolist() == ["7", "8"]
    assert data.side.tolist() == ["", ""]


def test_unicode_byte_order_mark_semicolons_blank_lines_and_outer_blanks(tmp_path):
    (tmp_path / "vídeos é.mp4").write_bytes(b"")
    (tmp_path / "b.mp4").write_bytes(b"")
    path = write(
        tmp_path,
        "t1; vídeos é.mp4 ;João;sentado, à mesa;left;sim;3,5",
        ";;;;;;",
        "",
        "t2;b.mp4;Zoë;;;não;",
        header="Trial;Path;Patient;Exercise;Side;Label;Score",
        encoding="utf-8-sig",
    )
    data = load_manifest(path)
    assert data.groups.tolist() == ["João", "Zoë"] and data.y.tolist() == ["sim", "não"]
    assert data.exercise[0] == "sentado, à mesa"
    assert data.score[0] == 3.5 and np.isnan(data.score[1])
    assert data.X[0] == str(tmp_path / "vídeos é.mp4")


def test_pose_arrays(poses):
    data = load_manifest(write(poses, "t1,a.npy,P01,,,1.0", "t2,b.npy,P02,,,0"))
    assert [trial.shape for trial in check_trials(data.X)] == [(4, 33, 3), (5, 33, 3)]
    assert data.X[0].dtype == np.float32 and data.y.tolist() == [1, 0]
    assert data.timestamps == [None, None] and data.frame_labels is None
    timed = load_manifest(poses / "trials.csv", frame_rate=10)
    np.testing.assert_allclose(timed.timestamps[1], [0, 0.1, 0.2, 0.3, 0.4])


def test_pose_archives_as_written_by_skrehab_pose(tmp_path):
    times = np.array([0.0, 0.04, 0.1])
    world, image = np.zeros((3, 33, 4)), np.ones((3, 33, 4))
    np.savez(tmp_path / "a.npz", world=world, image=image, timestamps=times, size=[640, 480])
    np.savez(tmp_path / "b.npz", other=world + 1)
    data = load_manifest(write(tmp_path, "t1,a.npz,P01,,,1", "t2,b.npz,P01,,,0"))
    assert data.X[0].shape == (3, 33, 4) and not data.X[0].any()
    np.testing.assert_array_equal(data.timestamps[0], times)
    assert data.timestamps[1] is None


def test_wide_csv(tmp_path):
    names = get_skeleton("coco17").landmarks
    header = "time," + ",".join(f"{name}_{c}" for name in names for c in "xy")
    rows = [
        "0.0," + ",".join(str(i) for i in range(34)),
        "0.5,," + ",".join("nan" for _ in range(33)),
    ]
    write(tmp_path, *rows, header=header, name="pose.csv")
    data = load_manifest(write(tmp_path, "t1,pose.csv,P01,,,1"))
    assert data.X[0].shape == (2, 17, 2) and data.X[0][0, 3].tolist() == [6.0, 7.0]
    assert np.isnan(data.X[0][1]).all()
    assert data.timestamps[0].tolist() == [0.0, 0.5]
    assert data.landmarks == names and data.skeleton == "coco17"


def test_trc(tmp_path):
    lines = [
        "PathFileType\t4\t(X/Y/Z)\ta.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate",
        "50\t50\t2\t2\tmm\t50",
        "Frame#\tTime\tHip\t\t\tKnee\t\t",
        "\t\tX1\tY1\tZ1\tX2\tY2\tZ2",
        "",
        "1\t0.00\t1000\t2000\t3000\t4\t5\t6",
        "2\t0.02\t\t\t\t7\t8\t9",
    ]
    (tmp_path / "a.trc").write_text("\n".join(lines) + "\n")
    data = load_manifest(write(tmp_path, "t1,a.trc,P01,,,1"))
    np.testing.assert_allclose(data.X[0][0], [[1, 2, 3], [0.004, 0.005, 0.006]])
    assert np.isnan(data.X[0][1, 0]).all() and data.landmarks == ("Hip", "Knee")
    assert data.timestamps[0].tolist() == [0.0, 0.02] and data.skeleton is None


def test_frame_truth_from_intervals(poses):
    (poses / "truth").mkdir()
    write(poses / "truth", "0.1,0.3,1", header="start,stop,label", name="a.csv")
    write(poses / "truth", header="start,stop,label", name="b.csv")
    path = write(
        poses,
        "t1,a.npy,P01,,,1,truth/a.csv",
        "t2,b.npy,P01,,,0,truth/b.csv",
        "t3,c.npy,P02,,,1,",
        header=HEADER + ",frame_labels",
    )
    data = load_manifest(path, frame_rate=10)
    check_frame_labels(data.frame_labels, data.X)
    assert [labels.tolist() for labels in data.frame_labels] == [[0, 1, 1, 0], [0] * 5, [-1] * 6]
    assert data.frame_intervals == [[(0.1, 0.3, 1)], [], None]
    without = load_manifest(path, frame_labels=False)
    assert without.frame_labels is None and without.frame_intervals is None


def test_intervals_of_videos_wait_for_the_videos_times(videos):
    write(videos, "0,5;1,5;lean", header="start;stop;label", name="a.csv")
    path = write(
        videos,
        "t1,videos/a.mp4,P01,,,lean,a.csv",
        "t2,videos/b.MOV,P01,,,normal,",
        header=HEADER + ",frame_labels",
    )
    data = load_manifest(path)
    assert data.frame_intervals == [[(0.5, 1.5, "lean")], None] and data.frame_labels is None
    labels = intervals_to_frames(data.frame_intervals[0], [0, 0.5, 1, 1.5], background="normal")
    assert labels.tolist() == ["normal", "lean", "lean", "normal"]


def test_no_exercise_filled_in_is_none(poses):
    """As the labelling page leaves it; a pipeline is told of exercises only where there are any."""
    path = write(poses, "t1,a.npy,P01,,,0", "t2,b.npy,P02,,,1")
    assert load_manifest(path, frame_rate=10).exercise is None
    path = write(poses, "t1,a.npy,P01,reach,,0", "t2,b.npy,P02,,,1")
    assert load_manifest(path, frame_rate=10).exercise.tolist() == ["reach", ""]


def test_words_need_a_normal_label(poses):
    write(poses, "0.1,0.2,lean", header="start,stop,label", name="a.csv")
    path = write(poses, "t1,a.npy,P01,,,lean,a.csv", header=HEADER + ",frame_labels")
    with pytest.raises(ValueError, match=r"normal_label=, one of \['lean'\]"):
        load_manifest(path, frame_rate=10)
    data = load_manifest(path, frame_rate=10, normal_label="none")
    assert data.frame_labels[0].tolist() == ["none", "lean", "none", "none"]


def test_contradicting_truth_is_warned_of(poses):
    write(poses, "0.1,0.2,1", header="start,stop,label", name="a.csv")
    path = write(
        poses,
        "t1,a.npy,P01,,,0,a.csv",
        "t2,b.npy,P01,,,1,a.csv",
        header=HEADER + ",frame_labels",
    )
    with pytest.warns(UserWarning, match="contradict each other in row 2"):
        load_manifest(path, frame_rate=10)


# --- bad manifests --------------------------------------------------------------------------------
def error_of(path, **arguments):
    with pytest.raises(ValueError) as error:
        load_manifest(path, **arguments)
    message = str(error.value)
    assert str(path) in message
    return message


@pytest.mark.parametrize("name", ["n" * 300 + ".npy", "a/" * 2000 + "a.npy", "é" * 128 + ".npy"])
def test_names_that_no_file_can_have(poses, name):
    message = error_of(write(poses, f"t1,{name},P01,,,1,", "t2,b.npy,P01,,,0,"))
    assert "row 2, column path: no file can have a name as long as" in message
    assert len(message) < 500
    path = write(poses, f"t1,a.npy,P01,,,1,{name}", header=HEADER + ",frame_labels")
    assert "row 2, column frame_labels: " in error_of(path)


def test_all_bad_rows_are_named_at_once(videos):
    path = write(
        videos,
        "t1,videos/absent.mp4,P01,,,0,",
        "t2,videos/a.mp4,,,,1,",
        "t3,videos/b.MOV,P02,,,,x",
        "t4,notes.txt,P02,,,0.5,",
        "t1,videos/a.mp4,P02,,,-1,",
        ",,P02,,,lean,",
        "t6,videos/c.avi,P02,,,inf,inf",
        header=HEADER + ",score",
    )
    message = error_of(path)
    for line in [
        f"row 2, column path: there is no file {videos / 'videos' / 'absent.mp4'}",
        "row 3, column patient: is empty",
        "row 4, column label: is empty",
        "row 4, column score: 'x' is not a number",
        "row 5, column path: 'notes.txt' is no video or pose file",
        "row 5, column label: '0.5' is no whole number",
        "row 6, column label: -1 stands for 'not labelled'",
        "row 6, column path: is the same as in row 3",
        "row 6, column trial: is the same as in row 2",
        "row 7, column label: 'lean' among whole numbers",
        "and 3 more",
    ]:
        assert line in message, line
    assert message.count("\n") == 11


def test_few_bad_rows_are_all_shown(videos):
    path = write(
        videos,
        ",,P02,,,1,",
        "t2,videos/c.avi,P02,,,inf,inf",
        "t3,videos/a.mp4,P02,,,nan,1e3",
        header=HEADER + ",score",
    )
    message = error_of(path)
    assert "row 2, column path: is empty" in message
    assert "row 3, column label: 'inf' is no whole number" in message
    assert "row 3, column score: 'inf' is not a number" in message
    assert "row 4, column label: 'nan' is no whole number" in message
    assert "more" not in message and message.count("\n") == 4


def test_a_word_among_numbers_and_a_number_among_words(videos):
    rows = ["t1,videos/a.mp4,P,,,0", "t2,videos/b.MOV,P,,,1", "t3,videos/c.avi,P,,,yes"]
    assert "row 4, column label: 'yes' among whole numbers" in error_of(write(videos, *rows))
    rows = ["t1,videos/a.mp4,P,,,no", "t2,videos/b.MOV,P,,,yes", "t3,videos/c.avi,P,,,1"]
    assert "row 4, column label: '1' among words" in error_of(write(videos, *rows))


def test_row_numbers_count_blank_rows_and_line_breaks_in_cells(videos):
    path = write(videos, 't1,videos/a.mp4,P01,"two\nlines",,0', "", "t2,gone.mp4,P01,,,1")
    assert "row 4, column path: there is no file" in error_of(path)


def test_mixed_videos_and_poses(videos):
    np.save(videos / "a.npy", np.zeros((2, 33, 3)))
    path = write(videos, "t1,videos/a.mp4,P01,,,0", "t2,videos/b.MOV,P01,,,0", "t3,a.npy,P01,,,1")
    message = error_of(path)
    assert "row 4, column path: 'a.npy' is a pose file, but row 2 names the video" in message
    assert "'videos/a.mp4'" in message


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("trial,path,exercise", "no column patient, label; it has ['trial', 'path', 'exercise']"),
        (
            "path,patient,label,frame_label",
            "'frame_label' is unknown. Did you mean 'frame_labels'?",
        ),
        ("path,patient,label,Label", "there are two columns 'label'"),
        ("path,patient,label", "there is no trial under the header"),
        ("", "it is empty"),
    ],
)
def test_headers(tmp_path, header, message):
    assert message in error_of(write(tmp_path, header=header))


def test_unreadable_manifests(videos):
    with pytest.raises(FileNotFoundError):
        load_manifest(videos / "absent.csv")
    path = write(videos, "t1,videos/a.mp4,José,,,0", encoding="latin-1")
    assert "not UTF-8 text" in error_of(path)
    path = write(videos, "t1,videos/a.mp4,P01,,,0,extra")
    assert "row 2: more cells than the header has columns" in error_of(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("begin,end,label\n0,1,1\n", "columns start, stop, label are needed"),
        ("start,stop,label\n0,1,1\n2,1,1\n", "row 3: 2 to 1 is no interval"),
        ("start,stop,label\n-1,1,1\n", "row 2: -1 to 1 is no interval"),
        ("start,stop,label\nzero,1,1\n", "row 2, column start: 'zero' is not a number"),
        ("start,stop,label\n0,1,lean\n", "row 2, column label: 'lean' is no whole number"),
        ("start,stop,label\n0,1,\n", "row 2, column label: '' is no whole number"),
        ("start,stop,label\n100,200,1\n", "starts after the last frame at 0.300 s"),
        ("start,stop,label\n0,0.2,1\n0.1,0.3,2\n", "overlaps one with another label"),
        ("", "it is empty"),
    ],
)
def test_bad_interval_files(poses, content, message):
    (poses / "a.csv").write_text(content)
    path = write(
        poses,
        "t1,a.npy,P01,,,1,a.csv",
        "t2,b.npy,P01,,,1,absent.csv",
        header=HEADER + ",frame_labels",
    )
    if "frame" in message or "overlaps" in message:  # found only where frames are known
        path = write(poses, "t1,a.npy,P01,,,1,a.csv", header=HEADER + ",frame_labels")
        assert f"row 2, column frame_labels: Interval {message}"[:35] in error_of(
            path, frame_rate=10
        )
    else:
        assert "row 3, column frame_labels: absent.csv: there is no such file" in error_of(path)
        assert "row 2, column frame_labels: a.csv: " in error_of(path)
    assert message in error_of(path, frame_rate=10)


def test_intervals_need_times(poses):
    write(poses, "0.1,0.2,1", header="start,stop,label", name="a.csv")
    path = write(poses, "t1,a.npy,P01,,,1,a.csv", header=HEADER + ",frame_labels")
    assert "row 2, column path: its frames have no times" in error_of(path)
    with pytest.raises(ValueError, match="frame_rate must be positive, got 0"):
        load_manifest(path, frame_rate=0)


def pose_files(folder):
    """Files that are no pose, by the reason that must be given."""
    np.save(folder / "flat.npy", np.zeros((4, 99)))
    np.save(folder / "words.npy", np.full((2, 2, 2), "x"))
    np.save(folder / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(folder / "inf.npy", np.full((2, 33, 3), np.inf))
    (folder / "broken.npy").write_bytes(b"nothing")
    np.savez(folder / "two.npz", a=np.zeros((2, 33, 3)), b=np.zeros((2, 33, 3)))
    np.savez(folder / "times.npz", pose=np.zeros((2, 33, 3)), timestamps=[0.0, 0.0])
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    np.save(folder / "renamed.npy", np.zeros((2, 33, 3)))
    (folder / "renamed.npy").rename(folder / "renamed.npz")
    (folder / "plain.csv").write_text("1,2,3\n4,5,6\n")
    (folder / "uneven.csv").write_text("nose_x,nose_y,ear_x\n1,2,3\n")
    (folder / "text.csv").write_text("nose_x,nose_y\n1,2\n3,left\n")
    (folder / "text.trc").write_text("a\tb\n" * 8)
    (folder / "feet.trc").write_text(
        "PathFileType\t4\nUnits\nfeet\nFrame#\tTime\tHip\n\t\tX1\tY1\tZ1\n1\t0\t1\t2\t3\n"
    )
    return {
        "flat.npy": r"a pose must be numbers of shape",
        "words.npy": "a pose must be numbers",
        "objects.npy": "it cannot be read",
        "inf.npy": "holds infinite values",
        "broken.npy": "it cannot be read",
        "two.npz": "its pose must be called one of",
        "times.npz": "its times must be 2 rising numbers",
        "broken.npz": "it cannot be read",
        "renamed.npz": "it holds a single array",
        "plain.csv": "its header names no landmark",
        "uneven.csv": "landmark 'ear' has columns ('x',)",
        "text.csv": "row 3, column nose_y: 'left' is not a number",
        "text.trc": "PathFileType must come first",
        "feet.trc": "its unit is 'feet'",
    }


def test_bad_pose_files_are_all_named(tmp_path):
    reasons = pose_files(tmp_path)
    names = list(reasons)
    for part in (names[:7], names[7:]):
        rows = [f"{name},{name},P01,,,1" for name in part]
        message = error_of(write(tmp_path, *rows))
        for number, name in enumerate(part, start=2):
            assert f"row {number}, column path: {name}: " in message
            assert reasons[name] in message


def test_poses_of_different_shapes_or_names(poses):
    np.save(poses / "d.npy", np.zeros((4, 33, 4)))
    path = write(poses, "t1,a.npy,P01,,,1", "t2,d.npy,P01,,,1")
    assert "row 3, column path: has 33 landmarks of 4 coordinates, row 2 has 33 of 3" in error_of(
        path
    )
    (poses / "a.csv").write_text("hip_x,hip_y\n1,2\n")
    (poses / "b.csv").write_text("knee_x,knee_y\n1,2\n")
    path = write(poses, "t1,a.csv,P01,,,1", "t2,b.csv,P01,,,1")
    assert "row 3, column path: names other landmarks than row 2" in error_of(path)


# --- intervals ------------------------------------------------------------------------------------
def test_intervals_use_real_times():
    times = [0.0, 0.03, 0.2, 0.21, 0.5]  # a variable frame rate
    assert intervals_to_frames([(0.03, 0.21, 1)], times).tolist() == [0, 1, 1, 0, 0]
    both = intervals_to_frames([(0.0, 0.1, 2), (0.2, 9.0, 1)], times)
    assert both.tolist() == [2, 2, 1, 1, 1] and both.dtype.kind == "i"
    assert intervals_to_frames([], times).tolist() == [0] * 5
    assert intervals_to_frames(None, times).tolist() == [-1] * 5
    assert intervals_to_frames([(0, 0.2, 1), (0.1, 0.3, 1)], times).tolist() == [1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("intervals", "message"),
    [
        ([(1.0, 1.0, 1)], "Interval 1.0 to 1.0 s is empty"),
        ([(0.5, 0.6, 1)], "starts after the last frame at 0.200 s. Are its times in seconds"),
        ([(0, 0.2, 1), (0.1, 0.2, 0)], "Interval 0.1 to 0.2 s overlaps one with another label"),
        ([(0, 0.2, "lean")], "background is 0, an interval has 'lean'"),
    ],
)
def test_bad_intervals(intervals, message):
    with pytest.raises(ValueError, match=message):
        intervals_to_frames(intervals, [0.0, 0.1, 0.2])


def test_bad_times():
    with pytest.raises(ValueError, match="timestamps must rise"):
        intervals_to_frames([], [0.0, 0.0])


# --- the package ----------------------------------------------------------------------------------
def test_the_package_loads_cheaply_and_lists_its_names():
    code = (
        "import sys, skrehab.datasets as d\n"
        "assert 'sklearn' not in sys.modules and 'numpy' not in sys.modules\n"
        "assert dir(d) == d.__all__\n"
        "assert all(callable(getattr(d, name)) for name in d.__all__)\n"
        "assert 'torch' not in sys.modules\n"
        "try:\n    d.nothing\nexcept AttributeError as e:\n    assert 'nothing' in str(e)\n"
        "else:\n    raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240)
