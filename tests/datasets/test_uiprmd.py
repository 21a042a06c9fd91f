"""The UI-PRMD archive: what is read, and what is refused."""

import numpy as np
import pytest

from skrehab.datasets import load_uiprmd_npz
from skrehab.skeletons import get_skeleton


def parts(**change):
    return {
        "frames": np.arange(6 * 22 * 3, dtype=np.float64).reshape(6, 22, 3),
        "offsets": np.array([0, 1, 6]),
        "movement": np.array([3, 3]),
        "subject": np.array([1, 2]),
        "episode": np.array([1, 1]),
        "correct": np.array([1, 0]),
        **change,
    }


def written(tmp_path, **change):
    path = tmp_path / "data.npz"
    np.savez(path, **{name: value for name, value in parts(**change).items() if value is not None})
    return path


def test_reads_repetitions(tmp_path):
    path = written(tmp_path)
    for given in (path, str(path)):
        data = load_uiprmd_npz(given)
        assert [trial.shape for trial in data.X] == [(1, 22, 3), (5, 22, 3)]
        assert data.X[1].dtype == np.float32
        np.testing.assert_array_equal(np.concatenate(data.X), parts()["frames"])
        assert data.correct.tolist() == [True, False] and data.subject.tolist() == [1, 2]
        assert (data.frame_rate, data.skeleton) == (30.0, "uiprmd22")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offsets": None, "subject": None}, "it has no offsets, subject; it has .*'correct'"),
        ({"frames": np.zeros((6, 25, 3))}, r"frames must be .* \(n_frames, 22, 3\), got float64"),
        ({"frames": np.zeros((6, 22, 3), dtype=int)}, "frames must be floats"),
        ({"offsets": np.array([0, 3, 5])}, "rise from 0 to 6"),
        ({"offsets": np.array([1, 3, 6])}, "rise from 0 to 6"),
        ({"offsets": np.array([0, 0, 6])}, "rise from 0 to 6"),
        ({"offsets": np.array([0.0, 3.0, 6.0])}, "offsets must be whole numbers"),
        ({"movement": np.array([1, 2, 3])}, "movement must have one entry for each of 2"),
        ({"correct": np.array([{}, {}], dtype=object)}, "is not a UI-PRMD archive: Object arrays"),
    ],
)
def test_says_what_does_not_fit(tmp_path, change, message):
    path = written(tmp_path, **change)
    with pytest.raises(ValueError, match=message) as error:
        load_uiprmd_npz(path)
    assert str(path) in str(error.value)


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_uiprmd_npz(tmp_path / "absent.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"one.npy is not .* it holds a single array"):
        load_uiprmd_npz(tmp_path / "one.npy")
    for name, content in [("text.npz", b"not an archive"), ("empty.npz", b"")]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is not a UI-PRMD archive"):
            load_uiprmd_npz(tmp_path / name)
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"data.npz is not a UI-PRMD archive"):
        load_uiprmd_npz(path)


def test_the_real_archive(shared):
    data = load_uiprmd_npz(shared / "data" / "uiprmd_kinect.npz")
    assert len(data.X) == 2000 and sum(len(trial) for trial in data.X) == 151158
    counts = {}
    for key in zip(data.subject, data.movement, data.correct):
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 200 and set(counts.values()) == {10}
    skeleton = get_skeleton(data.skeleton)
    first = data.X[0][0]
    assert first[skeleton.index("head"), 1] > first[skeleton.index("waist"), 1]  # y up
    assert first[skeleton.index("left_hand"), 0] > first[skeleton.index("right_hand"), 0]
