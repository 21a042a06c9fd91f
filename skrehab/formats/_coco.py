"""COCO key-points in JSON: a data set, a list of results, or simply a list of frames."""

import numpy as np

from skrehab.formats._bounds import check_name, check_points, kind_of, quoted, read_json
from skrehab.formats._lost import mark_lost
from skrehab.formats._numbering import one_recording, split_names
from skrehab.formats._people import frame_number, is_id, one_frame, points_of, same_count
from skrehab.formats._persons import pick_person
from skrehab.formats._pose_file import as_read, checked, frame_times
from skrehab.formats._predictions import is_predictions, read_predictions
from skrehab.skeletons import get_skeleton

_COORDS = ("x", "y", "score")


def read_coco(path, frame_rate=None, person="steady", content=None, trial=None):
    """Read one person's key-points.

    A data set has ``images``, ``annotations`` and ``categories``, which name the points; images are
    put in order by their ``frame_id`` or the numbers in their ``file_name``, and may say their
    ``timestamp`` in seconds, as ours do. A list of results has one entry a person and an
    ``image_id``, a number or a file name with one, as AlphaPose and others write it. A list without
    ``image_id`` has one entry a frame. What MMPose and Sapiens write is in ``_predictions.py``.
    """
    content = read_json(path) if content is None else content
    if is_predictions(content):
        return read_predictions(content, frame_rate, person)
    if isinstance(content, dict) and not {"images", "annotations"} & set(content):
        by_picture = _by_picture(content)
        if by_picture is not None:
            return _read_results(by_picture, frame_rate, person, trial)
    if isinstance(content, dict):
        return _read_dataset(content, frame_rate, person, trial)
    if not isinstance(content, list) or not content:
        raise ValueError("it must be a list with one entry a frame, each with 'keypoints'")
    if isinstance(content[0], dict) and "image_id" in content[0]:
        return _read_results(_entries(content), frame_rate, person, trial)
    points = mark_lost(read_frames(content), _COORDS)
    numbers = [frame_number(frame) for frame in content]
    if None in numbers:
        numbers = range(len(points))
    order = _in_order(numbers, "entries")
    times = frame_times(np.asarray(numbers)[order], frame_rate)
    return checked(points[order], times, _names(points.shape[1]), _COORDS)


def _in_order(numbers, what):
    """Indices that put frames in order; the same frame twice is refused."""
    order = np.argsort(numbers, kind="stable")
    ordered = np.asarray(numbers)[order]
    same = np.flatnonzero(np.diff(ordered) == 0)
    if len(same):
        i, k = order[same[0]], order[same[0] + 1]
        raise ValueError(f"{what} {i} and {k} are the same frame {ordered[same[0]]}")
    return order


# --- a data set -----------------------------------------------------------------------------------
def _read_dataset(content, frame_rate, person, trial):
    images, annotations = content.get("images"), content.get("annotations")
    if not isinstance(images, list) or not isinstance(annotations, list) or not images:
        raise ValueError("a COCO data set has lists 'images' and 'annotations'")
    categories = content.get("categories")
    names = _category_names(categories) if categories else None
    known = {}
    for i, image in enumerate(images):
        if not isinstance(image, dict) or not is_id(image.get("id")):
            raise ValueError(f"images[{i}] has no 'id'")
        if image["id"] in known:
            raise ValueError(f"images[{i}] has the same id as another: {quoted(image['id'])}")
        known[image["id"]] = i
    recordings, numbers = _numbers(images, content.get("videos"))
    chosen = one_recording(recordings, trial)
    images = [
        dict(image, number=n) for image, n, r in zip(images, numbers, recordings) if r == chosen
    ]
    images = [images[i] for i in _in_order([image["number"] for image in images], "images")]
    order = {image["id"]: i for i, image in enumerate(images)}
    frames = [[] for _ in images]
    flags = True  # 0, 1, 2: not labelled, hidden, seen; or a score in the third place
    for i, one in enumerate(annotations):
        if (
            not isinstance(one, dict)
            or not is_id(one.get("image_id"))
            or one["image_id"] not in known
        ):
            raise ValueError(f"annotations[{i}] belongs to no image")
        if one.get("keypoints") and one["image_id"] in order:
            points, scored = points_of(one, f"annotations[{i}]", len(names) if names else None)
            flags &= not scored and bool(np.isin(points[:, 2], (0, 1, 2)).all())
            frames[order[one["image_id"]]].append(points)
    n_landmarks = same_count(frames)
    check_points(len(frames), n_landmarks)
    half = [1, 1, 2 if flags else 1]  # a hidden point was guessed by a human: half sure
    frames = [[mark_lost((one / half)[None], _COORDS)[0] for one in frame] for frame in frames]
    points = pick_person(frames, person, n_landmarks)
    times = [image.get("timestamp") for image in images]
    if all(type(time) in (int, float) for time in times):  # others write dates there
        return as_read(points, times, names or _names(n_landmarks), _COORDS)
    times = frame_times([image["number"] for image in images], frame_rate)
    return checked(points, times, names or _names(n_landmarks), _COORDS)


