"""CVAT for video 1.1: a track of boxes, points or skeletons is there until it is "outside"."""

import re
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from skrehab.formats._annotation import Annotation, only_recording
from skrehab.formats._bounds import MAX_ELEMENTS, quoted, to_int
from skrehab.formats._names import file_name
from skrehab.formats._pose_file import check_rate
from skrehab.formats._xml import read_xml, write_xml, xml_safe

_STEP = re.compile(r"step\s*=\s*(\d+)")


def read_cvat(path, attribute=None, *, recording=None, timestamps=None, frame_rate=None):
    """Read when tracks are there; CVAT counts frames, and so their times must be given.

    Labels are those of the tracks, or the values of one of their attributes, where `attribute`
    names it. Of a project's export, `recording` says which task is meant, by its video or name.
    """
    images, tracks, facts = [], [], []  # a track: its attributes, and its shapes' states

    def shape(element, parents):
        track = parents[1]
        if not tracks or tracks[-1][0] is not track:
            tracks.append((track, []))
        tracks[-1][1].append(_state(element, track, attribute))

    takers = {("meta",): lambda one, _: facts.append(one), ("track", "*"): shape}
    takers[("image",)] = lambda one, _: images.append(one.tag)
    read_xml(path, "annotations", "CVAT", takers)
    if images and not tracks:
        raise ValueError("it is 'CVAT for images'; export the task as 'CVAT for video 1.1'")
    if timestamps is None and frame_rate is None:
        raise ValueError(
            "CVAT counts frames: pass timestamps= of the video's frames, or frame_rate="
        )
    tasks = _tasks(facts)
    found = []  # (first frame, last frame with the label, frame after it), and what it is
    for track, states in tracks:
        where = f"track {quoted(track.get('id'))}"
        task = tasks.get(track.get("task_id"), tasks[None])
        for first, last, stop, label in _visible(states, task.step, where):
            stop = min(stop, max(task.end, last + 1))
            one = Annotation(first, stop, label, "", task.names, f"{where}, frame {first}")
            found.append((one, last, where))
    kept = only_recording([one for one, *_ in found], recording)
    if recording is not None and not found:
        only_recording([Annotation(0, 0, "", "", task.names) for task in tasks.values()], recording)
    out = []
    for one, last, where in found:
        if not kept or one.recordings != kept[0].recordings:
            continue
        start, stop = (_time(f, last, timestamps, frame_rate, where) for f in one[:2])
        out.append(one._replace(start=start, stop=stop))
    return out


class _Task(NamedTuple):
    names: tuple  # of its video and its own
    step: int  # frames from one that is annotated to the next
    end: float  # the frame after its last one


def _tasks(facts):
    """Tasks of a file by their ids; None for tracks that name none."""
    found = {}
    for meta in facts:
        for task in meta.iter("task"):
            found[task.findtext("id")] = _task(task, meta)
        for job in meta.iter("job"):
            found.setdefault(job.findtext("id"), _task(job, meta))
    alone = next(iter(found.values())) if len(found) == 1 else None
    if alone is None and not found and facts:
        alone = _task(facts[0], facts[0])
    found[None] = alone or _Task((), 1, np.inf)
    return found


def _task(one, meta):
    source = one.findtext("source") or (meta.findtext("source") or "")
    names = (source, file_name(source), one.findtext("name") or "", one.findtext("id") or "")
    match = _STEP.search(one.findtext("frame_filter") or "")
    stop = one.findtext("stop_frame")
    end = np.inf if stop is None or not stop.strip().isdigit() else to_int(stop) + 1
    names = tuple(dict.fromkeys(name for name in names if name))
    return _Task(names, max(1, to_int(match[1])) if match else 1, end)


def _state(shape, track, attribute):
    """Frame and label of a box or of points; no label while the track is outside."""
    frame = shape.get("frame", "")
    try:
        number = to_int(frame)
    except ValueError:
        where = f"track {quoted(track.get('id'))}: a {shape.tag}"
        raise ValueError(f"{where} has no frame number, but {quoted(frame)}") from None
    label = track.get("label", "")
    if attribute is not None:
        values = [a.text for a in shape.findall("attribute") if a.get("name") == attribute]
        label = (values[0] or "").strip() if values else ""
    return number, None if shape.get("outside", "0") == "1" or not label else label


