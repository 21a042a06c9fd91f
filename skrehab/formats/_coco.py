"""COCO key-points in JSON: a data set, a list of results, or simply a list of frames."""

import json
import re

import numpy as np

from skrehab._written import written
from skrehab.formats._bounds import (
    check_name,
    check_points,
    kind_of,
    numbers_of,
    quoted,
    read_json,
    to_int,
)
from skrehab.formats._persons import pick_person
from skrehab.formats._pose_file import checked, frame_times, picture
from skrehab.skeletons import get_skeleton

_DIGITS = re.compile(r"[0-9]+")


def read_coco(path, frame_rate=None, person="steady", content=None):
    """Read one person's key-points.

    A data set has ``images``, in the order of the frames, ``annotations`` and ``categories``, which
    name the points; its ``images`` may say their ``timestamp`` in seconds, as ours do. A list of
    results has one entry a person and an ``image_id``, a number or a file name that ends in one, as
    AlphaPose and others write it. A list without ``image_id`` has one entry a frame.
    """
    content = read_json(path) if content is None else content
    if isinstance(content, dict):
        return _read_dataset(content, frame_rate, person)
    if not isinstance(content, list) or not content:
        raise ValueError("it must be a list with one entry a frame, each with 'keypoints'")
    if isinstance(content[0], dict) and "image_id" in content[0]:
        return _read_results(content, frame_rate, person)
    points = np.stack([_lost(frame, False) for frame in read_frames(content)])
    times = frame_times(np.arange(len(points)), frame_rate)
    return checked(points, times, _names(points.shape[1]), ("x", "y", "score"))


# --- a data set -----------------------------------------------------------------------------------
def _read_dataset(content, frame_rate, person):
    images, annotations = content.get("images"), content.get("annotations")
    if not isinstance(images, list) or not isinstance(annotations, list) or not images:
        raise ValueError("a COCO data set has lists 'images' and 'annotations'")
    categories = content.get("categories")
    names = _category_names(categories) if categories else None
    order = {}
    for i, image in enumerate(images):
        if not isinstance(image, dict) or not _is_id(image.get("id")):
            raise ValueError(f"images[{i}] has no 'id'")
        if image["id"] in order:
            raise ValueError(f"images[{i}] has the same id as another: {quoted(image['id'])}")
        order[image["id"]] = i
    frames = [[] for _ in images]
    flags = True  # 0, 1, 2: not labelled, hidden, seen; or a score in the third place
    for i, one in enumerate(annotations):
        known = isinstance(one, dict) and _is_id(one.get("image_id"))
        if not known or one["image_id"] not in order:
            raise ValueError(f"annotations[{i}] belongs to no image")
        if one.get("keypoints"):
            points, scored = _points(one, f"annotations[{i}]", len(names) if names else None)
            flags &= not scored and bool(np.isin(points[:, 2], (0, 1, 2)).all())
            frames[order[one["image_id"]]].append(points)
    n_landmarks = _same_count(frames)
    check_points(len(frames), n_landmarks)
    points = pick_person([[_lost(p, flags) for p in f] for f in frames], person, n_landmarks)
    times = [image.get("timestamp") for image in images]
    # others write dates there
    if frame_rate is not None or not all(type(time) in (int, float) for time in times):
        times = frame_times(np.arange(len(images)), frame_rate)
    return checked(points, times, names or _names(n_landmarks), ("x", "y", "score"))


def _category_names(categories):
    if not isinstance(categories, list):
        raise ValueError(f"'categories' must be a list, got {kind_of(categories)}")
    found = [c["keypoints"] for c in categories if isinstance(c, dict) and c.get("keypoints")]
    if len(found) > 1:
        raise ValueError("it has key-points of several categories; one kind of person is wanted")
    if not found:
        return None
    if not isinstance(found[0], list) or not all(isinstance(name, str) for name in found[0]):
        raise ValueError("'keypoints' of a category must be names")
    return tuple(check_name(name, "'categories'") for name in found[0])


def _is_id(value):
    return isinstance(value, int | str) and not isinstance(value, bool)


def _lost(points, flags):
    """Turn flags into scores, and mark lost points."""
    points = points.copy()
    if flags:
        points[:, 2] /= 2  # a hidden point was guessed by a human: half sure
    points[(points[:, 2] <= 0) | np.isnan(points).any(axis=1)] = [np.nan, np.nan, 0]
    return points


# --- a list of results ----------------------------------------------------------------------------
def _read_results(content, frame_rate, person):
    people = {}
    for i, one in enumerate(content):
        if not isinstance(one, dict) or "image_id" not in one:
            raise ValueError(f"entry {i} has no 'image_id', and others have")
        image = one["image_id"]
        digits = _DIGITS.findall(str(image)) if _is_id(image) else []
        if not digits:
            raise ValueError(f"entry {i}: image_id {quoted(image)} holds no frame number")
        try:
            number = to_int(digits[-1])
        except ValueError as error:
            raise ValueError(f"entry {i}: image_id: {error}") from None
        points, _ = _points(one, f"entry {i}", None)
        people.setdefault(number, []).append(_lost(points, False))
    numbers = sorted(people)
    frames = [people[number] for number in numbers]
    n_landmarks = _same_count(frames)
    check_points(len(frames), n_landmarks)
    points = pick_person(frames, person, n_landmarks)
    times = frame_times(numbers, frame_rate)
    return checked(points, times, _names(n_landmarks), ("x", "y", "score"))


