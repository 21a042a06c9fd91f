"""Files of data sets that are larger than they look: refused with a sentence, and little memory."""

import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from memory import PEAK, needs_linux
from scipy.io import savemat

from skrehab.datasets import (
    _matlab,
    _text_files,
    load_kimore,
    load_utkinect,
    load_uwa3d,
    load_wmft_npz,
)
from skrehab.datasets import load_infant_neuromotor as load_infants
from skrehab.skeletons import get_skeleton

ROW = " ".join(["1.5"] * 45)
POSE_TITLES = "video,frame,x,y,bp,fps,pixel_x,pixel_y\n"


def trial_of_utkinect(root, lines):
    (root / "joints").mkdir(exist_ok=True)
    (root / "actionLabel.txt").write_text("s01_e01\nwalk: 2 6\n")
    (root / "joints" / "joints_s01_e01.txt").write_bytes(lines)


def trial_of_kimore(root, lines):
    for part in ("Raw", "Label"):
        (root / "CG/Expert/E_ID1/Es1" / part).mkdir(parents=True, exist_ok=True)
    (root / "CG/Expert/E_ID1/Es1/Raw/JointPosition1.csv").write_bytes(lines)


def trial_of_uwa3d(root, lines):
    (root / "a01_s01_e01_v01.txt").write_bytes(lines)


TEXTS = [
    (load_utkinect, trial_of_utkinect),
    (load_kimore, trial_of_kimore),
    (load_uwa3d, trial_of_uwa3d),
]


@pytest.mark.parametrize(("load", "write"), TEXTS)
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b"1 " * 100_000, "line 1: it has 200,000 characters, and the limit is 131,072"),
        (b"\n\n1 " + b" " * 200_000 + b"1", "line 3: it has 200,003 characters"),
        (b"1 2\0", "it holds zero bytes"),
    ],
)
def test_lines(load, write, lines, message, tmp_path):
    pytest.importorskip("openpyxl")
    write(tmp_path, lines)
    with pytest.raises(ValueError, match=rf"(txt|csv).*{message}"):
        load(tmp_path)


@pytest.mark.parametrize(("load", "write"), TEXTS)
def test_files_that_are_too_large(load, write, tmp_path):
    pytest.importorskip("openpyxl")
    write(tmp_path, b"")
    file = next(file for file in tmp_path.rglob("*[0-9].*") if file.is_file())
    with open(file, "r+b") as hole:  # takes no room on the disk
        hole.truncate(_text_files.MAX_BYTES + 1)
    with pytest.raises(ValueError, match=rf"{file.name}.*it is too large for"):
        load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize(("load", "write"), TEXTS)
def test_pipes_are_not_waited_for(load, write, tmp_path):
    pytest.importorskip("openpyxl")
    write(tmp_path, b"")
    file = next(file for file in tmp_path.rglob("*[0-9].*") if file.is_file())
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ValueError, match="it is a pipe or a device"):
        load(tmp_path)


def test_a_file_of_line_breaks(tmp_path):
    trial_of_uwa3d(tmp_path, b"\n" * _text_files.MAX_LINES + ROW.encode())
    with pytest.raises(ValueError, match="has more than the 1,000,000 lines"):
        load_uwa3d(tmp_path)
    for end in (b"\r", b"\r\n", b"\n\n"):
        trial_of_uwa3d(tmp_path, (ROW.encode() + end) * 3)
        assert load_uwa3d(tmp_path).X[0].shape == (3, 15, 3)


def test_lines_that_name_the_same_frames_again(tmp_path, monkeypatch):
    from skrehab.formats import _bounds

    rows = "".join(f"{frame} " + "1.5 " * 60 + "\n" for frame in range(10))
    trial_of_utkinect(tmp_path, rows.encode())
    (tmp_path / "actionLabel.txt").write_text("s01_e01\n" + "walk: 0 9\n" * 5)
    monkeypatch.setattr(_bounds, "MAX_POINTS", 3 * 10 * 20)
    with pytest.warns(UserWarning, match="40 frames of 20 landmarks are more than the 600 points"):
        assert len(load_utkinect(tmp_path).X) == 3


@pytest.mark.parametrize("number", ["1e300", "-1e39", "inf", "1e999"])
@pytest.mark.parametrize(("load", "write"), TEXTS)
def test_numbers_that_are_infinite_as_float32(load, write, number, tmp_path, recwarn):
    pytest.importorskip("openpyxl")
    cells = ["1"] * {load_utkinect: 61, load_kimore: 100, load_uwa3d: 45}[load]
    write(
        tmp_path,
        (("," if load is load_kimore else " ").join([cells[0], number, *cells[2:]])).encode(),
    )
    with pytest.raises(ValueError, match="holds infinite values"):
        load(tmp_path)
    assert not recwarn.list


def test_a_folder_of_odd_digits_is_sorted_too(tmp_path):
    """A superscript is a digit to Python, and no number."""
    pytest.importorskip("openpyxl")
    (tmp_path / "CG/Expert/E²").mkdir(parents=True)
    (tmp_path / "CG/Expert/E10").mkdir()
    with pytest.raises(ValueError, match="no trial could be read"):
        load_kimore(tmp_path)


