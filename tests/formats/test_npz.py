"""NumPy archives that unpack to far more than they are, or hold what nobody asked for."""

import io
import zipfile

import numpy as np
import pytest
from memory import PEAK, needs_linux

from skrehab.datasets import load_uiprmd_npz, load_wmft_npz
from skrehab.formats import read_pose
from skrehab.formats._npz import check_npy, open_npz

POSE = np.random.RandomState(0).randn(6, 17, 3)
UIPRMD = {
    "frames": np.zeros((5, 22, 3)),
    "offsets": [0, 2, 5],
    **{"movement": [1, 1], "subject": [1, 1], "episode": [1, 2], "correct": [True, False]},
}


def head(shape, dtype="<f4"):
    """Head of a .npy that declares so many numbers, and none behind it."""
    file = io.BytesIO()
    facts = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)
    return file.getvalue()


def archive(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            if not isinstance(content, bytes):
                buffer = io.BytesIO()
                np.save(buffer, np.asarray(content))
                content = buffer.getvalue()
            file.writestr(f"{name}.npy", content)
    return path


def bomb(path, members, size=2**30):
    """Beside the members one more, ``extra``: zeros by the gigabyte in a megabyte."""
    archive(path, members)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        with file.open("extra.npy", "w", force_zip64=True) as member:
            member.write(head((size // 4,)))
            for _ in range(size // 2**24):
                member.write(bytes(2**24))
    return path


@needs_linux
@pytest.mark.parametrize("read", ["pose", "uiprmd"])
def test_what_nobody_needs_is_not_unpacked(read, tmp_path, run_python):
    """A gigabyte of zeros beside the pose: reading takes less than that of memory."""
    members = {"pose": POSE} if read == "pose" else UIPRMD
    path = bomb(tmp_path / "poses.npz", members)
    assert path.stat().st_size < 2**22
    code = """
import sys
from skrehab.datasets import load_uiprmd_npz
from skrehab.formats import read_pose
before = peak_kib()
read_pose(sys.argv[1]) if sys.argv[2] == "pose" else load_uiprmd_npz(sys.argv[1])
print((peak_kib() - before) // 1024)
"""
    assert int(run_python(PEAK + code, path, read)) < 300  # MiB


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (head((10**13, 3)), "would take 120000000000000 bytes"),
        (head((10**6, 3)), "should have 12000000 bytes, and there are"),
        (head((1,), "<U400000000"), "should have 1600000000 bytes"),
        (np.array([{}], dtype=object), "holds Python objects"),
        (b"\x93NUMPY\x09\x00", "of version"),
        (b"no array", "magic"),
        (b"", "EOF|magic"),
    ],
)
def test_arrays_that_lie_about_themselves(content, message, tmp_path):
    """Refused by each reader, before memory is taken."""
    poses = archive(tmp_path / "poses.npz", {"pose": content})
    with pytest.raises(ValueError, match=rf"poses\.npz.*({message})"):
        read_pose(poses)
    movements = archive(tmp_path / "movements.npz", UIPRMD | {"frames": content})
    with pytest.raises(ValueError, match=rf"movements\.npz is not a UI-PRMD.*({message})"):
        load_uiprmd_npz(movements)
    hands = {"frames": content, "offsets": [0, 1]}
    with pytest.raises(ValueError, match=r"hands\.npz"):
        load_wmft_npz(archive(tmp_path / "hands.npz", hands))


def test_npy_that_declares_more_than_it_holds(tmp_path):
    path = tmp_path / "pose.npy"
    for content, message in [
        (head((10**13, 17, 3)), "would take"),
        (head((10**6, 17, 3)), "should have 204000000 bytes"),
        (head((1,), "|O"), "holds Python objects"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            check_npy(path)
        with pytest.raises(ValueError, match=rf"pose\.npy.*{message}"):
            read_pose(path)


def test_the_limit_is_for_all_arrays_together(tmp_path):
    path = archive(tmp_path / "a.npz", {"a": np.zeros(100), "b": np.zeros(100)})
    with open_npz(path, most=1000) as arrays:
        assert arrays.read("a").shape == (100,)
        with pytest.raises(ValueError, match="b would take 800 bytes of memory, more than 1000"):
            arrays.read("b")


def test_members_twice_and_damaged(tmp_path):
    path = archive(tmp_path / "a.npz", {"pose": POSE})
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("pose.npy", b"")
    with pytest.raises(ValueError, match=r"a\.npz.*twice"):
        read_pose(path)
    path = archive(tmp_path / "b.npz", {"pose": POSE})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"b\.npz.*damaged"):
        read_pose(path)
