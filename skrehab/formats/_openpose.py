"""OpenPose: a folder with one JSON file a frame, as OpenPose, Pose2Sim and Sports2D write it."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np

from skrehab.formats._bounds import check_points, kind_of, numbers_of, read_json
from skrehab.formats._lost import mark_lost
from skrehab.formats._numbering import one_recording, split_names
from skrehab.formats._persons import pick_person
from skrehab.formats._pose_file import checked, frame_times, picture
from skrehab.formats._predictions import instances, one_of, point_names
from skrehab.skeletons import get_skeleton

# the number of points tells the skeleton: BODY_25, its older model, COCO
_SKELETONS = {25: "openpose25", 18: "openpose18", 17: "coco17"}
_DIGIT = re.compile(r"[0-9]")
_ENDING = re.compile(r"(?:_keypoints)?\.json$", re.IGNORECASE)
_VERSION = 1.3


def read_openpose(path, frame_rate=None, person="steady", trial=None):
    """Read the people's ``pose_keypoints_2d`` of a folder of frames, or of a single frame.

    Files are ordered by the numbers in their names, which tell the time with `frame_rate`. A frame
    without anybody may hold ``[]`` or ``{}``. A folder of what MMPose or Sapiens write for each
    picture is read too.
    """
    path = Path(path)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ValueError("there is no .json file in it")
    if path.is_dir():
        bare = [_ENDING.sub("", file.name) for file in files]
        if odd := [file.name for file, name in zip(files, bare) if not _DIGIT.search(name)]:
            raise ValueError(f"{odd[0]} has no frame number: NAME_000000000000_keypoints.json")
        recordings, numbers = split_names(bare)
    else:
        recordings, numbers = [""], [0]
    try:
        chosen = one_recording(recordings, trial)
    except ValueError as error:
        raise ValueError(f"one video a folder: {error}") from None
    numbered = sorted(
        (number, file) for number, file, one in zip(numbers, files, recordings) if one == chosen
    )
    for (a, first), (b, second) in pairwise(numbered):
        if a == b:
            raise ValueError(
                f"{first.name} and {second.name} are the same frame: one video a folder"
            )
    read = [_people(file) for _, file in numbered]
    frames = [people for people, _ in read]
    if any(kind is not None for _, kind in read):
        names = next((kind for _, kind in read if isinstance(kind, tuple)), None)
        return one_of(frames, [number for number, _ in numbered], names, frame_rate, person)
    counts = {len(one): file.name for people, (_, file) in zip(frames, numbered) for one in people}
    if not counts:
        raise ValueError("nobody is in any frame")
    if len(counts) > 1:
        raise ValueError(f"the number of points differs: {counts}")
    (n_landmarks,) = counts
    check_points(len(frames), n_landmarks)
    points = pick_person(frames, person, n_landmarks)
    names = None
    if n_landmarks in _SKELETONS:
        names = get_skeleton(_SKELETONS[n_landmarks]).landmarks
    times = frame_times([number for number, _ in numbered], frame_rate)
    return checked(points, times, names, ("x", "y", "score"))


def _people(file):
    """Everybody in one frame, NaN where a point is lost; and names or kind of its program."""
    try:
        content = read_json(file)
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from error
    if content in ([], {}):
        return [], None
    if isinstance(content, dict) and "instance_info" in content:
        return instances(content["instance_info"], file.name), point_names(content) or "predictions"
    people = content.get("people") if isinstance(content, dict) else None
    if people is None and isinstance(content, dict) and "people" in content:
        return [], None
    if not isinstance(people, list):
        raise ValueError(f"{file.name} has no list 'people'")
    found = []
    for i, one in enumerate(people):
        where = f"{file.name}: person {i}"
        if not isinstance(one, dict):
            raise ValueError(f"{where} must be an object, got {kind_of(one)}")
        given = one.get("pose_keypoints_2d", one.get("pose_keypoints"))  # as it was called once
        if given == []:
            continue
        points = numbers_of(given, where, "pose_keypoints_2d")
        if not points.size or points.size % 3:
            raise ValueError(f"{where} needs 'pose_keypoints_2d', 3 numbers for each point")
        found.append(mark_lost(points.reshape(1, -1, 3), ("x", "y", "score"))[0])
    return found, None


def write_openpose(path, pose):
    """Write a folder NAME with files NAME_000000000000_keypoints.json; times are lost."""
    points = picture(pose, "OpenPose JSON")
    path = Path(path)
    path.mkdir(parents=True)
    for i, frame in enumerate(points):
        lost = np.isnan(frame[:, 0])
        values = np.where(lost[:, None], 0, frame)
        people = []
        if not lost.all():
            flat = [float(str(np.float32(value))) for value in values.ravel()]
            people = [{"person_id": [-1], "pose_keypoints_2d": flat, **_EMPTY}]
        content = {"version": _VERSION, "people": people}
        file = path / f"{path.name}_{i:012d}_keypoints.json"
        file.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


# what OpenPose writes beside the body where hands and face are not looked for
_EMPTY = {
    f"{part}_keypoints_{dims}d": []
    for dims in (2, 3)
    for part in ("pose", "face", "hand_left", "hand_right")
    if (part, dims) != ("pose", 2)
}
