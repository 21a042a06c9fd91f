"""The infants' tables in their published columns."""

import csv

import numpy as np
import pytest

from skrehab.datasets import load_infant_neuromotor
from skrehab.skeletons import get_skeleton

PARTS = (
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee "
    "LAnkle REye LEye REar LEar"
).split()
COLUMNS = ["", "video", "frame", "x", "y", "bp", "fps", "pixel_x", "pixel_y", "time", "part_idx"]
CLINICAL = [
    *("", "infant", "session", "Months_chron", "Days_chron", "Months_corr", "Days_corr"),
    *("Risk_low0_mod1_high2_chron", "Risk_low0_mod1_high2_corr"),
]


def points(video, n_frames, fps=30, gap=()):
    """Rows of one video: the y of a key-point is its number, x 100 times the frame."""
    for i, part in enumerate(PARTS):
        for frame in range(n_frames):
            place = ("", "") if (frame, part) in gap else (100.0 * frame + 5, i + 0.5)
            yield [0, video, frame, *place, part, fps, 640, 480, frame / fps, i]


def write(file, titles, rows):
    with open(file, "w", newline="") as stream:
        csv.writer(stream).writerows([titles, *rows])


@pytest.fixture
def infants(tmp_path):
    write(
        tmp_path / "pose_estimates_youtube_dataset.csv",
        COLUMNS,
        [*points("video_000011", 4, fps=29.97, gap={(1, "LWrist")}), *points("video_000001", 2)],
    )
    write(
        tmp_path / "meta_data_youtube_dataset.csv",
        ["", "video", "infant_id", "age_in_weeks"],
        [[0, "video_000001", "7.0", 10], [1, "video_000011", 12, ""]],
    )
    write(
        tmp_path / "pose_estimates_clinical_dataset.csv",
        COLUMNS,
        [*points("822487-06-1_2-GP_edited", 3), *points("822487-8-2-1-GP_edited", 1)],
    )
    write(
        tmp_path / "meta_data_clinical_dataset.csv",
        CLINICAL,
        [[0, 6, 1, 5, 14, 4, 0, 2, 1], [1, "8.0", "2.0", 3, 7, "", "", 2, ""]],
    )
    return tmp_path


def test_reads_the_published_tables(infants, recwarn):
    data = load_infant_neuromotor(infants)
    assert not recwarn.list and data.skipped == []
    assert data.video.tolist() == [
        *("video_000001", "video_000011", "822487-06-1_2-GP_edited", "822487-8-2-1-GP_edited"),
    ]
    assert data.set.tolist() == ["youtube", "youtube", "clinical", "clinical"]
    assert data.subject.tolist() == ["youtube_7", "youtube_12", "clinical_6", "clinical_8"]
    assert data.groups is data.subject
    assert data.risk.tolist() == [0, 0, 2, 3], "corrected where it is, else chronological"
    np.testing.assert_array_equal(data.age, [10, np.nan, 16, 13])
    assert data.frame_rate.tolist() == [30, 29.97, 30, 30]
    assert data.image_size.tolist() == [[640, 480]] * 4
    assert [trial.shape for trial in data.X] == [(2, 18, 2), (4, 18, 2), (3, 18, 2), (1, 18, 2)]
    assert data.X[0].dtype == np.float32
    expected = np.stack(np.broadcast_arrays([[5], [105]], np.arange(18) + 0.5), axis=-1)
    np.testing.assert_array_equal(data.X[0], expected)
    lost = np.isnan(data.X[1])
    assert lost[1, PARTS.index("LWrist")].all() and lost.sum() == 2


def test_key_points_are_openposes(infants):
    skeleton = get_skeleton(load_infant_neuromotor(infants).skeleton)
    for part, landmark in zip(PARTS, skeleton.landmarks):
        if part == "Neck":
            assert landmark == "spine_shoulder"
        else:
            side = {"R": "right_", "L": "left_"}.get(part[0], "") if part != "Nose" else ""
            assert landmark == side + part[len(side) > 0 :].lower()


def test_one_set_alone(infants):
    for name in ("pose_estimates", "meta_data"):
        (infants / f"{name}_clinical_dataset.csv").unlink()
    assert load_infant_neuromotor(infants).risk.tolist() == [0, 0]


def test_meta_data_may_name_the_video(infants):
    write(
        infants / "meta_data_clinical_dataset.csv",
        [*CLINICAL, "video"],
        [
            [0, 6, 1, 5, 14, 4, 0, 2, 0, "822487-8-2-1-GP_edited"],
            [1, 9, 9, 3, 7, "", "", 2, "", "822487-06-1_2-GP_edited"],
        ],
    )
    data = load_infant_neuromotor(infants)
    assert data.subject.tolist()[2:] == ["clinical_9", "clinical_6"]
    assert data.risk.tolist()[2:] == [3, 1]