def test_a_workbook_that_unpacks_to_much(tmp_path):
    pytest.importorskip("openpyxl")
    person = tmp_path / "CG/Expert/E_ID1/Es1"
    pose = np.zeros((2, 25, 4))

    heights = {"head": 1.7, "spine_shoulder": 1.4, "spine_base": 0.9}
    heights |= {f"{side}_{name}": y for side in ("left", "right")
                for name, y in (("knee", 0.5), ("ankle", 0.1))}  # fmt: skip
    for name, y in heights.items():
        pose[:, get_skeleton("kinect25").index(name), 1] = y
    pose[..., 3] = 2
    trial_of_kimore(tmp_path, "\n".join(",".join(map(str, row.ravel())) for row in pose).encode())
    file = person / "Label/ClinicalAssessment_E_ID1.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (17 * 2**20))
    assert file.stat().st_size < 2**16
    with pytest.raises(ValueError, match=r"E_ID1\.xlsx cannot be read: it is too large for a work"):
        load_kimore(tmp_path)


# --- MATLAB ---------------------------------------------------------------------------------------
def packed(*elements, order=b"IM"):
    """A file of MATLAB 7 of compressed elements."""
    out = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1" + order
    for element in elements:
        piece = zlib.compress(element, 1)
        out += struct.pack("<II" if order == b"IM" else ">II", 15, len(piece)) + piece
    return out


@needs_linux
def test_matlab_files_that_unpack_to_much(tmp_path, run_python):
    content = packed(bytes(2**28 + 1))
    (tmp_path / "a01_s01_e01_v01.mat").write_bytes(content)
    assert len(content) < 2**22
    code = """
import sys
from skrehab.datasets import _matlab, load_uwa3d
_matlab.MAX_BYTES = 2**24
before = peak_kib()
try:
    load_uwa3d(sys.argv[1])
except ValueError as error:
    print("it unpacks to more than 16,777,216 bytes" in str(error))
print((peak_kib() - before) // 1024 < 130)
"""
    assert run_python(PEAK + code, tmp_path).split() == ["True", "True"]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "u2", "i8"])
@pytest.mark.parametrize("compress", [False, True])
def test_matlab_5_is_read_as_scipy_writes_it(dtype, compress, tmp_path):
    """scipy's own reader is not used: a file with a wrong byte can end it with a bus error."""
    file = tmp_path / "a.mat"
    values = np.random.RandomState(0).randint(0, 99, (3, 15, 7)).astype(dtype)
    cell = np.array([1, "x"], dtype=object)
    savemat(file, {"A": values, "s": "text", "c": cell, "z": 1j * values}, do_compression=compress)
    (array,), names = _matlab.read_matlab(file)
    np.testing.assert_array_equal(array.T, values)
    assert array.dtype == dtype and names == ["A", "c", "s", "z"]


@pytest.mark.parametrize("compress", [False, True])
def test_damaged_matlab_files(compress, tmp_path):
    """A byte changed, or the end cut off: an array, or a sentence."""
    file, rng = tmp_path / "a.mat", np.random.RandomState(0)
    savemat(file, {"A": rng.randn(3, 15, 7)}, do_compression=compress)
    content = file.read_bytes()
    outcomes = set()
    for i in range(300):
        damaged = bytearray(content)
        for place in rng.randint(120, 260, 2):
            damaged[place] ^= 1 << rng.randint(8)
        file.write_bytes(damaged[: rng.randint(len(content)) if i % 3 == 0 else None])
        try:
            outcomes.add(len(_matlab.read_matlab(file)[0]))
        except ValueError as error:
            assert str(error).startswith("it cannot be read") or "unpacks to" in str(error)
            outcomes.add("refused")
    assert outcomes <= {0, 1, "refused"} and "refused" in outcomes
    assert compress or 1 in outcomes  # a number has changed


def test_hdf5_that_points_elsewhere(tmp_path):
    h5py = pytest.importorskip("h5py")
    file = tmp_path / "a01_s01_e01_v01.mat"
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["A"] = np.ones((7, 15, 3))
    np.ones((7, 15, 3)).tofile(tmp_path / "raw")

    def linked(content):
        content["A"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "A")

    def soft(content):
        content["A"] = h5py.SoftLink("/B")

    def external(content):
        where = [(str(tmp_path / "raw"), 0, h5py.h5f.UNLIMITED)]
        content.create_dataset("A", (7, 15, 3), "f8", external=where)

    def virtual(content):
        layout = h5py.VirtualLayout((7, 15, 3), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "A", (7, 15, 3))
        content.create_virtual_dataset("A", layout)

    for write, message in [
        (linked, "'A' points at another place or file"),
        (soft, "'A' points at another place or file"),
        (external, "'/A' lies in another file"),
        (virtual, "'/A' lies in another file"),
    ]:
        with h5py.File(file, "w") as content:
            write(content)
        with pytest.raises(ValueError, match=message):
            load_uwa3d(tmp_path)


