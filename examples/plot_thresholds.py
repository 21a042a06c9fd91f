"""
From which probability on should a patient hear something?
==========================================================

A frame model says probabilities. A cue needs a threshold, and the question of a home user is not
the AUC but: how often does it beep for nothing, and what does it find? Here the threshold is chosen
on other patients, so that there is about one false alarm a minute.

Six synthetic patients, a model trained for seconds.
"""

# %%
# Scores of patients held out
# ---------------------------
import matplotlib.pyplot as plt
import numpy as np

from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import at_alarm_rate, evaluate_by_patient
from skrehab.metrics import alarm_threshold, false_alarm_rate
from skrehab.recipes import recommended

data = make_rehab_trials(6, 3, ["brush_hair"], strength=3.0, random_state=0)
models = {"recommended": recommended(n_teachers=1, max_epochs=8)}
study = evaluate_by_patient(models, data, cv=3)
scores, truth = study.frame_scores["recommended"], data.frame_labels

# %%
# Alarms against what is found
# ----------------------------
# Each threshold makes so many false alarms a minute, and finds so much of the compensation. The
# curve is over all patients together, to see the trade; the choice below is not. Below some
# threshold it turns back: alarms run together then, and are fewer again.
cuts = np.linspace(0.05, 0.95, 19)
alarms = [false_alarm_rate(scores, truth, cut, data.frame_rate) for cut in cuts]
hits = np.concatenate([s[t == 1] for s, t in zip(scores, truth)])
found = [float((hits >= cut).mean()) for cut in cuts]
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.plot(alarms, found, marker="o")
for cut, x, y in list(zip(cuts, alarms, found))[1::4]:
    ax.annotate(f"{cut:.2f}", (x, y), textcoords="offset points", xytext=(6, -10))
ax.set(xlabel="false alarms a minute", ylabel="share of compensating frames found", ylim=(0, 1))

# %%
# One threshold for all: about one false alarm a minute
# -----------------------------------------------------
cut = alarm_threshold(scores, truth, data.frame_rate, per_minute=1.0)
print(f"over all patients: {cut:.2f}")

# %%
# Chosen on the others
# --------------------
# For each patient the threshold comes from the other five. What it then does is what a new patient
# would meet: some get far more alarms than one a minute, some hear nothing.
for row in at_alarm_rate(study, per_minute=1.0):
    print(
        f"{row['patient']}: threshold {row['threshold']:.2f}, {row['false_alarms']:.1f} false "
        f"alarms a minute, {row['found']:.0%} found"
    )
