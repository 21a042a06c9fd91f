"""export_pose: landmarks, times and a code; nothing else leaves."""

import hashlib
import hmac
import zipfile

import numpy as np
import pytest

from skrehab.pose import PoseTrack, export_pose, patient_code

SALT = bytes(range(32))


@pytest.fixture
def track():
    rng = np.random.RandomState(0)
    world, image = rng.rand(2, 9, 33, 4).astype(np.float32)
    world[3] = image[3] = np.nan
    times = 1_700_000_000 + np.arange(9) / 30  # a camera's clock
    return PoseTrack("/patients/Erika Mustermann/2024-03-01.mp4", times, world, image, 640, 480)


def test_what_is_in_the_file(track, tmp_path):
    path = export_pose(track, tmp_path / "a" / "t1.npz", patient="Mustermann", salt=SALT)
    with np.load(path, allow_pickle=False) as data:
        assert sorted(data) == ["image", "patient", "size", "timestamps", "world"]
        np.testing.assert_array_equal(data["world"], track.world)
        np.testing.assert_array_equal(data["image"], track.image)
        np.testing.assert_allclose(data["timestamps"], np.arange(9) / 30, atol=1e-6)
        assert data["size"].tolist() == [640, 480]
        assert data["patient"].item() == patient_code("Mustermann", SALT)
    raw = path.read_bytes()
    for word in (b"ustermann", b"Erika", b"patients", b"2024", b".mp4"):
        assert word not in raw
    with zipfile.ZipFile(path) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert not archive.comment and not any(entry.comment for entry in archive.infolist())
    again = export_pose(track, tmp_path / "t2.npz", patient="Mustermann", salt=SALT)
    assert again.read_bytes() == raw  # no time of writing either
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "t2.npz"]


def test_the_manifest_reads_it(track, tmp_path):
    from skrehab.datasets import load_manifest

    export_pose(track, tmp_path / "t1.npz", patient="Mustermann", salt=SALT)
    manifest = tmp_path / "trials.csv"
    manifest.write_text(
        "trial,path,patient,exercise,side,label\nT1,t1.npz,c0de,reach,left,usual\n",
        encoding="utf-8",
    )
    (trial,) = load_manifest(manifest).X
    np.testing.assert_array_equal(trial, track.world)


def test_the_code_is_hmac_sha256():
    expected = hmac.new(SALT, "Jürgen 7".encode(), hashlib.sha256).hexdigest()
    assert patient_code("Jürgen 7", SALT) == expected[:32]
    assert patient_code(" Jürgen 7 ", SALT) == patient_code("Jürgen 7", SALT)  # NFD, spaces
    assert patient_code("P1", SALT) != patient_code("P2", SALT)
    assert patient_code("P1", SALT) != patient_code("P1", SALT[::-1])
    assert patient_code("P1", "é" * 16) == patient_code("P1", ("é" * 16).encode())
    assert patient_code(7, SALT) == patient_code("7", SALT)


@pytest.mark.parametrize("salt", [b"", b"short", "fifteen letters"])
def test_a_short_salt_is_refused(track, tmp_path, salt):
    with pytest.raises(ValueError, match="at least 16 bytes"):
        export_pose(track, tmp_path / "a.npz", patient="P1", salt=salt)
    assert not list(tmp_path.iterdir())


def test_other_refusals(track, tmp_path):
    with pytest.raises(ValueError, match="identifier is empty"):
        patient_code("  ", SALT)
    with pytest.raises(ValueError, match=r"\.npz"):
        export_pose(track, tmp_path / "a.npy", patient="P1", salt=SALT)
    for name in ("p1.npz", "trial_P1-left.npz", "Müller.npz"):
        patient = "müller" if "M" in name else "P1"
        with pytest.raises(ValueError, match="says who the patient is"):
            export_pose(track, tmp_path / name, patient=patient, salt=SALT)
    export_pose(track, tmp_path / "P10.npz", patient="P1", salt=SALT)  # another word


def test_a_write_that_breaks_off_leaves_nothing(track, tmp_path, monkeypatch):
    def broken(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", broken)
    with pytest.raises(OSError, match="disk full"):
        export_pose(track, tmp_path / "a.npz", patient="P1", salt=SALT)
    assert not list(tmp_path.iterdir())
