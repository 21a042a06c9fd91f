"""Keraal: exercises against back pain, errors with their time, kind and body part."""

import re

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._numbers import finite_trial, number_rows, to_numbers
from skrehab.datasets._skipped import Skipped, existing_folder, lost_is_nan
from skrehab.formats._bounds import read_json
from skrehab.formats._xml import read_xml
from skrehab.skeletons import get_skeleton
from skrehab.trials import UNLABELLED, ragged

__all__ = ["load_keraal"]

NAMES = ("Error1", "Error2", "Error3", "Other")
_EXERCISES = ("CTK", "ELK", "RTK")
_POSES = {  # modality: folder, skeleton, coordinates
    "kinect": ("kinect", "kinect25", 3),
    "openpose": ("openpose", "openpose18", 2),
    "blazepose": ("blazepose", "mediapipe33", 3),
    "alphapose": ("alphapose", "coco17", 2),
}
_GROUP = re.compile(r"group\s*(1A|1B|2A|2B|3)", re.IGNORECASE)
_PERSON = re.compile(r"([PS]?\d+?)(T\d+)?", re.IGNORECASE)

_DESCR = """\
Keraal
------
Patients with back pain (groups 1A, 1B), healthy adults (2A, 2B) and healthy people who play errors
(3) do three exercises that a robot shows: CTK, ELK and RTK. Groups 1A and 2A are annotated by
therapists: correct, incorrect, incomplete or motionless; which error, of which body part, from when
to when. Kinect v2, OpenPose, BlazePose and AlphaPose.

Blanchard, Nguyen, Devanne, Simonnet, Le Goff-Pronost and Remy-Neris, "Technical feasibility of
supervision of stretching exercises by a humanoid robot coach for chronic low back pain: the R-COOL
randomized trial", BioMed Research International (2022). From nguyensmai.free.fr/KeraalDataset.html,
which states the terms of use.
"""


