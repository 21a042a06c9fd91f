"""
Which muscle groups are at work, and where did it look?
=======================================================

:class:`skrehab.MuscleGroupClassifier` says of a clip which of twenty muscle groups are at work,
from the pictures and the skeleton. Here its answer is drawn on a body, and what it went by on the
frames.

Nobody was filmed: clips are drawn by :func:`skrehab.datasets.make_exercise_clips`, 48 pixels wide,
and the network is a very small one trained for seconds on 30 of them. The pictures show how things
are done. They say nothing about muscles, and no number here is one to expect of real clips.
"""

# %%
# A small network of both modalities
# ----------------------------------
# Six persons are for training; the seventh is the one looked at.
import numpy as np

from skrehab import (
    ActivationMapDisplay,
    MuscleActivationDisplay,
    MuscleGroupClassifier,
    SkeletonDisplay,
)
from skrehab.datasets import make_exercise_clips
from skrehab.metrics import mean_average_precision
from skrehab.saliency import label_map
from skrehab.training.clips import frame_positions

activities = ["squats", "biceps curls", "band pushdowns", "lateral raises", "squat curls"]
data = make_exercise_clips(
    7, activities=activities, n_frames=16, image_size=48, lazy=False, random_state=0
)
seen, new = np.flatnonzero(data.groups != "P07"), np.flatnonzero(data.groups == "P07")
X_seen, X_new = [data.X[i] for i in seen], [data.X[i] for i in new]

small = {"widths": (16, 32), "depths": (1, 1), "image_size": 48, "pose_frames": 16}
classifier = MuscleGroupClassifier(
    size="tiny",
    network_params=small,
    stage1_epochs=10,
    stage2_epochs=4,
    lr=3e-3,
    batch_size=6,
    random_state=0,
).fit(X_seen, data.y[seen])

scores = classifier.predict_proba(X_new)
print(f"mAP on {len(new)} clips of P07: {mean_average_precision(data.y[new], scores):.2f}")
print(f"without looking: {mean_average_precision(data.y[new], np.ones_like(scores)):.2f}")

# %%
# On the body
# -----------
# One clip. Groups with a dot and a dark edge are at work in truth, that is, by the exercise: what
# this person's muscles do was not measured.
k = list(data.activity[new]).index("squat curls")
trial, truth = X_new[k], data.y[new[k]]

MuscleActivationDisplay.from_estimator(classifier, trial, truth=truth, title=data.activity[new[k]])

# %%
# On the frames: Grad-CAM
# -----------------------
# Where did the video branch look for the biceps, which the dumbbells tell? The frames are those
# that the network saw. Its map is computed on 12 by 12 places, so it has no finer detail. A network
# that learned from so little need not have found the dumbbells: a map shows that, too.
ActivationMapDisplay.from_estimator(classifier, trial, label="biceps")

# %%
# On the frames: attention of the tokens
# --------------------------------------
# The tokens of the last block, each weighed by how much it speaks for the group; without ``label``
# that is the likeliest one. Where no token speaks for a group its map is empty, and the display
# says so: the other branch or the classifier's bias made the answer.
ActivationMapDisplay.from_estimator(classifier, trial, method="tokens")

# %%
# On the skeleton
# ---------------
# And which joints told the tokens of the skeleton branch? The larger a dot, the more that joint
# spoke for the biceps at that moment.
joints = label_map(classifier, trial, data.muscles.index("biceps"), method="joints")
SkeletonDisplay.from_predictions(
    trial["pose"],
    skeleton="coco17",
    saliency_map=joints.values,
    frames=6,
    frame_rate=data.frame_rate,
)

# %%
# Does it look at the person?
# ---------------------------
# A map is easily believed. Here is a check that costs little: how much of it lies in the box around
# the person's key-points, compared with the share of the picture that this box takes. What looks
# anywhere gets 1, an empty map nothing. So small a network may well go by the room: ask this of
# your own before you show its maps to anybody.


def share_on_person(heat, pose, image_size):
    inside = np.zeros(heat.shape, dtype=bool)
    side = heat.shape[1]
    scale = round(side * 256 / 224) / image_size  # scaled, then cut from the middle
    for frame, points in zip(inside, pose[frame_positions(len(pose), len(heat)), :, :2]):
        places = points * scale - (image_size * scale - side) / 2
        low, high = places.min(axis=0).clip(0, side), places.max(axis=0).clip(0, side)
        frame[int(low[1]) : int(high[1]) + 1, int(low[0]) : int(high[0]) + 1] = True
    return heat[inside].sum() / heat.sum(), inside.mean()


for method in ("grad_cam", "tokens"):
    ratios = []
    for one, row in zip(X_new, scores):
        heat = label_map(classifier, one, int(row.argmax()), method=method).values
        on_person, by_chance = share_on_person(heat, one["pose"], 48)
        ratios.append(on_person / by_chance)
    print(f"{method}: {np.nanmean(ratios):.2f} times its share, over {len(new)} clips")
