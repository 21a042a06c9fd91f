"""UTKinect-Action3D and UWA3D Multiview II in their published layouts."""

import numpy as np
import pytest
from scipy.io import savemat

from skrehab.datasets import load_utkinect, load_uwa3d
from skrehab.skeletons import get_skeleton

# --- UTKinect -------------------------------------------------------------------------------------
LABELS = """\
s01_e01
walk: 2 8
sitDown: 10 14\x20
s10_e02
pickUp:  4 6
carry: NaN NaN
clapHands: 8 12
"""


def joints(number):
    """A frame of 20 joints that says where it came from."""
    pose = np.arange(60).reshape(20, 3) / 64 + 1
    pose[:, 2] = number
    return pose


def row(number, pose=None):
    values = joints(number) if pose is None else pose
    return f"{number:f} " + " ".join(f"{value:f}" for value in values.ravel()) + " \n"


@pytest.fixture
def utkinect(tmp_path):
    (tmp_path / "actionLabel.txt").write_text(LABELS)
    (tmp_path / "joints").mkdir()
    for name, numbers in (("s01_e01", range(0, 20, 2)), ("s10_e02", (2, 4, 6, 10, 12, 14))):
        (tmp_path / "joints" / f"joints_{name}.txt").write_text("".join(map(row, numbers)))
    return tmp_path


def test_utkinect(utkinect, recwarn):
    data = load_utkinect(utkinect)
    assert not recwarn.list and data.skipped == []
    assert data.action.tolist() == ["walk", "sitDown", "pickUp", "clapHands"]
    assert data.subject.tolist() == data.groups.tolist() == [1, 1, 10, 10]
    assert data.episode.tolist() == [1, 1, 2, 2]
    assert [trial.shape for trial in data.X] == [(4, 20, 3), (3, 20, 3), (2, 20, 3), (2, 20, 3)]
    for trial, times, numbers in zip(
        data.X, data.timestamps, ((2, 4, 6, 8), (10, 12, 14), (4, 6), (10, 12))
    ):
        np.testing.assert_allclose(trial, [joints(number) for number in numbers], atol=1e-6)
        np.testing.assert_allclose(times, np.array(numbers) / 30)
    assert data.X[0].dtype == np.float32
    assert (data.frame_rate, data.skeleton) == (15.0, "utkinect20")
    assert get_skeleton(data.skeleton).n_landmarks == 20


@pytest.mark.parametrize(("step", "rate"), [(2, 15), (4, 7.5)])
def test_utkinect_frame_rate_is_that_of_its_clock(tmp_path, step, rate):
    """A walk of 1.2 m/s by the clock is one by the frame rate too, however many frames are kept."""
    (tmp_path / "joints").mkdir()
    (tmp_path / "actionLabel.txt").write_text("s01_e01\nwalk: 0 90\n")
    text = ""
    for number in range(0, 91, step):
        pose = joints(0)
        pose[:, 2] = 4 - 1.2 * number / 30
        text += row(number, pose)
    (tmp_path / "joints" / "joints_s01_e01.txt").write_text(text)
    data = load_utkinect(tmp_path)
    np.testing.assert_allclose(data.frame_rate, rate)
    steps = np.linalg.norm(np.diff(data.X[0][:, 0], axis=0), axis=1)
    np.testing.assert_allclose(steps * data.frame_rate, 1.2, rtol=1e-3)
    assert data.doubtful == []


def test_utkinect_walks_that_are_none(tmp_path):
    (tmp_path / "joints").mkdir()
    (tmp_path / "actionLabel.txt").write_text("s01_e01\nwalk: 0 90\n")
    still = "".join(row(number, joints(1)) for number in range(0, 91, 2))
    (tmp_path / "joints" / "joints_s01_e01.txt").write_text(still)
    with pytest.warns(UserWarning, match=r"s01_e01, walk: its hips go 0.00 m/s"):
        data = load_utkinect(tmp_path)
    assert len(data.X) == len(data.doubtful) == 1


def test_utkinect_lost_joints_and_repeated_frames(utkinect):
    lost = joints(4)
    lost[7] = 0
    first = row(2) + row(4, lost) + row(4, joints(99)) + row(6)
    (utkinect / "joints" / "joints_s01_e01.txt").write_text(first + row(12))
    data = load_utkinect(utkinect)
    assert [len(trial) for trial in data.X] == [3, 1, 2, 2]
    assert np.isnan(data.X[0][1, 7]).all() and np.isnan(data.X[0]).sum() == 3
    assert data.X[0][1, 0, 2] == 4, "the first of two rows for a frame"


