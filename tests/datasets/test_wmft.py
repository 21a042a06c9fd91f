"""The WMFT archive: what is read, and what is refused."""

import numpy as np
import pytest

from skrehab.datasets import load_wmft_npz
from skrehab.skeletons import get_skeleton


def parts(**change):
    return {
        "frames": np.arange(6 * 25 * 3, dtype=np.float64).reshape(6, 25, 3),
        "offsets": np.array([0, 1, 6]),
        "subject": np.array([1, 2]),
        "severity": np.array([0, 2]),
        "task": np.array([3, 15]),
        **change,
    }


def written(tmp_path, **change):
    path = tmp_path / "wmft.npz"
    np.savez(path, **{name: value for name, value in parts(**change).items() if value is not None})
    return path


def test_reads_trials(tmp_path):
    data = load_wmft_npz(written(tmp_path))
    assert [trial.shape for trial in data.X] == [(1, 25, 3), (5, 25, 3)]
    assert data.X[1].dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(data.X), parts()["frames"])
    assert data.severity.tolist() == [0, 2] and data.task.tolist() == [3, 15]
    assert data.groups.tolist() == data.subject.tolist() == [1, 2]
    assert (data.frame_rate, data.skeleton) == (30.0, "kinect25")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": None, "task": None}, "is not a WMFT archive: it has no offsets, task; it has"),
        ({"frames": np.zeros((6, 22, 3))}, r"frames must be .* \(n_frames, 25, 3\), got float64"),
        ({"frames": np.zeros((6, 25, 3), dtype=int)}, "frames must be floats"),
        ({"offsets": np.array([0, 3, 5])}, "rise from 0 to 6"),
        ({"offsets": np.array([1, 3, 6])}, "rise from 0 to 6"),
        ({"offsets": np.array([0, 0, 6])}, "rise from 0 to 6"),
        ({"offsets": np.array([0.0, 3.0, 6.0])}, "offsets must be whole numbers"),
        ({"offsets": np.array([0])}, "offsets must be whole numbers"),
        ({"subject": np.array([1, 2, 3])}, "subject must have one entry for each of 2"),
        ({"severity": np.array([0, 3])}, r"severity must be 0, 1 or 2, whole numbers, got \[0, 3"),
        ({"severity": np.array([0.0, 1.0])}, "severity must be 0, 1 or 2, whole numbers"),
        ({"task": np.array([{}, {}], dtype=object)}, "is not a WMFT archive: Object arrays"),
    ],
)
def test_says_what_does_not_fit(tmp_path, change, message):
    path = written(tmp_path, **change)
    with pytest.raises(ValueError, match=message) as error:
        load_wmft_npz(path)
    assert str(path) in str(error.value)


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_wmft_npz(tmp_path / "absent.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"one.npy is not .* it holds a single array"):
        load_wmft_npz(tmp_path / "one.npy")
    (tmp_path / "text.npz").write_bytes(b"not an archive")
    with pytest.raises(ValueError, match=r"text.npz is not a WMFT archive"):
        load_wmft_npz(tmp_path / "text.npz")


def test_the_real_archive(shared):
    data = load_wmft_npz(shared / "data" / "wmft_kinect_s01_s16.npz")
    assert len(data.X) == 720 and sum(map(len, data.X)) == 201756
    assert len(set(zip(data.subject, data.severity, data.task))) == 16 * 3 * 15
    skeleton = get_skeleton(data.skeleton)
    mean = np.mean([trial.mean(axis=0) for trial in data.X], axis=0)
    heights = [mean[skeleton.index(joint), 1] for joint in ("head", "spine_base", "left_ankle")]
    assert heights == sorted(heights, reverse=True)
    assert mean[skeleton.index("left_shoulder"), 0] < mean[skeleton.index("right_shoulder"), 0]
