"""
Which frames and joints decided?
================================

A video classifier says that a trial holds compensation. Its **saliency** says which landmarks spoke
for that, and when. This is what pseudo-labels are cut from, and what a therapist may want to see
beside a verdict.

Patients are synthetic, with compensation twice as strong as the default, so that one small network
trained for seconds finds it.
"""

# %%
# A classifier of whole trials
# ----------------------------
# Five patients are for training; the sixth is the one looked at.
import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skrehab import (
    DisplacementSmoother,
    LandmarkScaler,
    SaliencyMapDisplay,
    SkeletonDisplay,
    VideoClassifier,
)
from skrehab.datasets import make_rehab_trials

data = make_rehab_trials(6, 4, ["brush_hair", "wash_face"], strength=2.0, random_state=0)
seen = np.flatnonzero(data.groups != "P06")
new = np.flatnonzero(data.groups == "P06")

prepare = make_pipeline(DisplacementSmoother(causal=True), LandmarkScaler())
X_seen = prepare.fit_transform([data.X[i] for i in seen])
X_new = prepare.transform([data.X[i] for i in new])

classifier = VideoClassifier("act", max_epochs=40, random_state=0).fit(X_seen, data.y[seen])
print(f"trials of P06 classified rightly: {classifier.score(X_new, data.y[new]):.0%}")

# %%
# Landmarks against time
# ----------------------
# The trial of P06 of which the network is surest. Integrated gradients start from a baseline of
# zeros, which after :class:`skrehab.DisplacementSmoother` means the initial pose held still.
k = int(classifier.decision_function(X_new).argmax())
truth = data.frame_labels[new[k]]
print(f"{data.exercise[new[k]]}, compensation by {data.compensation[new[k]]}")

SaliencyMapDisplay.from_estimator(
    classifier, X_new[k], frame_labels=truth, frame_rate=data.frame_rate, n_steps="auto"
)

# %%
# Is the attribution complete?
# ----------------------------
# Integrated gradients sum to the difference between the logit of the trial and that of the
# baseline. How far they miss it is reported, in units of the logit; ``n_steps="auto"`` takes as
# many points as are needed. The plain gradient has no such check.
saliency = classifier.saliency([X_new[k]], n_steps="auto", return_maps=True)
print(f"points: {saliency.n_steps[0]}, completeness error: {saliency.completeness_error[0]:.4f}")

# %%
# The same on the body
# --------------------
# The larger a dot, the more that landmark spoke for the verdict at that moment; cards are coloured
# by the truth.
SkeletonDisplay.from_predictions(
    data.X[new[k]],
    frames=8,
    saliency_map=saliency.maps[0],
    frame_labels=truth,
    frame_rate=data.frame_rate,
)

# %%
# Does it point at the right frames?
# ----------------------------------
# One picture proves nothing. Over all trials of the new patient that hold compensation: how well
# does saliency rank compensating frames above the others? 0.5 is chance. A network that is right
# about a trial can still be right for reasons that lie elsewhere in time, so look at this before
# trusting a map, where you have a few trials with frame truth.
positive = [i for i in range(len(new)) if data.y[new[i]] == 1]
for method in ("integrated_gradients", "vanilla_gradient"):
    scores = classifier.saliency([X_new[i] for i in positive], method=method, target=1)
    within = [roc_auc_score(data.frame_labels[new[i]], s) for i, s in zip(positive, scores)]
    print(
        f"{method}: {np.mean(within):.2f} on average, from {min(within):.2f} to {max(within):.2f}"
    )