def _numbers(images, videos):
    """Recording and frame number of each image: what it states, else what its file is called."""
    of = [image.get("video_id", image.get("video", "")) for image in images]
    if isinstance(videos, list):
        called = {
            v.get("id"): v.get("file_name", v.get("name")) for v in videos if isinstance(v, dict)
        }
        of = [called.get(one) or one for one in of]
    numbers = [frame_number(image) for image in images]
    if None not in numbers:
        return [str(one) for one in of], numbers
    files = [image.get("file_name") for image in images]
    if all(isinstance(file, str) and any(c.isdigit() for c in file) for file in files):
        recordings, numbers = split_names(files)
        if any(of):
            recordings = [f"{one}/{rest}" for one, rest in zip(of, recordings)]
        return recordings, numbers
    return [str(one) for one in of], list(range(len(images)))


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


# --- a list of results ----------------------------------------------------------------------------
def _entries(content):
    """Pairs (picture, person) of a list of results."""
    for i, one in enumerate(content):
        if not isinstance(one, dict) or "image_id" not in one:
            raise ValueError(f"entry {i} has no 'image_id', and others have")
        if not is_id(one["image_id"]) or not any(c.isdigit() for c in str(one["image_id"])):
            raise ValueError(f"entry {i}: image_id {quoted(one['image_id'])} holds no frame number")
    return [(one["image_id"], one) for one in content]


def _by_picture(content):
    """The same of AlphaPose's other form, an object of pictures; None where it is none."""
    found = []
    for name, picture in content.items():
        people = picture.get("people", picture.get("bodies")) if isinstance(picture, dict) else None
        if not isinstance(people, list):
            return None
        for one in people:
            values = (
                one.get("pose_keypoints_2d", one.get("joints")) if isinstance(one, dict) else None
            )
            found.append((name, {"keypoints": values}))
    return found or None


def _read_results(entries, frame_rate, person, trial):
    pictures = [picture for picture, _ in entries]
    if all(isinstance(picture, int) for picture in pictures):
        recordings, numbers = [""] * len(pictures), pictures
    else:
        recordings, numbers = split_names([str(picture) for picture in pictures], "image_id")
    chosen = one_recording(recordings, trial)
    people = {}
    for i, ((_, one), recording, number) in enumerate(zip(entries, recordings, numbers)):
        if recording == chosen:
            points, _ = points_of(one, f"entry {i}")
            people.setdefault(number, []).append(mark_lost(points[None], _COORDS)[0])
    numbers = sorted(people)
    frames = [people[number] for number in numbers]
    n_landmarks = same_count(frames)
    check_points(len(frames), n_landmarks)
    points = pick_person(frames, person, n_landmarks)
    times = frame_times(numbers, frame_rate)
    return checked(points, times, _names(n_landmarks), _COORDS)


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
    return np.stack([one_frame(frame, i, n_landmarks) for i, frame in enumerate(content)])


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
