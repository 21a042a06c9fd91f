"""What MMPose and Sapiens write: ``meta_info`` and ``instance_info``, or a list of frames."""

import numpy as np

from skrehab.formats._bounds import check_name, check_points, kind_of
from skrehab.formats._lost import mark_lost
from skrehab.formats._people import frame_number, points_of, same_count
from skrehab.formats._persons import pick_person
from skrehab.formats._pose_file import checked, frame_times
from skrehab.skeletons import get_skeleton


def is_predictions(content):
    """Whether it is an object with ``instance_info``, or a list of frames with ``instances``."""
    if isinstance(content, dict):
        return "instance_info" in content
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and "instances" in first


def read_predictions(content, frame_rate, person):
    """Read one person of a video's predictions: frames by their ``frame_id``."""
    frames = content["instance_info"] if isinstance(content, dict) else content
    if not isinstance(frames, list) or not frames:
        raise ValueError("its 'instance_info' must be a list with one entry a frame")
    names = point_names(content)
    if isinstance(frames[0], dict) and "instances" not in frames[0]:  # people of one picture
        frames = [{"frame_id": 0, "instances": frames}]
    people, numbers = [], []
    for i, frame in enumerate(frames):
        if not isinstance(frame, dict):
            raise ValueError(f"instance_info[{i}] must be an object, got {kind_of(frame)}")
        number = frame_number(frame)
        numbers.append(i if number is None else number)
        people.append(instances(frame.get("instances"), f"frame {numbers[-1]}"))
    order = np.argsort(numbers, kind="stable")
    people, numbers = [people[i] for i in order], [numbers[i] for i in order]
    if (np.diff(numbers) == 0).any():
        raise ValueError("two of its frames have the same frame_id")
    return one_of(people, numbers, names, frame_rate, person)


def one_of(people, numbers, names, frame_rate, person):
    """The PoseFile of one person of numbered frames."""
    n_landmarks = same_count(people)
    widths = {one.shape[1] for frame in people for one in frame}
    if len(widths) > 1:
        raise ValueError("some people have a depth and others none")
    coords = ("x", "y", "z", "score") if widths == {4} else ("x", "y", "score")
    check_points(len(people), n_landmarks)
    points = pick_person(people, person, n_landmarks)
    if names is not None and len(names) != n_landmarks:
        raise ValueError(f"{len(names)} names for {n_landmarks} points")
    if names is None and n_landmarks == 17 and len(coords) == 3:
        names = get_skeleton("coco17").landmarks
    return checked(points, frame_times(numbers, frame_rate), names, coords)


def instances(found, where):
    """People of one frame: a list of (n_landmarks, n_coords), NaN where a point is lost."""
    if found is None:
        return []
    if not isinstance(found, list):
        raise ValueError(f"{where}: its people must be a list, got {kind_of(found)}")
    out = []
    for i, one in enumerate(found):
        if not isinstance(one, dict):
            raise ValueError(f"{where}: person {i} must be an object, got {kind_of(one)}")
        if not one.get("keypoints"):
            continue
        points, _ = points_of(one, f"{where}, person {i}", third="z")
        coords = ("x", "y", "z", "score") if points.shape[1] == 4 else ("x", "y", "score")
        out.append(mark_lost(points[None], coords)[0])
    return out


def point_names(content):
    """Names of the points in ``meta_info``, in their order; None where it has none."""
    meta = content.get("meta_info") if isinstance(content, dict) else None
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if not isinstance(names, dict) or not names:
        return None
    try:
        ordered = [names[key] for key in sorted(names, key=int)]
    except ValueError:
        return None
    if not all(isinstance(name, str) for name in ordered):
        return None
    return tuple(check_name(name, "'meta_info'") for name in ordered)
