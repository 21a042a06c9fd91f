"""
What do a few trials of one patient change?
===========================================

A model of other people meets a new patient, whose posture it has not seen. Four trials of that
patient say what is usual there. Is the rest judged better?

Of the patient it uses the poses of four trials and, where said, one word about each: normal or
not. No label of a frame, nothing of what is judged afterwards. This is another setting than
*patients never seen*: report it beside that, never in its place.

Six synthetic patients, a short training: the page shows how. How much it brings differs from one
patient to the next: for six drawn so, the frame AUC moved by -0.01 to +0.03 with the reference, and
by 0.01 at most with the labels. On real patients see :doc:`the guide </guide/adapt_to_patient>`.
"""

# %%
# A model of the others
# ---------------------
# ``reference=3`` compares each training trial with up to three earlier ones of the same patient.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

from skrehab.adaptation import adapt_to_patient
from skrehab.datasets import make_rehab_trials
from skrehab.recipes import recommended

data = make_rehab_trials(6, 8, "brush_hair", strength=1.0, random_state=1)
new = np.flatnonzero(data.groups == "P06")
others = np.flatnonzero(data.groups != "P06")
pipe = recommended(reference=3, n_teachers=1, max_epochs=12, random_state=0)
pipe.fit([data.X[i] for i in others], data.y[others], groups=data.groups[others])

# %%
# The patient's own model
# -----------------------
# Two normal trials and two others are given, and are not judged: they are not new any more.
given = np.concatenate([new[data.y[new] == label][:2] for label in (0, 1)])
judged = np.setdiff1d(new, given)
trials = [data.X[i] for i in given]
models = {
    "of the others": pipe,
    "own reference": adapt_to_patient(pipe, trials),
    "and own labels": adapt_to_patient(pipe, trials, data.y[given], learn="bias"),
}
print(len(given), "trials are given,", len(judged), "are judged")

# %%
# Every model judges the same trials
# ----------------------------------
truth = np.concatenate([data.frame_labels[i] for i in judged])
scores, wrong = {}, {}
for name, model in models.items():
    said = model.predict_proba([data.X[i] for i in judged])
    scores[name] = [proba[:, 1] for proba in said]
    flat = np.concatenate(scores[name])
    wrong[name] = np.mean((flat > 0.5) != truth)
    print(f"{name}: frame AUC {roc_auc_score(truth, flat):.2f}, wrong at 0.5 {wrong[name]:.0%}")

# %%
# The figure: the trial that has most of the motion, as each model sees it. Shaded is where it is.
shown = int(np.argmax([data.frame_labels[i].sum() for i in judged]))
seconds = np.arange(len(scores["own reference"][shown])) / data.frame_rate
figure, axes = plt.subplots(3, 1, figsize=(7, 4.5), sharex=True, sharey=True, layout="constrained")
for ax, (name, of_trials) in zip(axes, scores.items()):
    ax.fill_between(seconds, data.frame_labels[judged[shown]], color="C1", alpha=0.25, lw=0)
    ax.plot(seconds, of_trials[shown], color="C0")
    ax.axhline(0.5, color="0.6", lw=0.8, ls="--")
    ax.set(title=name, ylim=(0, 1), ylabel="score")
axes[-1].set_xlabel("seconds")

# %%
# The model of all others is what it was
# --------------------------------------
# Adapt from it again when there are more trials; a reference is a mean posture and holds no name.
print("the first model knows this patient:", bool(pipe["reference"].own_[0]))