def load_keraal(root, *, pose="kinect", annotator=None, frame_rate=30.0, strict=False):
    """Read Keraal: one file a recording, and annotations of Anvil.

    Parameters
    ----------
    root : str or path-like
        Folder of ``group1A, group1B, group2A, group2B, group3``, or some of these. In each, a
        folder a modality, with files anywhere under it.
    pose : {"kinect", "openpose", "blazepose", "alphapose"}, default="kinect"
        Which poses to read.
    annotator : str, optional
        Folder of annotations, such as ``"annotatorA"``; by default the first that begins with
        ``annot``.
    frame_rate : float, default=30.0
        Frames a second of the poses, which the files do not tell; it places the errors.
    strict : bool, default=False
        Raise where a recording does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` recordings:

        * ``X``: list of float32 arrays (n_frames_i, n_joints, 2 or 3); NaN for joints not seen;
        * ``y``: int array (n_trials, 4), 1 where the error was made, -1 if not annotated;
          ``label_names``: ``["Error1", "Error2", "Error3", "Other"]``;
        * ``frame_labels``: ragged array of int arrays (n_frames_i, 4): 1 within the times of an
          error, 0 outside them, -1 for errors that the recording has but no time is given of;
        * ``evaluation``: str array: ``"Correct"``, ``"Incorrect"``, ``"Incomplete"``,
          ``"Motionless"`` or ``""``; ``errors``: list of lists of dict with ``start, stop`` (s),
          ``type, severity, body_part``;
        * ``subject``, ``groups``: str arrays, the group and the person; ``group``, ``exercise``:
          str arrays; ``side``: ``"left"``, ``"right"``, ``"both"`` or ``""``, of the errors;
          ``path``: list of str;
        * ``frame_rate``, ``skeleton``; ``skipped``: list of (file, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    Names are ``G1A-Kinect-CTK-P1-23.txt`` (group, modality, exercise, person, recording) and, in
    group 3, ``G3-Kinect-CTK-P1T1-Unknown-C-0.txt``, whose ``C`` or ``E1`` ... says whether it is
    correct. A row of a Kinect file is 25 times x, y, z and a quaternion, between blanks. The
    others are JSON, ``{"positions": {"1.0": {"Nose": [x, y], ...}, ...}}``. An annotation is found
    by its name without the modality. In it the tracks ``Global evaluation`` and ``Global error``
    speak of the recording, ``Temporal error`` of its parts.

    Examples
    --------
    >>> from skrehab.datasets import load_keraal
    >>> data = load_keraal("Keraal", pose="blazepose")  # doctest: +SKIP
    >>> data.X[0].shape, data.errors[0]  # doctest: +SKIP
    ((411, 33, 3), [{'start': 2.1, 'stop': 3.4, 'type': 'Error2', ...}])
    """
    if pose not in _POSES:
        raise ValueError(f"pose must be among {sorted(_POSES)}, got {pose!r}.")
    root = existing_folder(root, "Keraal")
    folder, skeleton, n_dims = _POSES[pose]
    skipped, rows = Skipped("Keraal", root), []
    groups = [(match[1].upper(), place) for place in sorted(root.iterdir()) if place.is_dir()
              and (match := _GROUP.fullmatch(place.name))]  # fmt: skip
    for group, place in groups:
        notes = _annotations(place, annotator)
        for file in sorted((place / folder).rglob("*")):
            if file.suffix.lower() not in (".txt", ".json"):
                continue
            try:
                parts = file.stem.split("-")
                if len(parts) < 4 or parts[2].upper() not in _EXERCISES:
                    raise ValueError("its name must be such as G1A-Kinect-CTK-P1-23")
                person = _PERSON.match(parts[3])
                if not person:
                    raise ValueError(f"{parts[3]!r} in its name is no person")
                X = _read(file, skeleton, n_dims)
                note = notes.get(_key(file))
                found = _anvil(note) if note else _by_name(group, parts)
            except (ValueError, OSError) as error:
                skipped.add(file, error)
                continue
            who = f"{group}-{person[1]}"
            rows.append((X, *_labels(found, len(X), frame_rate), found, who, group, parts[2], file))
    skipped.report(len(rows), strict)
    X, y, frames, found, who, group, exercise, path = zip(*rows)
    who = np.array(who)
    return TrialsBunch(
        X=list(X),
        y=np.array(y),
        frame_labels=ragged(list(frames)),
        label_names=list(NAMES),
        evaluation=np.array([one["evaluation"] for one in found]),
        errors=[one["errors"] for one in found],
        subject=who,
        groups=who,
        group=np.array(group),
        exercise=np.array([name.upper() for name in exercise]),
        side=np.array([_side(one["parts"]) for one in found]),
        path=[str(one) for one in path],
        frame_rate=float(frame_rate),
        skeleton=skeleton,
        skipped=skipped.found,
        DESCR=_DESCR,
    )


# --- poses ----------------------------------------------------------------------------------------
def _read(file, skeleton, n_dims):
    whole = get_skeleton(skeleton)
    if skeleton == "kinect25":
        values = number_rows(file, 175, " ").reshape(-1, 25, 7)[..., :3]
        return finite_trial(lost_is_nan(values), file.name)
    content = read_json(file)
    frames = content.get("positions") if isinstance(content, dict) else None
    if not isinstance(frames, dict):
        raise ValueError("it must be an object with 'positions'")
    columns = {_plain(name): i for i, name in enumerate(whole.landmarks)}
    try:
        numbers = sorted(frames, key=float)
    except ValueError:
        raise ValueError("'positions' must have frame numbers as keys") from None
    pose = np.full((len(numbers), whole.n_landmarks, n_dims), np.nan)
    for i, number in enumerate(numbers):
        for name, place in dict(frames[number]).items():
            column = columns.get(_plain(_english(name)))
            if column is None:
                raise ValueError(f"frame {number}: {skeleton} has no joint {name[:30]!r}")
            cells = [str(cell) for cell in list(place)[:n_dims]]
            if len(cells) != n_dims:
                raise ValueError(f"frame {number}, {name}: expected {n_dims} coordinates")
            pose[i, column] = to_numbers(cells, f"frame {number}, {name}")
    return finite_trial(pose, file.name)