def test_hdf5_that_unpacks_to_much(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    file = tmp_path / "a01_s01_e01_v01.mat"
    with h5py.File(file, "w") as content:
        content.create_dataset("A", (10**6, 15, 3), "f8", chunks=(100, 15, 3), compression="gzip")
    assert file.stat().st_size < 10**4
    with pytest.raises(ValueError, match="it unpacks to 360,000,000 bytes, and the limit is"):
        load_uwa3d(tmp_path)
    with h5py.File(file, "w") as content:  # a small array with a piece that unpacks to more
        item = content.create_dataset("A", (7, 15, 3), "f8", chunks=(7, 15, 3), compression="gzip")
        item.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(10**7)))
    with pytest.raises(ValueError, match="a piece of '/A' unpacks to more than its 2,520 bytes"):
        load_uwa3d(tmp_path)
    with h5py.File(file, "w") as content:
        content.create_dataset("A", data=np.ones((7, 15, 3)), compression="lzf")
    with pytest.raises(ValueError, match="packed in a way that MATLAB does not use"):
        load_uwa3d(tmp_path)
    monkeypatch.setattr(_matlab, "MAX_NAMES", 3)
    with h5py.File(file, "w") as content:
        for i in range(4):
            content[f"n{i}"] = i
    with pytest.raises(ValueError, match="it holds 4 names, and the limit is 3"):
        load_uwa3d(tmp_path)
    with h5py.File(file, "w") as content:  # as MATLAB does
        data = np.random.RandomState(0).randn(700, 15, 3)
        content.create_dataset("A", data=data, compression="gzip", shuffle=True)
    np.testing.assert_array_equal(load_uwa3d(tmp_path).X[0], data.astype(np.float32))


# --- tables and archives --------------------------------------------------------------------------
def infants(root, poses, meta="video,infant_id,age_in_weeks\na,7,10\nb,8,10\n"):
    (root / "pose_estimates_youtube_dataset.csv").write_text(POSE_TITLES + poses)
    (root / "meta_data_youtube_dataset.csv").write_text(meta)


GOOD = "b,0,1,1,Nose,30,640,480\n"


@pytest.mark.parametrize(
    ("poses", "reason"),
    [
        ("a,1e15,1,1,Nose,30,640,480\n", "a: row 2: frame is '1e15'"),
        ("a,1777777,1,1,Nose,30,640,480\n", "a: row 2: frame is '1777777'"),
        (f"a,0,1,1,{'x' * 10**5},30,640,480\n", "a: row 2: unknown key-point 'x{60}'"),
        ("a,0,1,1,Nose,inf,640,480\n", "a: its frame rate is inf"),
        ("a,0,1,1,Nose,1e6,640,480\n", r"a: its frame rate is 1e\+06"),
        ("a,0,1e300,1,Nose,30,640,480\n", "a: it holds infinite values"),
    ],
)
def test_rows_of_infants(poses, reason, tmp_path):
    infants(tmp_path, poses + GOOD)
    with pytest.warns(UserWarning, match=reason):
        assert load_infants(tmp_path).video.tolist() == ["b"]


def test_tables_of_infants(tmp_path, monkeypatch):
    """Few rows that would be many frames, and lines without an end."""
    rows = "".join(f"v{i},1700000,1,1,Nose,30,640,480\n" for i in range(5))
    infants(tmp_path, rows)
    with pytest.raises(ValueError, match=r"dataset\.csv: up to v1, 3,400,002 frames of 18 land"):
        load_infants(tmp_path)
    infants(tmp_path, "a," + "1" * 2**21)
    with pytest.raises(ValueError, match=r"dataset\.csv: a line has more than 1,048,576 char"):
        load_infants(tmp_path)
    infants(tmp_path, "a" * 2000 + GOOD)
    with pytest.raises(ValueError, match=r"row 2: 'a+'\.\.\. has more than 1,000 characters"):
        load_infants(tmp_path)
    infants(tmp_path, "a,0,1,1,Nose,30,640,480\n" + GOOD,
            "video,infant_id,age_in_weeks\na," + "9" * 400 + ",10\nb,8,10\n")  # fmt: skip
    with pytest.warns(UserWarning, match=r"a: '9{60}'\.\.\. is no infant's number"):
        assert load_infants(tmp_path).subject.tolist() == ["youtube_8"]


def test_archives_of_trials(tmp_path):
    n = 100_001
    columns = {name: np.ones(n, dtype=np.int8) for name in ("subject", "severity", "task")}
    frames = np.zeros((n, 25, 3), dtype=np.float16)
    np.savez_compressed(tmp_path / "w.npz", frames=frames, offsets=np.arange(n + 1), **columns)
    with pytest.raises(ValueError, match=r"w\.npz: 100,001 trials are more than the 100,000"):
        load_wmft_npz(tmp_path / "w.npz")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.npz")
        with pytest.raises(ValueError, match=r"pipe\.npz is not a WMFT archive: it is a pipe"):
            load_wmft_npz(tmp_path / "pipe.npz")
