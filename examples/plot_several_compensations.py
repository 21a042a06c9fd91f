"""
Which of several compensations, and when?
=========================================

A therapist ticks boxes a video: trunk forward, trunk turned, shoulder lifted, head bent. One model
gives a probability a frame and box, from boxes a video.

Synthetic patients; the rarest box has few trials, which is part of the picture.
"""

# %%
# Boxes a trial
# -------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from skrehab import (
    DisplacementSmoother,
    FrameTCN,
    KinematicMeasures,
    LandmarkScaler,
    MultiLabelFrames,
    MultiLabelVideoClassifier,
)
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import frame_scores_by_label

data = make_rehab_trials(7, 4, ["brush_hair"], strength=3.0, random_state=0)
seen, new = np.flatnonzero(data.groups < "P06"), np.flatnonzero(data.groups >= "P06")
print(
    "trials with each:", dict(zip(data.label_names, data.compensations[seen].sum(axis=0).tolist()))
)

# %%
# Measures with names go in
# -------------------------
model = make_pipeline(
    KinematicMeasures(frame_rate=data.frame_rate),
    DisplacementSmoother(window=1),
    LandmarkScaler(),
    MultiLabelFrames(
        FrameTCN(max_epochs=8, random_state=0),
        MultiLabelVideoClassifier("mil_tcn", max_epochs=20, random_state=0),
        label_names=data.label_names,
    ),
)
model.fit([data.X[i] for i in seen], data.compensations[seen])
proba = model.predict_proba([data.X[i] for i in new])

# %%
# Scored box by box, on two patients it never saw; a box that they never need has no score.
found = frame_scores_by_label(data.frame_compensations[new], proba, label_names=data.label_names)
for name, auc in found["roc_auc"].items():
    print(f"{name}: " + ("no trial holds it" if name in found["undefined"] else f"{auc:.2f}"))

# %%
# One trial: curves of the model, and under them the truth.
k = int(np.flatnonzero(data.y[new])[0])
seconds = np.arange(len(proba[k])) / data.frame_rate
figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
for j, name in enumerate(data.label_names):
    (line,) = ax.plot(seconds, proba[k][:, j], label=name.replace("_", " "))
    truth = data.frame_compensations[new[k]][:, j] == 1
    ax.scatter(seconds[truth], np.full(truth.sum(), -0.04 - 0.04 * j), s=9, color=line.get_color())
ax.set(xlabel="seconds", ylabel="probability", ylim=(-0.2, 1))
ax.legend(ncols=2, title="dots: truth")