def _visible(states, step, where):
    """Yield (first frame, last one with the label, frame after it, label) of a track."""
    states.sort(key=lambda state: state[0])
    if not states:
        return
    start, current, last = None, None, None
    for frame, label in [*states, (states[-1][0] + step, None)]:
        if label != current:
            if current is not None:
                yield start, last, frame, current
            start, current = frame, label
        last = frame


def _time(frame, last, timestamps, frame_rate, where):
    """Time of a frame; what is there in the video's last frame ends with the video."""
    if timestamps is None:
        return frame / check_rate(frame_rate)
    times = np.asarray(timestamps, dtype=float)
    if frame < 0:
        raise ValueError(f"{where}: what begins at frame {frame} is no interval")
    if frame < len(times):
        return float(times[frame])
    if last < len(times):  # a frame after the last one
        return float(times[-1] + (np.median(np.diff(times)) if len(times) > 1 else 1 / 30))
    raise ValueError(f"{where} reaches frame {last}, and there are {len(times)} timestamps")


def write_cvat(path, intervals, *, timestamps=None, frame_rate=None, size=None):
    """Write one track for each label: a box over the whole picture while the label holds."""
    if timestamps is None and frame_rate is None:
        raise ValueError("CVAT counts frames: pass timestamps= or frame_rate=")
    if size is None:
        raise ValueError("CVAT draws boxes: pass size=, width and height of the picture in pixels")
    width, height = size
    box = {"xtl": "0.00", "ytl": "0.00", "xbr": f"{width:.2f}", "ybr": f"{height:.2f}"}
    add = ElementTree.SubElement
    root = ElementTree.Element("annotations")
    add(root, "version").text = "1.1"
    task = add(add(root, "meta"), "task")
    labels = list(dict.fromkeys(str(label) for *_, label in intervals))
    spans = {label: [] for label in labels}
    for start, stop, label in intervals:
        first, after = (_frame(time, timestamps, frame_rate) for time in (start, stop))
        if first >= after:
            raise ValueError(f"no frame lies between {start} and {stop} s")
        spans[str(label)].append((first, after))
    n_frames = max((after for found in spans.values() for _, after in found), default=0) + 1
    n_boxes = sum(after - first for found in spans.values() for first, after in found)
    if n_boxes > MAX_ELEMENTS:
        raise ValueError(f"{n_boxes:,} boxes are needed, one a frame; nothing reads so many")
    if timestamps is not None:
        n_frames = max(n_frames - 1, len(timestamps))
    add(task, "size").text = str(n_frames)
    add(task, "mode").text = "interpolation"
    listed = add(task, "labels")
    for label in labels:
        one = add(listed, "label")
        add(one, "name").text = xml_safe(label)
        add(one, "attributes")
    pixels = add(task, "original_size")
    add(pixels, "width").text, add(pixels, "height").text = str(width), str(height)
    for i, label in enumerate(labels):
        track = add(root, "track", {"id": str(i), "label": label, "source": "manual"})
        found = sorted(spans[label])
        for k, (first, after) in enumerate(found):
            if k and first < found[k - 1][1]:
                raise ValueError(f"two intervals with label {label!r} overlap")
            for frame in range(first, after):
                keyframe = {"keyframe": str(int(frame == first)), "outside": "0", "occluded": "0"}
                add(track, "box", {"frame": str(frame), **keyframe, **box, "z_order": "0"})
            follows = k + 1 < len(found) and found[k + 1][0] == after
            if after < n_frames and not follows:
                state = {"keyframe": "1", "outside": "1", "occluded": "0"}
                add(track, "box", {"frame": str(after), **state, **box, "z_order": "0"})
    write_xml(path, root)
    return Path(path)


def _frame(time, timestamps, frame_rate):
    """First frame that is not before a time."""
    if timestamps is None:
        return int(np.ceil(time * check_rate(frame_rate) - 1e-6))
    return int(np.searchsorted(np.asarray(timestamps, dtype=float), time - 1e-9))
