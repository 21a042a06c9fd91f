"""CVAT for video 1.1: a track of boxes, points or skeletons is there until it is "outside"."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from skrehab.formats._annotation import Annotation
from skrehab.formats._pose_file import check_rate
from skrehab.formats._xml import parse_xml, xml_safe

_STEP = re.compile(r"step\s*=\s*(\d+)")


def read_cvat(path, attribute=None, *, timestamps=None, frame_rate=None):
    """Read when tracks are there; CVAT counts frames, and so their times must be given.

    Labels are those of the tracks, or the values of one of their attributes, where `attribute`
    names it.
    """
    root = parse_xml(path)
    if root.tag != "annotations":
        raise ValueError(f"it is no CVAT file: its root is {root.tag!r}")
    if root.find("image") is not None and root.find("track") is None:
        raise ValueError("it is 'CVAT for images'; export the task as 'CVAT for video 1.1'")
    if timestamps is None and frame_rate is None:
        raise ValueError(
            "CVAT counts frames: pass timestamps= of the video's frames, or frame_rate="
        )
    match = _STEP.search(root.findtext(".//frame_filter") or "")
    step = int(match[1]) if match else 1
    recording = root.findtext("meta/task/source") or root.findtext("meta/source") or ""
    out = []
    for track in root.findall("track"):
        where = f"track {track.get('id')!r}"
        for first, stop, label in _visible(track, attribute, step, where):
            times = (_time(frame, timestamps, frame_rate, where) for frame in (first, stop))
            recordings = (recording,) if recording else ()
            out.append(Annotation(*times, label, "", recordings, f"{where}, frame {first}"))
    return out


def _visible(track, attribute, step, where):
    """Yield (first frame, frame after the last, label) of a track."""
    states = []
    for shape in track:
        try:
            frame, outside = int(shape.get("frame")), shape.get("outside", "0") == "1"
        except (TypeError, ValueError):
            raise ValueError(f"{where}: a {shape.tag} has no frame number") from None
        label = track.get("label", "")
        if attribute is not None:
            values = [a.text for a in shape.findall("attribute") if a.get("name") == attribute]
            label = (values[0] or "").strip() if values else ""
        states.append((frame, None if outside or not label else label))
    states.sort(key=lambda state: state[0])
    if not states:
        return
    start, current = None, None
    for frame, label in [*states, (states[-1][0] + step, None)]:
        if label != current:
            if current is not None:
                yield start, frame, current
            start, current = frame, label


def _time(frame, timestamps, frame_rate, where):
    if timestamps is None:
        return frame / check_rate(frame_rate)
    times = np.asarray(timestamps, dtype=float)
    if frame < len(times):
        return float(times[frame])
    if frame == len(times) or len(times) == 0:  # the frame after the last one
        return float(times[-1] + (np.median(np.diff(times)) if len(times) > 1 else 1 / 30))
    raise ValueError(f"{where} reaches frame {frame}, and there are {len(times)} timestamps")


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
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return Path(path)


def _frame(time, timestamps, frame_rate):
    """First frame that is not before a time."""
    if timestamps is None:
        return int(np.ceil(time * check_rate(frame_rate) - 1e-6))
    return int(np.searchsorted(np.asarray(timestamps, dtype=float), time - 1e-9))
