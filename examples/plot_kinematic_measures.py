"""
What did the patient do, in a therapist's words?
================================================

Landmarks become angles, heights and speeds with names and units; what stood out while there was
compensation is said in words, and a row of numbers a trial goes to any model of scikit-learn.

The patients are synthetic; nothing is trained but a linear model.
"""

# %%
# Angles and heights
# ------------------
import matplotlib.pyplot as plt
import numpy as np

from skrehab import KinematicMeasures, MovementSummary
from skrehab.datasets import make_rehab_trials
from skrehab.preprocessing import explain_measures

data = make_rehab_trials(4, 2, ["brush_hair"], strength=2.0, random_state=0)
measures = KinematicMeasures("mediapipe33", frame_rate=data.frame_rate).fit(data.X)
X = measures.transform(data.X)
names = measures.get_feature_names_out()
print(*(f"{name} ({unit})" for name, unit in zip(names, measures.units_)), sep=", ")

# %%
# In words
# --------
# While the true frames hold compensation, against the rest of the trial.
i = int(np.flatnonzero(data.compensation == "trunk_flexion")[0])
print("the patient's compensation:", data.compensation[i])
for found in explain_measures(X[i], data.frame_labels[i], measures, frame_rate=data.frame_rate):
    print(found["text"])

# %%
# The measure that changed most, over time; grey is where the compensation is.
best = explain_measures(X[i], data.frame_labels[i], measures, frame_rate=data.frame_rate)[0]
j = list(names).index(best["name"]) if best["name"] in names else 0
seconds = np.arange(len(X[i])) / data.frame_rate
figure, ax = plt.subplots(figsize=(8, 2.8), layout="constrained")
ax.plot(seconds, X[i][:, j, 0])
low, high = ax.get_ylim()
ax.fill_between(seconds, low, high, where=data.frame_labels[i] == 1, alpha=0.15, color="k")
ax.set(xlabel="seconds", ylabel=f"{names[j]} ({measures.units_[j]})")

# %%
# One row a trial
# ---------------
# Range, path, speed, smoothness (SPARC, log dimensionless jerk), symmetry: for any model.
summary = MovementSummary("mediapipe33_measures", frame_rate=data.frame_rate).fit(X)
rows, columns = summary.transform(X), summary.get_feature_names_out()
print(f"{rows.shape[0]} trials, {rows.shape[1]} numbers each, such as {columns[0]}")
