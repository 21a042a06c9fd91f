"""What is written here is opened by the usual readers of each format, where they are installed.

They are small: ``pip install pympi-ling trc-data-reader pycocotools pose-format datumaro``.
"""

import numpy as np
import pytest

from skrehab.formats import read_intervals, read_pose, write_intervals, write_pose
from skrehab.skeletons import get_skeleton

LABELS = [(0.25, 1.5, "lean"), (1.5, 2.0, "trunk rotation"), (3.04, 4.0, 'é "<&>')]


@pytest.fixture
def flat():
    rng = np.random.RandomState(0)
    pose = (100 + 50 * rng.randn(6, 17, 3)).astype(np.float32)
    pose[..., 2] = rng.uniform(0.1, 1, (6, 17))
    pose[1, 4] = pose[3] = [np.nan, np.nan, 0]
    return pose


def test_pympi_reads_our_eaf_and_we_read_pympis(tmp_path):
    elan = pytest.importorskip("pympi.Elan", reason="pympi-ling is not installed")
    file = write_intervals(tmp_path / "a.eaf", LABELS, tier="trunk", media="videos/p01.mp4")
    eaf = elan.Eaf(str(file))
    milliseconds = [(round(1000 * a), round(1000 * b), label) for a, b, label in LABELS]
    assert sorted(eaf.get_annotation_data_for_tier("trunk")) == milliseconds
    assert eaf.get_linked_files()[0]["MEDIA_URL"] == "videos/p01.mp4"

    theirs = elan.Eaf()
    theirs.add_tier("arm")
    for start, stop, label in milliseconds:
        theirs.add_annotation("arm", start, stop, label)
    theirs.remove_tier("default")
    theirs.to_file(str(tmp_path / "b.eaf"))
    assert read_intervals(tmp_path / "b.eaf") == LABELS


def test_trc_data_reader_reads_our_trc(tmp_path):
    trc = pytest.importorskip("trc", reason="trc-data-reader is not installed")
    names = get_skeleton("mediapipe33").landmarks
    pose = np.random.RandomState(1).randn(5, 33, 3).astype(np.float32)
    file = write_pose(tmp_path / "a.trc", pose, landmarks=names, frame_rate=30)
    data = trc.TRCData()
    data.load(str(file))
    assert tuple(data["Markers"]) == names and data["Units"] == "m"
    np.testing.assert_allclose(data["Time"], np.arange(5) / 30)
    for i, name in enumerate(names):
        np.testing.assert_array_equal(np.float32(data[name]), pose[:, i])
    data.save(str(tmp_path / "b.trc"))
    np.testing.assert_allclose(read_pose(tmp_path / "b.trc").pose, pose, atol=1e-5)


def test_pycocotools_reads_our_coco(flat, tmp_path):
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    file = write_pose(tmp_path / "a.json", flat, landmarks="coco17", frame_rate=30)
    data = coco.COCO(str(file))
    assert data.loadCats(1)[0]["keypoints"] == list(get_skeleton("coco17").landmarks)
    assert len(data.getImgIds()) == 6
    for i in range(6):
        found = data.loadAnns(data.getAnnIds(imgIds=i + 1, iscrowd=False))
        assert len(found) == (0 if i == 3 else 1)
        if found:
            points = np.reshape(found[0]["keypoints"], (17, 3))
            seen = ~np.isnan(flat[i, :, 0])
            assert found[0]["num_keypoints"] == seen.sum() == (points[:, 2] == 2).sum()
            np.testing.assert_array_equal(np.float32(points[seen, :2]), flat[i, seen, :2])
    # the evaluation of key-points takes it as truth and as result alike
    from pycocotools.cocoeval import COCOeval

    for annotation in data.dataset["annotations"]:
        annotation["score"] = 1.0
    evaluation = COCOeval(data, data, "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_pose_format_reads_our_openpose(flat, tmp_path):
    openpose = pytest.importorskip("pose_format.utils.openpose", reason="pose-format is missing")
    pose = np.concatenate([flat, flat[:, :8]], axis=1)  # BODY_25
    folder = write_pose(tmp_path / "clip", pose, landmarks="openpose25")
    read = openpose.load_openpose_directory(str(folder), fps=30, width=1000, height=1000)
    body = read.body.data[:, 0, :25].filled(np.nan)
    seen = ~np.isnan(pose[..., 0])
    np.testing.assert_array_equal(np.float32(body[seen]), pose[seen][:, :2])
    np.testing.assert_allclose(read.body.confidence[:, 0, :25][seen], pose[seen][:, 2])


def test_datumaro_reads_our_cvat(tmp_path):
    datumaro = pytest.importorskip("datumaro", reason="datumaro is not installed")
    labels = [(0.2, 0.5, "lean"), (0.4, 0.9, "rotation"), (1.0, 1.2, "lean")]
    file = write_intervals(tmp_path / "a.xml", labels, frame_rate=10, size=(640, 480))
    data = datumaro.Dataset.import_from(str(tmp_path), "cvat")
    names = [label.name for label in data.categories()[datumaro.AnnotationType.label]]
    frames = {name: [] for name in names}
    for item in data:
        for box in item.annotations:
            if not box.attributes["outside"]:
                frames[names[box.label]].append(item.attributes["frame"])
    assert {name: sorted(found) for name, found in frames.items()} == {
        "lean": [2, 3, 4, 10, 11],
        "rotation": [4, 5, 6, 7, 8],
    }
    assert read_intervals(file, frame_rate=10) == labels


def test_pandas_reads_our_tables_and_we_read_pandas(flat, tmp_path):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    file = write_pose(tmp_path / "a.csv", flat, landmarks="coco17", frame_rate=30)
    table = pandas.read_csv(file)
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "b.csv", index=True)
    again = read_pose(tmp_path / "b.csv")
    order = [again.landmarks.index(name) for name in get_skeleton("coco17").landmarks]
    np.testing.assert_allclose(again.pose[:, order], flat, rtol=1e-6)
