"""
What does the patient get, frame by frame?
==========================================

The same pipeline that was scored offline takes one frame at a time, and a gate makes calm cues of
its probabilities. Is it the same to the last digits, how long does it take, how late is the cue?
"""

# %%
# A causal pipeline
# -----------------
import time

import matplotlib.pyplot as plt
import numpy as np

from skrehab import CueGate, FrameStream
from skrehab.datasets import make_rehab_trials
from skrehab.recipes import recommended

data = make_rehab_trials(6, 3, ["brush_hair"], strength=3.0, random_state=0)
seen, new = np.flatnonzero(data.groups != "P06"), np.flatnonzero(data.groups == "P06")
pipe = recommended(n_teachers=1, max_epochs=15, random_state=0)
pipe.fit([data.X[i] for i in seen], data.y[seen], groups=data.groups[seen])

# %%
# Push frames
# -----------
# The trial of P06 of which the model is surest. The cue needs 0.6 for 0.3 seconds to begin, and
# less than 0.4 for half a second to end.
sure = [np.quantile(p[:, 1], 0.9) for p in pipe.predict_proba([data.X[i] for i in new])]
i = new[int(np.argmax(sure))]
stream, gate = FrameStream(pipe), CueGate(on=0.6, off=0.4, min_duration=0.3, min_gap=0.5)
live, cues, took = [], [], []
for t, frame in enumerate(data.X[i]):
    start = time.perf_counter()
    probability = stream.push(frame, t / data.frame_rate)[1]
    took.append(time.perf_counter() - start)
    live.append(probability)
    cues.append(gate.push(probability, t / data.frame_rate))

# %%
# The same as offline
# -------------------
offline = pipe.predict_proba([data.X[i]])[0][:, 1]
print(f"largest difference from offline: {np.abs(np.array(live) - offline).max():.0e}")
print(f"a frame took {1e3 * np.median(took):.2f} ms (median), after the pose")

# %%
# Probability, cue, truth
# -----------------------
seconds = np.arange(len(live)) / data.frame_rate
on = np.array([bool(cue) for cue in cues])
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.plot(seconds, live, label="probability, live")
ax.fill_between(seconds, 1.02, 1.08, where=on, step="post", label="cue")
ax.fill_between(seconds, 1.10, 1.16, where=data.frame_labels[i] == 1, step="post", color="0.4",
                label="truth")  # fmt: skip
ax.axhline(0.6, color="0.8", lw=1)
ax.set(xlabel="seconds", ylabel="probability of compensation", ylim=(0, 1.2))
ax.legend(loc="center left")