@pytest.mark.parametrize(
    ("change", "left", "reason"),
    [
        (lambda text: text.replace("walk", "wade"), 3, "line 2: s01_e01, wade: unknown action"),
        (lambda text: text.replace("2 8", "2"), 3, "line 2: s01_e01, walk: its frames are '2'"),
        (lambda text: text.replace("2 8", "90 99"), 3, "joints_s01_e01.txt has no frame from 90"),
        (lambda text: text.replace("s01_e01", "s02_e01"), 2, "No such file .*joints_s02_e01.txt"),
    ],
)
def test_utkinect_labels_that_do_not_fit(utkinect, change, left, reason):
    labels = utkinect / "actionLabel.txt"
    labels.write_text(change(LABELS))
    with pytest.warns(UserWarning, match=reason):
        assert len(load_utkinect(utkinect).X) == left
    with pytest.raises(ValueError, match=reason):
        load_utkinect(utkinect, strict=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2.0 1.0 2.0\n", "joints_s01_e01.txt, line 1: 3 values, expected 61"),
        (row(2) + row(4).replace("4.0", "four", 1), "line 2: could not convert string to float"),
        ("\n", "joints_s01_e01.txt holds no frame"),
        (row(2) + row(4, joints(4) * np.inf), "joints_s01_e01.txt holds infinite values"),
    ],
)
def test_utkinect_joints_that_do_not_fit(utkinect, text, reason):
    (utkinect / "joints" / "joints_s01_e01.txt").write_text(text)
    with pytest.warns(UserWarning, match=reason):
        data = load_utkinect(utkinect)
    assert data.subject.tolist() == [10, 10] and len(data.skipped) == 2


def test_utkinect_other_folders(utkinect):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_utkinect(utkinect / "absent")
    with pytest.raises(FileNotFoundError, match=r"there is no actionLabel.txt in .*joints"):
        load_utkinect(utkinect / "joints")
    (utkinect / "actionLabel.txt").write_text("walk: 2 8\n")
    with pytest.raises(ValueError, match=r"line 1: expected a recording such as s01_e01"):
        load_utkinect(utkinect)
    (utkinect / "actionLabel.txt").write_text("s01_e01\ncarry: NaN NaN\n")
    with pytest.raises(ValueError, match="no trial could be read"):
        load_utkinect(utkinect)


# --- UWA3D ----------------------------------------------------------------------------------------
FRAMES = np.random.default_rng(0).uniform(0.5, 3, (7, 15, 3)).astype(np.float32)