def test_frames_without_any_key_point_and_points_given_twice(infants):
    rows = list(points("video_000001", 5))
    rows = [row for row in rows if row[2] in (0, 4)]
    again = [[0, "video_000001", 4, 9999, 9999, "Nose", 30, 640, 480, 0, 0]]
    write(infants / "pose_estimates_youtube_dataset.csv", COLUMNS, rows + again)
    (trial,) = load_infant_neuromotor(infants).X[:1]
    assert trial.shape == (5, 18, 2)
    assert np.isnan(trial[1:4]).all() and not np.isnan(trial[[0, 4]]).any()
    assert trial[4, 0].tolist() == [405, 0.5]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([0, "new", 0, 1, 1, "Tail", 30, 640, 480], "new: row 110: unknown key-point 'Tail'"),
        ([0, "new", "x", 1, 1, "Nose", 30, 640, 480], "new: row 110: could not convert string"),
        ([0, "new", 0.5, 1, 1, "Nose", 30, 640, 480], "new: row 110: frame is '0.5'"),
        ([0, "new", "", 1, 1, "Nose", 30, 640, 480], "new: row 110: frame is ''"),
        ([0, "new", 0, "left", 1, "Nose", 30, 640, 480], "new: row 110: could not convert"),
        ([0, "new", 0, 1], "new: row 110: unknown key-point ''"),
        ([0, "new", 0, 1, 1, "Nose", "", 640, 480], "new: it has no frame rate"),
        ([0, "new", 0, "", "", "Nose", 30, 640, 480], "new: no key-point was found in any frame"),
        ([0, "new", 0, "inf", 1, "Nose", 30, 640, 480], "new: it holds infinite values"),
        ([0, "new", 0, 1, 1, "Nose", 30, 640, 480], "new: the meta-data do not list it"),
        ([0, "video_000001", 0, 1, 1, "Tail", 30, 640, 480], "video_000001: row 110: unknown"),
    ],
)
def test_a_video_that_does_not_fit_is_left_out(infants, row, reason):
    with open(infants / "pose_estimates_youtube_dataset.csv", "a", newline="") as stream:
        csv.writer(stream).writerow(row)
    with pytest.warns(UserWarning, match=f"pose_estimates_youtube_dataset.csv: {reason}"):
        data = load_infant_neuromotor(infants)
    assert {"video_000011", "822487-8-2-1-GP_edited"} <= set(data.video)
    assert row[1] not in data.video
    with pytest.raises(ValueError, match=reason):
        load_infant_neuromotor(infants, strict=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({7: "", 8: ""}, "its risk is nan, expected 0, 1 or 2"),
        ({7: 3, 8: ""}, "its risk is 3, expected 0, 1 or 2"),
        ({1: 5}, "the meta-data list neither it nor its infant and session"),
        ({2: 3}, "the meta-data list neither it nor its infant and session"),
        ({3: "old", 5: ""}, "could not convert string to float: 'old'"),
    ],
)
def test_an_infant_without_a_risk_is_left_out(infants, change, reason):
    row = dict(enumerate([1, 8, 2, 3, 7, "", "", 2, ""])) | change
    rows = [[0, 6, 1, 5, 14, 4, 0, 2, 1], list(row.values())]
    write(infants / "meta_data_clinical_dataset.csv", CLINICAL, rows)
    with pytest.warns(UserWarning, match=f"822487-8-2-1-GP_edited: {reason}"):
        assert load_infant_neuromotor(infants).subject.tolist() == [
            *("youtube_7", "youtube_12", "clinical_6"),
        ]


def test_tables_that_are_not_there(infants):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_infant_neuromotor(infants / "absent")
    (infants / "meta_data_clinical_dataset.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no meta_data_clinical_dataset.csv; the pose"):
        load_infant_neuromotor(infants)
    write(infants / "meta_data_clinical_dataset.csv", ["infant"], [])
    with pytest.raises(ValueError, match=r"clinical_dataset.csv: it has no column session, Risk_"):
        load_infant_neuromotor(infants)


def test_pickles_are_not_read(tmp_path):
    """The published archive holds the same tables pickled; nothing of them may run."""

    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was read",))

    import pickle

    folder = tmp_path / "data" / "pose_estimates" / "youtube" / "py"
    folder.mkdir(parents=True)
    (folder / "pose_estimates.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(FileNotFoundError, match=r"There are pickles \(pose_estimates.pkl\), which"):
        load_infant_neuromotor(tmp_path)
