"""Draw the README's first picture from what ``skrehab demo --videos`` left behind.

``python docs/first_picture.py skrehab-demo`` writes ``docs/demo.png``: pictures of a new patient's
video with the skeleton, the probability over time above the truth, and which part of the body spoke
for it. The video shown is the one of which the model is surest among those of the new patient.
"""

import csv
import sys
from contextlib import closing
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np

import skrehab
from skrehab.assessment import assess_video
from skrehab.datasets import intervals_to_frames
from skrehab.inspection import FrameTimelineDisplay, SaliencyMapDisplay
from skrehab.pose import read_frames

N_PICTURES = 6
OUT = Path(__file__).with_name("demo.png")


def main(demo):
    """Assess the new patient's videos, choose one, draw it."""
    model = skrehab.load(demo / "model")
    found = {}
    for video in sorted((demo / "new" / "videos").glob("*.mp4")):
        result = assess_video(model, video)
        found[video] = result
        print(video.name, f"{result.verdict.frames:.2f}")
    video = max(found, key=lambda one: found[one].verdict.frames)
    draw(model, video, found[video], truth_of(demo / "new" / "truth.csv", video, found[video]))


def truth_of(table, video, result):
    """Frame truth of a drawn video, on the frames that were assessed."""
    with open(table, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["recording"] == video.stem]
    intervals = [(float(row["start"]), float(row["stop"]), int(row["label"])) for row in rows]
    return intervals_to_frames(intervals, result.track.timestamps)


def draw(model, video, result, truth):
    """Lay pictures, timeline and map of body parts out, and save them."""
    times = result.track.timestamps
    rate = float((len(times) - 1) / (times[-1] - times[0]))
    overlay = video.parents[2] / "assessed" / f"{video.stem}_overlay.mp4"
    with closing(read_frames(overlay)) as frames:
        pictures = [picture for _, picture in frames]
    width = pictures[0].shape[1]
    chosen = np.linspace(0.05, 0.95, N_PICTURES) * (len(pictures) - 1)
    strip = np.concatenate([pictures[int(i)][:width] for i in chosen], axis=1)  # without the panel

    figure, (above, middle, below) = plt.subplots(
        3, 1, figsize=(10, 7.2), height_ratios=[1.75, 1.3, 1.2], layout="constrained"
    )
    above.imshow(strip)
    above.axis("off")
    FrameTimelineDisplay.from_predictions(
        np.nan_to_num(result.score), frame_labels=truth, frame_rate=rate, ax=middle
    )
    teacher, bones = model["labels"].estimator_, model["bones"]
    X = bones.transform([result.track.world])
    how = {"method": "integrated_gradients", "target": 1}
    maps = teacher.saliency(X, **how, return_maps=True)
    SaliencyMapDisplay.from_predictions(
        maps.maps[0], skeleton=bones.bone_skeleton_, rows="parts", frame_rate=rate, ax=below
    )
    figure.savefig(OUT, dpi=110)
    print(OUT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