def _english(name):
    """left_wrist for lWrist, LWrist and Left_wrist; spine_shoulder for Neck."""
    match = re.fullmatch(r"([lrLR])([A-Z]\w+|knee)", name)
    name = f"{'left' if match[1] in 'lL' else 'right'}_{match[2]}" if match else name
    return "spine_shoulder" if name.lower() in ("neck", "mshoulder") else name


def _plain(name):
    return name.lower().replace("_", "")


# --- annotations ----------------------------------------------------------------------------------
def _key(file):
    """A file's name without its modality."""
    parts = file.stem.lower().split("-")
    return tuple(part for i, part in enumerate(parts) if i != 1)


def _annotations(place, annotator):
    """Annotation files of a group, by key."""
    folders = sorted(one for one in place.iterdir() if one.is_dir())
    if annotator is None:
        folders = [one for one in folders if one.name.lower().startswith("annot")][:1]
    else:
        folders = [one for one in folders if one.name.lower() == annotator.lower()]
    files = [file for one in folders for file in sorted(one.rglob("*")) if file.is_file()]
    return {_key(file): file for file in files if file.suffix.lower() in (".anvil", ".xml")}


def _by_name(group, parts):
    """What the name of a recording of group 3 says; nothing of the others."""
    nothing = {"evaluation": "", "types": None, "errors": [], "parts": []}
    if group != "3" or len(parts) < 6:
        return nothing
    said = parts[-2].upper()
    if said == "C":
        return nothing | {"evaluation": "Correct", "types": []}
    match = re.fullmatch(r"E(?:RROR)?([123])", said)
    return nothing | {
        "evaluation": "Incorrect",
        "types": [f"Error{match[1]}" if match else "Other"],
    }


def _anvil(file):
    """Evaluation, kinds of errors, and errors with their times, of one annotation."""
    out = {"evaluation": "", "types": [], "errors": [], "parts": []}

    def take(element, above):
        track = next((one["name"] for one in reversed(above) if "name" in one), "").lower()
        said = {one.get("name", "").lower(): (one.text or "").strip()
                for one in element.iter("attribute")}  # fmt: skip
        kind, part = said.get("type", ""), said.get("bodypart", "")
        if track == "global evaluation":
            out["evaluation"] = said.get("evaluation", "")
        if "error" not in track or kind.lower() in ("", "none"):
            return
        if kind not in NAMES:
            raise ValueError(f"the error {kind[:30]!r} is unknown; known are {NAMES}")
        out["types"].append(kind)
        out["parts"].append(part)
        if track == "temporal error":
            start, stop = to_numbers(
                [element.get("start", ""), element.get("end", "")], "an error's times"
            )
            if not start < stop:
                raise ValueError(f"an error lasts from {start} to {stop}")
            out["errors"].append({"start": start, "stop": stop, "type": kind, "body_part": part,
                                  "severity": said.get("evaluation", "")})  # fmt: skip

    try:
        read_xml(file, "annotation", "Anvil", {("body", "track", "el"): take})
    except ValueError as error:
        raise ValueError(f"{file.parent.name}/{file.name}: {error}") from None
    return out


def _labels(found, n_frames, frame_rate):
    """Labels of the recording and of its frames."""
    frames = np.zeros((n_frames, len(NAMES)), dtype=int)
    if found["types"] is None:
        return np.full(len(NAMES), UNLABELLED), frames + UNLABELLED
    y = np.array([int(name in found["types"]) for name in NAMES])
    timed = {one["type"] for one in found["errors"]}
    for k, name in enumerate(NAMES):
        if y[k] and name not in timed:
            frames[:, k] = UNLABELLED
    times = (np.arange(n_frames) + 0.5) / frame_rate
    for one in found["errors"]:
        inside = (times >= one["start"]) & (times < one["stop"])
        frames[inside, NAMES.index(one["type"])] = 1
    return y, frames


def _side(parts):
    names = {"leftarm": "left", "rightarm": "right", "botharms": "both"}
    found = {names[part.lower()] for part in parts if part.lower() in names}
    return "both" if len(found) > 1 else next(iter(found), "")
