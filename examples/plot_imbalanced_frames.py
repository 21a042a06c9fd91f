"""
When few frames are compensation
================================

In most home recordings nearly all frames are fine. What do class weights and undersampling change:
the ranking of frames, or only where 0.5 lies?

Synthetic patients; the model learns frame truth here, so that nothing but the balance differs.
"""

# %%
# One frame in so many
# --------------------
import matplotlib.pyplot as plt
import numpy as np
from imblearn.under_sampling import RandomUnderSampler

from skrehab import DisplacementSmoother, FrameMLP, LandmarkScaler
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import frame_f1, frame_roc_auc

data = make_rehab_trials(8, 4, ["brush_hair"], strength=2.5, random_state=0)
keep = np.flatnonzero((data.y == 0) | (np.arange(len(data.y)) % 3 == 0))  # fewer positive trials
seen, new = (keep[(data.groups[keep] < "P07") == side] for side in (True, False))
X = DisplacementSmoother().fit_transform(data.X)
scaler = LandmarkScaler().fit([X[i] for i in seen])
X = scaler.transform(X)
truth = [data.frame_labels[i] for i in new]
share = np.concatenate([data.frame_labels[i] for i in seen]).mean()
print(f"{share:.0%} of the training frames are compensation")

# %%
# Three ways to train
# -------------------
how = {"max_epochs": 10, "random_state": 0}
models = {
    "as it is": FrameMLP(**how),
    "class weights": FrameMLP(class_weight="balanced", **how),
    "undersampled": FrameMLP(resampler=RandomUnderSampler(), **how),
}
scores = {}
for name, model in models.items():
    model.fit([X[i] for i in seen], [data.frame_labels[i] for i in seen])
    scores[name] = [p[:, 1] for p in model.predict_proba([X[i] for i in new])]
    hits = [(s >= 0.5).astype(int) for s in scores[name]]
    print(
        f"{name}: frame AUC {frame_roc_auc(truth, scores[name]):.2f}, F1 at 0.5 "
        f"{frame_f1(truth, hits):.2f}, {np.concatenate(hits).mean():.0%} of frames called"
    )

# %%
# Where 0.5 lies
# --------------
# Frames with and without compensation, of the patients held out. Weights and undersampling push
# both to the right; a threshold chosen on other patients does the same without training anew
# (:ref:`sphx_glr_gallery_plot_thresholds.py`).
figure, axes = plt.subplots(3, 1, figsize=(7, 4.6), sharex=True, layout="constrained")
flat = np.concatenate(truth)
for ax, (name, values) in zip(axes, scores.items()):
    values = np.concatenate(values)
    for label, colour in ((0, "0.6"), (1, "#a8215c")):
        ax.hist(values[flat == label], bins=np.linspace(0, 1, 26), density=True, alpha=0.6,
                color=colour, label=("usual", "compensation")[label])  # fmt: skip
    ax.axvline(0.5, color="k", lw=1)
    ax.set(ylabel=name, yticks=[])
axes[0].legend()
axes[-1].set_xlabel("probability")
