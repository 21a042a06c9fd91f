"""Files that a manifest names: found, read, and not the same recording twice."""

import hashlib
import os
import unicodedata
from pathlib import Path

import numpy as np

from skrehab._written import LONGEST_NAME
from skrehab.datasets._pose_files import (
    POSE_SUFFIXES,
    PoseReader,
    in_known_order,
    is_pose_folder,
)
from skrehab.datasets._tables import alike_key, clean, to_whole
from skrehab.datasets._video_names import VIDEO_SUFFIXES
from skrehab.datasets.intervals import read_intervals
from skrehab.formats._bounds import quoted

_LONGEST_PATH = 3000  # characters; systems take about 4,000 bytes in all
_TABLES = (".csv", ".tsv", ".xlsx", ".parquet", ".json")  # of several trials, perhaps


def find_files(rows, folder, problems):
    """Find every file; they must exist, have a known ending, and be of one kind."""
    files, first = [], {}
    for row in rows:
        cell = row.cells["path"]
        try:
            file = found_file(folder, cell)
        except ValueError as error:
            problems.add(row, "path", str(error))
            files.append(folder)
            continue
        files.append(file)
        kind = _kind(file)
        if not cell:
            problems.add(row, "path", "is empty")
        elif kind is None and file.is_dir() and not file.suffix:
            problems.add(row, "path", f"{cell!r} is a folder without JSON files of OpenPose")
        elif kind is None:
            known = " ".join([*POSE_SUFFIXES, *VIDEO_SUFFIXES])
            problems.add(
                row,
                "path",
                f"{cell!r} is no video or pose file; known are {known}, and folders of OpenPose",
            )
        elif not file.is_file() and not is_pose_folder(file):
            problems.add(row, "path", f"there is no file {file}")
        if kind and cell:
            first.setdefault(kind, row)
    if len(first) == 2:
        (kind, row), (other_kind, other) = first.items()
        problems.add(
            other,
            "path",
            f"{other.cells['path']!r} is a {other_kind}, but row {row.number} names the {kind} "
            f"{row.cells['path']!r}. Put videos and pose files into two manifests, or extract the "
            "poses first with 'skrehab pose'",
        )
    return files


def found_file(folder, cell):
    """The file of a cell, also where the other system writes backslashes or composes letters."""
    longest = max((len(os.fsencode(part)) for part in Path(cell).parts), default=0)
    if longest > LONGEST_NAME or len(cell) > _LONGEST_PATH:
        raise ValueError(f"no file can have a name as long as {quoted(cell)}")
    file = folder / cell
    for name in (cell, cell.replace("\\", "/")):
        for form in ("NFC", "NFD"):
            other = folder / unicodedata.normalize(form, name)
            if not file.exists() and other.exists():
                return other
    return file


def _kind(file):
    if file.suffix.lower() in VIDEO_SUFFIXES:
        return "video"
    return "pose file" if is_pose(file) else None


def is_pose(file):
    """Whether a file's ending, or its being a folder of JSON files, says that it holds a pose."""
    return file.suffix.lower() in POSE_SUFFIXES or is_pose_folder(file)


def check_unique(rows, files, problems):
    """Refuse a file or a trial's name that stands in two rows."""
    seen = {}
    for row, file in zip(rows, files):
        place = str(file.resolve()) if file.exists() else str(file)
        keys = [("path", place)]
        if row.cells.get("trial"):
            keys.append(("trial", row.cells["trial"]))
            if file.suffix.lower() in _TABLES or file.is_dir():  # it may hold several trials
                keys[0] = ("path", (place, row.cells["trial"]))
        for key in keys:
            if key in seen and key[1]:
                problems.add(row, key[0], f"is the same as in row {seen[key]}")
            seen.setdefault(key, row.number)


