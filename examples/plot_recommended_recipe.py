"""
What is inside the recommended recipe?
======================================

A teacher sees whole trials and learns from one label each; its soft frame labels teach a student
that sees the past only. Here both are taken out and looked at, on a patient neither has seen.

Synthetic patients, few epochs: the pictures show how it works, not how well.
"""

# %%
# Fit
# ---
import matplotlib.pyplot as plt
import numpy as np

from skrehab.datasets import make_rehab_trials
from skrehab.metrics import frame_roc_auc
from skrehab.recipes import recommended

data = make_rehab_trials(6, 3, ["brush_hair"], strength=2.5, random_state=0)
seen, new = np.flatnonzero(data.groups != "P06"), np.flatnonzero(data.groups == "P06")
pipe = recommended(n_teachers=1, max_epochs=20, random_state=0)
who = {"groups": data.groups[seen], "exercise": data.exercise[seen]}
pipe.fit([data.X[i] for i in seen], data.y[seen], **who)
for name, step in pipe.steps:
    print(f"{name}: {type(step).__name__}")

# %%
# Bones
# -----
# Each frame becomes the directions of limbs and trunk: where somebody sits, and how tall they are,
# is gone.
bones = pipe["bones"].transform([data.X[i] for i in new])
print(f"{data.X[new[0]].shape[1:]} landmarks become {bones[0].shape[1:]} bones")

# %%
# The teacher
# -----------
# It scores frames with the whole trial in view, and was only told whether there is something.
teacher = pipe["labels"].estimator_
taught = teacher.predict_frame_proba(bones)

# %%
# The student
# -----------
# It sees no later frame, so its curve may lag; it runs live as it stands.
student = pipe.predict_proba([data.X[i] for i in new])
for name, proba in (("teacher", taught), ("student", student)):
    auc = frame_roc_auc(data.frame_labels[new], [p[:, 1] for p in proba])
    print(f"{name}: frame AUC {auc:.2f} on P06")

k = int(np.argmax([np.quantile(p[:, 1], 0.9) for p in student]))  # of which it is surest
seconds = np.arange(len(data.X[new[k]])) / data.frame_rate
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.fill_between(seconds, data.frame_labels[new[k]], step="mid", alpha=0.2, color="0.4",
                label="truth")  # fmt: skip
ax.plot(seconds, taught[k][:, 1], "--", label="teacher, sees all")
ax.plot(seconds, student[k][:, 1], label="student, sees the past")
ax.set(xlabel="seconds", ylabel="probability of compensation", ylim=(0, 1))
ax.legend()
