"""
How good was it, and does learning without scores help?
=======================================================

A clinician's score, few scored recordings, many without: an encoder first learns from the movements
alone, then a small expert learns the scores. Compared by leaving each patient out, beside the same
network without pretraining and a constant.

Synthetic patients and made-up scores; the encoder is tiny and trained for seconds, and is not
expected to help.
"""

# %%
# Movements without scores, and some with
# ---------------------------------------
# The unscored ones are of other patients. A score stands for a therapist's: 50, less for trials
# with compensation.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupKFold, cross_val_predict

from skrehab import PoseSequencePretrainer, QualityRegressor
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import mean_absolute_deviation, spearman

unlabelled = make_rehab_trials(6, 2, "brush_hair", random_state=1).X
data = make_rehab_trials(6, 3, "brush_hair", strength=2.0, random_state=0)
share = np.array([truth.mean() for truth in data.frame_labels])
scores = np.round(50 - 60 * share)

# %%
# Learn the movements
# -------------------
# Which limb was hidden, and how much was a sequence slowed? No score is looked at.
encoder = PoseSequencePretrainer(hidden_size=16, max_epochs=6, random_state=0).fit(unlabelled)
print("loss of what was hidden:", *(f"{row['reconstruction']:.3f}" for row in encoder.history_))

# %%
# Learn the scores, each patient held out
# ---------------------------------------
how = {"hidden_size": 16, "fine_tune": False, "max_epochs": 15, "random_state": 0}
models = {"pretrained": QualityRegressor(encoder, **how), "from nothing": QualityRegressor(**how)}
said = {
    name: cross_val_predict(model, data.X, scores, groups=data.groups, cv=GroupKFold(3))
    for name, model in models.items()
}
said["trial duration"] = np.array([-len(trial) for trial in data.X], dtype=float)
for name, values in said.items():
    off = (
        ""
        if name == "trial duration"
        else f", off by {mean_absolute_deviation(scores, values):.1f}"
    )
    print(f"{name}: Spearman {spearman(scores, values):.2f}{off}")

# %%
# What was said against what was given
# ------------------------------------
figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), sharey=True, layout="constrained")
for ax, name in zip(axes, models):
    ax.scatter(scores, said[name], c=[int(g[1:]) for g in data.groups], cmap="viridis", s=22)
    ax.plot([15, 50], [15, 50], color="0.7", lw=1)
    ax.set(title=name, xlabel="score given; colour: patient")
axes[0].set_ylabel("score said")
