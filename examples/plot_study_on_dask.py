"""
Does a cluster change the numbers?
==================================

A study is many fits that know nothing of each other. Dask hands them to workers, here two processes
of this machine; on a real cluster only the address differs. Are the results those of one process,
and who did what?

It needs the extra ``cluster``; without it this page says so and shows nothing.
"""

# %%
# Data and a model
# ----------------
# One of named measures, quick to fit: workers first have to import everything.
import matplotlib.pyplot as plt
import numpy as np
from joblib import parallel_config
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrehab import KinematicMeasures, MovementSummary
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import evaluate_by_patient

data = make_rehab_trials(6, 4, "brush_hair", strength=3.0, random_state=3)
model = make_pipeline(
    KinematicMeasures(frame_rate=data.frame_rate),
    MovementSummary("mediapipe33_measures", frame_rate=data.frame_rate),
    SimpleImputer(),
    StandardScaler(),
    LogisticRegression(C=0.1, max_iter=1000),
)
here = evaluate_by_patient({"measures": model}, data, cv=6, random_state=0)

# %%
# The same on two workers
# -----------------------
# Nothing changes but one ``with``. A script of your own starts the cluster under
# ``if __name__ == "__main__":``, since workers import that file; with ``processes=False`` they are
# threads, which suits a page of documentation.
try:
    from dask.distributed import Client, LocalCluster, get_task_stream
except ImportError:
    print("Dask is not installed: pip install 'skrehab[cluster]'")
    LocalCluster = None

there, tasks = here, []
if LocalCluster is not None:
    how = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**how) as cluster, Client(cluster) as client:
        with get_task_stream(client) as stream, parallel_config(backend="dask"):
            there = evaluate_by_patient({"measures": model}, data, cv=6, random_state=0)
        tasks = stream.data

# %%
# The same numbers, to the bit
# ----------------------------
for name, study in (("one process", here), ("two workers", there)):
    row = next(row for row in study.summary("trial AUC") if row["method"] == "measures")
    print(f"{name}: trial AUC {row['mean']:.3f} ± {row['sd']:.3f}")
print("equal:", here.summary() == there.summary())

# %%
# Who did what
# ------------
workers = sorted({task["worker"] for task in tasks})
start = min((s["start"] for task in tasks for s in task["startstops"]), default=0)
figure, ax = plt.subplots(figsize=(7, 2), layout="constrained")
for task in tasks:
    for part in task["startstops"]:
        if part["action"] == "compute":
            left, width = part["start"] - start, part["stop"] - part["start"]
            ax.barh(workers.index(task["worker"]), width, left=left, edgecolor="white")
ax.set(yticks=np.arange(len(workers)), yticklabels=[f"worker {i + 1}" for i in range(len(workers))])
ax.set(xlabel="seconds since the first fit began; a bar is a fit", title="Fits on the workers")