def read_poses(rows, files, rates, reader_options, problems):
    """Read the pose of each row; None where that is not possible."""
    poses, first, reader = [], None, PoseReader(**reader_options)
    for row, file, rate in zip(rows, files, rates):
        try:
            pose = in_known_order(reader.read(file, row.cells.get("trial") or None, rate))
        except (ValueError, OSError) as error:
            problems.add(row, "path", f"{row.cells['path']}: {error}")
            poses.append(None)
            continue
        first = first or (row, pose)
        expected = first[1]
        if pose.pose.shape[1:] != expected.pose.shape[1:]:
            problems.add(
                row,
                "path",
                f"has {pose.pose.shape[1]} landmarks of {pose.pose.shape[2]} coordinates, row "
                f"{first[0].number} has {expected.pose.shape[1]} of {expected.pose.shape[2]}",
            )
        elif pose.landmarks != expected.landmarks:
            problems.add(row, "path", f"names other landmarks than row {first[0].number}")
        poses.append(pose)
    return poses


def check_contents(rows, files, poses, alike, problems):
    """Refuse the same recording under two names: it would be learned from and tested on."""
    if alike == "different":
        return
    sizes, seen = {}, {}
    if poses is None:
        for file in files:
            sizes.setdefault(file.stat().st_size, []).append(file)
    for i, (row, file) in enumerate(zip(rows, files)):
        if poses is not None:
            key = _digest(poses[i].pose) if poses[i] is not None else None
        else:
            size = file.stat().st_size
            key = _digest(file) if size and len(sizes[size]) > 1 else None
        if key is None:
            continue
        if key in seen:
            problems.add(
                row,
                "path",
                f"{row.cells['path']} holds the same recording as {seen[key].cells['path']} in row "
                f"{seen[key].number}: take one away, or pass alike='different'",
            )
        seen.setdefault(key, row)


def _digest(content):
    if hasattr(content, "tobytes"):
        return content.shape, hashlib.sha256(content.tobytes()).digest()
    with open(content, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _meant(intervals, meaning, as_numbers):
    """Intervals whose words are the labels that they mean."""
    if not meaning:
        return intervals
    known = {clean(str(word)): label for word, label in meaning.items()}
    out = [(a, b, known.get(clean(label), label)) for a, b, label in intervals]
    if not as_numbers:
        return [(a, b, str(label)) for a, b, label in out]
    words = sorted({label for *_, label in out if to_whole(str(label)) is None})
    if words:
        raise ValueError(
            f"interval_labels says nothing of {words[:10]}, and trial labels are numbers"
        )
    return [(a, b, to_whole(str(label))) for a, b, label in out]


def read_all_intervals(rows, files, poses, rates, folder, as_numbers, options, problems):
    """Read the intervals of each row, by the clock of its recording; None where it names none."""
    found, claimed = [], {}
    for i, (row, file) in enumerate(zip(rows, files)):
        cell, intervals = row.cells["frame_labels"], None
        recording = row.cells.get("recording") or options["recording"]
        if cell:
            pose = poses[i] if poses else None
            times = None if pose is None else pose.timestamps
            if (
                times is not None
                and rates[i]
                and np.allclose(times, np.arange(len(times)) / rates[i])
            ):
                times = None  # they come from the rate, which also tells of frames after the last
            names = [row.cells["path"], row.cells.get("trial", "")]
            try:
                labels_file = found_file(folder, cell)
                asked = alike_key(recording or file.stem)
                other = claimed.setdefault((str(labels_file), asked, row.cells.get("trial")), row)
                intervals = read_intervals(
                    labels_file,
                    as_numbers and not options["meaning"],
                    [name for name in names if name],
                    recording,
                    tier=row.cells.get("tier") or options["tier"],
                    timestamps=times,
                    frame_rate=rates[i],
                )
                intervals = _meant(intervals, options["meaning"], as_numbers)
                if other is not row and not recording and file.parent != folder:
                    raise ValueError(
                        f"{file.name} is called like the file in row {other.number}, and nothing "
                        "tells whose intervals these are: add a column recording"
                    )
            except (ValueError, OSError) as error:
                reason = "there is no such file" if isinstance(error, OSError) else str(error)
                if "is no whole number, and trial labels are" in str(reason):
                    reason += "; pass interval_labels= to say what words mean, like {'lean': 1}"
                problems.add(row, "frame_labels", f"{cell[:LONGEST_NAME]}: {reason}")
        found.append(intervals)
    return found
