"""Draw the README's first picture from what ``skrehab demo --videos`` left behind.

``python docs/first_picture.py skrehab-demo [EPOCHS]`` writes ``docs/demo.png``: a video of a
patient held out, with the skeleton, the probability over time above the truth, and which part of
the body spoke for it. Scores and map come from the folds that the demo kept: the model that is
shown never saw the patient. Of the trials whose saliency was kept it is the one judged best, as in
the report. EPOCHS is what was given to the demo as ``--epochs``.
"""

import sys
import tempfile
from contextlib import closing
from pathlib import Path

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np

from skrehab.datasets import load_manifest
from skrehab.evaluation import evaluate_by_patient
from skrehab.inspection import FrameTimelineDisplay, SaliencyMapDisplay
from skrehab.live.overlay import write_overlay
from skrehab.metrics import frame_roc_auc
from skrehab.pose import read_frames
from skrehab.recipes import recommended
from skrehab.skeletons import bone_skeleton

N_PICTURES = 6
OUT = Path(__file__).with_name("demo.png")


def main(demo, epochs="auto"):
    """Read the kept folds, choose the trial that was judged best, and draw it."""
    data = load_manifest(demo / "trials.csv")
    model = recommended("auto", max_epochs=epochs, random_state=0)
    study = evaluate_by_patient(
        {"recommended": model}, data, memory=demo / "report" / "kept", explain=True, random_state=0
    )
    seed = study.methods["recommended"].by_seed[0]
    print(f"{seed.n_resumed} of {len(study.folds)} folds were kept")
    scores = study.frame_scores["recommended"]
    auc = {
        i: frame_roc_auc([data.frame_labels[i]], [scores[i]])
        for i in seed.explained
        if len(set(data.frame_labels[i].tolist())) > 1
    }
    i = max(auc, key=auc.get)
    print(f"{data.trial[i]}: frame AUC {auc[i]:.2f}, of {len(auc)} trials")
    video = demo / "mini" / "videos" / f"{data.trial[i]}.mp4"
    with np.load(demo / "poses" / f"{data.trial[i]}.npz") as pose:
        image, times = pose["image"], pose["timestamps"]
    said = np.where(np.isfinite(image[:, 0, 0]), scores[i], np.nan)  # as assess has it
    pictures = film(video, image, said, times)
    draw(pictures, said, data.frame_labels[i], times, seed.explained[i][0])


def film(video, image, scores, times):
    """Pictures of the video with the skeleton, in the colour of the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "overlay.mp4"
        write_overlay(video, out, image, scores, times)
        with closing(read_frames(out)) as frames:
            return [picture for _, picture in frames]


def draw(pictures, scores, truth, times, saliency_map):
    """Lay pictures, timeline and map of body parts out, and save them."""
    rate = float((len(times) - 1) / (times[-1] - times[0]))
    side = pictures[0].shape[1]  # the clips are square; under them is the panel
    seen = np.flatnonzero(np.isfinite(scores))
    wanted = np.linspace(0.04, 0.96, N_PICTURES) * (len(pictures) - 1)
    chosen = [seen[np.abs(seen - frame).argmin()] for frame in wanted]
    strip = np.concatenate([pictures[i][:side] for i in chosen], axis=1)
    figure, (above, middle, below) = plt.subplots(
        3, 1, figsize=(10, 6.2), height_ratios=[1.5, 1.3, 1.0], layout="constrained"
    )
    above.imshow(strip)
    above.axis("off")
    FrameTimelineDisplay.from_predictions(scores, frame_labels=truth, frame_rate=rate, ax=middle)
    middle.set_xlabel("")
    SaliencyMapDisplay.from_predictions(
        saliency_map, skeleton=bone_skeleton("mediapipe33"), rows="parts", frame_rate=rate, ax=below
    )
    figure.savefig(OUT, dpi=110)
    print(OUT)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
