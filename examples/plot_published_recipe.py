"""
The published recipe, step by step
==================================

What does each step of Mesquita et al. 2025 (arXiv:2506.03752) do to one trial? From movement to a
saliency map like the paper's Figure 5, cut at the thresholds of its Table II, to a model of single
frames.

The patients are synthetic, the network is the smallest Action Transformer, trained for seconds.
"""

# %%
# Model A: one label a trial
# --------------------------
# What the network sees is the displacement of each landmark since the first frame. Five patients
# are for training, the sixth is looked at.
import numpy as np

from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    FrameTimelineDisplay,
    LandmarkScaler,
    SaliencyMapDisplay,
    VideoClassifier,
)
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import frame_roc_auc
from skrehab.pseudo_labels import PUBLISHED_THRESHOLDS, pseudo_labels

data = make_rehab_trials(6, 3, ["brush_hair"], strength=2.0, random_state=0)
seen, new = np.flatnonzero(data.groups != "P06"), np.flatnonzero(data.groups == "P06")
scaler = LandmarkScaler()
X = scaler.fit_transform(DisplacementSmoother(order="smooth_first").fit_transform(data.X))
model_a = VideoClassifier("act", max_epochs=30, random_state=0)
model_a.fit([X[i] for i in seen], data.y[seen])

# %%
# Figure 5: where it looked
# -------------------------
# Integrated gradients, only what speaks *for* compensation, averaged over eight frames, and the
# whole map scaled to [0, 1]. A frame's score is the sum over its 33 landmarks: 0 to 33. Shown is
# the training trial of which the network is surest; above it, the scores divided by the largest.
positive = [i for i in seen if data.y[i] == 1]
sure = model_a.decision_function([X[i] for i in positive])
i = positive[int(np.argmax(sure))]
how = {"method": "integrated_gradients", "target": 1, "n_steps": 8}
how |= {"aggregate": "positive", "smooth": 8, "scale": "map"}
found = model_a.saliency([X[k] for k in seen], **how, return_maps=True)
place = int(np.flatnonzero(seen == i)[0])
SaliencyMapDisplay.from_predictions(
    found.maps[place],
    frame_scores=found.scores[place] / found.scores[place].max(),
    frame_labels=data.frame_labels[i],
    frame_rate=data.frame_rate,
)

# %%
# Table II: two thresholds
# ------------------------
# Frames above the upper one are compensation, frames below the lower one are not, those between are
# not used.
lower, upper = PUBLISHED_THRESHOLDS["act", "integrated_gradients"]["dual"]
for (network, method), row in PUBLISHED_THRESHOLDS.items():
    print(f"{network:12} {method:21} one {row['single']:.1f}, two {row['dual']}")
labels = [
    pseudo_labels(scores, data.y[k], threshold=(lower, upper))
    for k, scores in zip(seen, found.scores)
]
counts = {word: sum(int((one == value).sum()) for one in labels)
          for word, value in {"compensation": 1, "usual": 0, "not used": -1}.items()}  # fmt: skip
print(f"at {lower} and {upper}, frames are labelled:", counts)

# %%
# They were chosen by the paper for its own patients, with its own networks. On other data look at
# these counts first: one class may be left nearly empty.
#
# Model B: one label a frame
# --------------------------
# A small network learns these labels from single frames, and never needs model A again. On the
# patient whom neither has seen:
model_b = FrameMLP((256, 128), max_epochs=10, random_state=0)
model_b.fit([X[k] for k in seen], labels)
proba = model_b.predict_proba([X[k] for k in new])
print(f"frame AUC, P06: {frame_roc_auc(data.frame_labels[new], proba):.2f}")

k = int(np.flatnonzero(data.y[new])[0])
FrameTimelineDisplay.from_predictions(
    proba[k][:, 1], frame_labels=data.frame_labels[new[k]], frame_rate=data.frame_rate
)

# %%
# :func:`skrehab.recipes.published` is all of it as one pipeline, with the paper's sizes and rates.
# Here the scaler has seen all patients, which is harmless for a picture and wrong for a score.