def save_matlab73(file, array, **others):
    """As MATLAB 7.3 does: HDF5 behind 512 bytes of its own, axes reversed."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(file, "w", userblock_size=512) as content:
        content["A"] = array
        content.create_group("#refs#")
        for name, other in others.items():
            content[name] = other
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 ."
    with open(file, "r+b") as stream:
        stream.write(head.ljust(512))


def test_uwa3d_as_published(tmp_path, recwarn):
    folder = tmp_path / "ActionsSkeleton"
    folder.mkdir()
    save_matlab73(folder / "a01_s02_e03_v04.mat", FRAMES * 1000)  # millimetres
    save_matlab73(folder / "a30_s10_e00_v01.mat", FRAMES[:2])
    data = load_uwa3d(tmp_path)
    assert not recwarn.list and data.skipped == []
    np.testing.assert_allclose(data.X[0], FRAMES, rtol=1e-6)
    np.testing.assert_array_equal(data.X[1], FRAMES[:2])
    assert data.X[0].dtype == data.X[1].dtype == np.float32
    assert data.action.tolist() == [1, 30] and data.subject.tolist() == [2, 10]
    assert data.episode.tolist() == [3, 0] and data.view.tolist() == [4, 1]
    assert data.groups.tolist() == [2, 10]
    assert (data.frame_rate, data.skeleton) == (30.0, "uwa3d15")
    assert data.path[0].endswith("a01_s02_e03_v04.mat")


@pytest.mark.parametrize(
    ("stored", "frames"),
    [
        (FRAMES, 7),
        (FRAMES.transpose(0, 2, 1), 7),
        (FRAMES.transpose(2, 1, 0), 7),
        (FRAMES.transpose(1, 2, 0), 7),
        (FRAMES.reshape(7, 45), 7),
        (FRAMES.reshape(7, 45).T, 7),
        (FRAMES[:1], 1),
    ],
)
def test_uwa3d_axes_in_any_order(tmp_path, stored, frames):
    save_matlab73(tmp_path / "a01_s01_e01_v01.mat", stored)
    savemat(tmp_path / "a02_s01_e01_v01.mat", {"A": stored.T})  # an older MATLAB's
    for trial in load_uwa3d(tmp_path).X:
        np.testing.assert_array_equal(trial, FRAMES[:frames])


@pytest.mark.parametrize("rows", [FRAMES.reshape(7, 45), FRAMES.reshape(105, 3)])
@pytest.mark.parametrize(("suffix", "delimiter"), [(".txt", " "), (".csv", ",")])
def test_uwa3d_text(tmp_path, rows, suffix, delimiter):
    """Names may have view and repetition in either order."""
    file = tmp_path / f"a05_s06_v07_e08{suffix}"
    np.savetxt(file, rows, delimiter=delimiter)
    data = load_uwa3d(tmp_path)
    np.testing.assert_allclose(data.X[0], FRAMES, rtol=1e-6)
    assert (data.view[0], data.episode[0]) == (7, 8)


def test_uwa3d_lost_joints(tmp_path):
    lost = FRAMES.copy()
    lost[3, 4] = 0
    save_matlab73(tmp_path / "a01_s01_e01_v01.mat", lost)
    pose = load_uwa3d(tmp_path).X[0]
    assert np.isnan(pose[3, 4]).all() and np.isnan(pose).sum() == 3


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (FRAMES[:, :14], r"it must hold 15 joints of 3 coordinates a frame, its shape is \(7, 14"),
        (FRAMES[:0], "it holds no frame"),
        (FRAMES * np.inf, "it holds infinite values"),
        (FRAMES * 0, "every joint is lost in every frame"),
    ],
)
def test_uwa3d_arrays_that_do_not_fit(tmp_path, array, reason):
    save_matlab73(tmp_path / "a01_s01_e01_v01.mat", array)
    save_matlab73(tmp_path / "a02_s01_e01_v01.mat", FRAMES)
    with pytest.warns(UserWarning, match=f"a01_s01_e01_v01.mat: {reason}"):
        assert load_uwa3d(tmp_path).action.tolist() == [2]
    with pytest.raises(ValueError, match=reason):
        load_uwa3d(tmp_path, strict=True)


def test_uwa3d_files_that_do_not_fit(tmp_path):
    good = tmp_path / "a01_s01_e01_v01.mat"
    save_matlab73(good, FRAMES)
    (tmp_path / "a02_s01_e01_v01.mat").write_bytes(good.read_bytes()[:1500])
    (tmp_path / "a03_s01_e01_v01.mat").write_bytes(b"no file of MATLAB at all" * 20)
    save_matlab73(tmp_path / "a04_s01_e01_v01.mat", FRAMES, B=FRAMES)
    (tmp_path / "a05_s01_e01_v01.txt").write_text("1 2 3\n1 2\n")
    (tmp_path / "a06_s01_e01_v01.txt").write_text("1 2 three\n")
    (tmp_path / "a07_s01_e01.txt").write_text("1 2 3\n")
    (tmp_path / "a08_a01_e01_v01.txt").write_text("1 2 3\n")
    (tmp_path / "labels.csv").write_text("1,2\n")
    (tmp_path / "readme.md").write_text("not one of them")
    with pytest.warns(UserWarning, match="8 of 9 trials are left out"):
        data = load_uwa3d(tmp_path)
    assert len(data.X) == 1
    reasons = dict(data.skipped)
    assert "a02_s01_e01_v01.mat" in reasons and "cannot be read" in reasons["a03_s01_e01_v01.mat"]
    assert "it holds ['A', 'B']" in reasons["a04_s01_e01_v01.mat"]
    assert "different lengths" in reasons["a05_s01_e01_v01.txt"]
    assert "could not convert" in reasons["a06_s01_e01_v01.txt"]
    for name in ("a07_s01_e01.txt", "a08_a01_e01_v01.txt", "labels.csv"):
        assert reasons[name] == "its name must be such as a01_s01_e01_v01"
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_uwa3d(tmp_path / "absent")


def test_uwa3d_asks_for_h5py_only_where_it_is_needed(tmp_path, monkeypatch):
    savemat(tmp_path / "a01_s01_e01_v01.mat", {"A": FRAMES.T})
    save_matlab73(tmp_path / "a02_s01_e01_v01.mat", FRAMES)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ImportError, match=r"h5py is needed .* pip install 'skrehab\[uwa3d\]'"):
        load_uwa3d(tmp_path)
    (tmp_path / "a02_s01_e01_v01.mat").unlink()
    assert len(load_uwa3d(tmp_path).X) == 1