def _points(one, where, n_landmarks):
    """Points of one person, (n_landmarks, 3), and whether they have scores of their own."""
    values = numbers_of(one.get("keypoints"), where, "keypoints")
    scores = one.get("keypoint_scores")
    scores = None if scores is None else numbers_of(scores, where, "keypoint_scores")
    wanted = n_landmarks or len(values) // 3
    if not len(values) or len(values) != 3 * wanted:
        raise ValueError(f"{where}: {len(values)} numbers in 'keypoints', {3 * wanted} are needed")
    points = values.reshape(wanted, 3)
    if scores is None:
        return points, False
    if len(scores) != wanted:
        raise ValueError(f"{where}: {len(scores)} 'keypoint_scores' for {wanted} points")
    return np.column_stack([points[:, :2], scores]), True


def _same_count(frames):
    counts = {len(points) for people in frames for points in people}
    if not counts:
        raise ValueError("nobody has key-points in any frame")
    if len(counts) > 1:
        raise ValueError(f"the number of points differs from person to person: {sorted(counts)}")
    return counts.pop()


def _names(n_landmarks):
    return get_skeleton("coco17").landmarks if n_landmarks == 17 else None


# --- a list of frames -----------------------------------------------------------------------------
def read_frames(content, n_landmarks=None):
    """Read one person a frame.

    Each entry is an object whose ``keypoints`` are x, y and perhaps score, flattened or in groups,
    perhaps with ``keypoint_scores``. A frame whose ``keypoints`` are missing, null or empty has
    nobody in it.

    Returns (n_frames, n_landmarks, 3), NaN where the file has no point.
    """
    if not isinstance(content, list) or not content:
        raise ValueError("it must be a list with one entry a frame, each with 'keypoints'")
    if n_landmarks is None:
        n_landmarks = _count(content)
    check_points(len(content), n_landmarks)
    return np.stack([_frame(frame, i, n_landmarks) for i, frame in enumerate(content)])


def _count(content):
    """Number of landmarks, of the first frame that tells: scores, or groups, or x, y, score."""
    for frame in content:
        values = frame.get("keypoints") if isinstance(frame, dict) else None
        if not isinstance(values, list) or not values:
            continue
        if isinstance(values[0], list):
            return len(values)
        scores = frame.get("keypoint_scores")
        return len(scores) if isinstance(scores, list) and scores else len(values) // 3
    raise ValueError("no frame has 'keypoints'")


def _frame(frame, number, n):
    """Points of one frame, (n, 3), NaN where the file has none."""
    if not isinstance(frame, dict):
        kind = type(frame).__name__
        raise ValueError(f"frame {number}: must be an object with 'keypoints', got {kind}")
    values = frame.get("keypoints")
    if values is None or values == []:
        return np.full((n, 3), [np.nan, np.nan, 0])
    values = numbers_of(values, f"frame {number}", "keypoints")
    scores = frame.get("keypoint_scores")
    scores = None if scores is None else numbers_of(scores, f"frame {number}", "keypoint_scores")
    if len(values) not in (2 * n, 3 * n) or (scores is not None and len(scores) != n):
        raise ValueError(
            f"frame {number}: {len(values)} numbers in 'keypoints'; {n} times x, y and perhaps "
            f"score are {2 * n} or {3 * n}, and 'keypoint_scores' are {n}"
        )
    points = values.reshape(n, -1)
    if scores is None:
        scores = points[:, 2] if points.shape[1] == 3 else np.where(np.isnan(points[:, 0]), 0, 1)
    return np.column_stack([points[:, :2], scores])


# --- writing --------------------------------------------------------------------------------------
def write_coco(path, pose):
    """Write a data set: one image a frame, one annotation where the person is seen.

    Key-points carry COCO's flags, 2 seen and 0 lost; their scores stand in ``keypoint_scores`` and
    times in each image's ``timestamp``, both beside what COCO defines.
    """
    points = picture(pose, "COCO JSON")
    n = points.shape[1]
    names = list(pose.landmarks or [f"landmark_{i}" for i in range(n)])
    links = []
    if names == list(get_skeleton("coco17").landmarks):
        links = [[a + 1, b + 1] for a, b in get_skeleton("coco17").edges]
    size = {"width": 0, "height": 0}  # unknown here; COCO wants the keys
    images, annotations = [], []
    for i, frame in enumerate(points):
        image = {"id": i + 1, "file_name": f"{i:012d}.jpg", **size, "frame_id": i}
        if pose.timestamps is not None:
            image["timestamp"] = float(pose.timestamps[i])
        images.append(image)
        seen = ~np.isnan(frame[:, 0])
        if not seen.any():
            continue
        place = [[float(str(np.float32(v))) for v in point] for point in frame]
        flat = [v for p, s in zip(place, seen) for v in (*(p[:2] if s else (0, 0)), 2 * int(s))]
        low, high = frame[seen, :2].min(axis=0), frame[seen, :2].max(axis=0)
        box = [float(v) for v in (*low, *(high - low))]
        annotations.append(
            {
                **{"id": len(annotations) + 1, "image_id": i + 1, "category_id": 1, "iscrowd": 0},
                **{"keypoints": flat, "num_keypoints": int(seen.sum())},
                **{"keypoint_scores": [p[2] for p in place]},
                **{"bbox": box, "area": box[2] * box[3]},
            }
        )
    person = {"id": 1, "name": "person", "supercategory": "person"}
    content = {
        "info": {"description": "key-points written by skrehab"},
        **{"images": images, "annotations": annotations},
        "categories": [person | {"keypoints": names, "skeleton": links}],
    }
    with written(path, text=True) as file:
        file.write(json.dumps(content, allow_nan=False))
