"""COCO key-points in JSON, written: one image a frame."""

import json

import numpy as np

from skrehab._written import written
from skrehab.formats._pose_file import picture
from skrehab.skeletons import get_skeleton


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
