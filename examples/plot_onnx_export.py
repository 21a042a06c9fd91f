"""
The same model without Python
=============================

Can a browser, a phone or another program run the model, and does it say the same? The pipeline
becomes one ONNX file, for whole trials or frame by frame, and is compared with itself.

It needs the extra ``onnx``.
"""

# %%
# Train something small
# ---------------------
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skrehab import export_onnx
from skrehab.datasets import make_rehab_trials
from skrehab.onnx import OnnxModel, OnnxStream
from skrehab.recipes import recommended

data = make_rehab_trials(4, 2, ["brush_hair"], strength=3.0, random_state=0)
pipe = recommended(n_teachers=1, max_epochs=5, random_state=0).fit(data.X, data.y)

# %%
# Two files
# ---------
# ``export_onnx`` compares the file's probabilities with the model's on random trials, and refuses
# to write one that is off by more than 1e-5. The step that makes labels while fitting is not in it.
folder = Path(tempfile.mkdtemp())
whole = export_onnx(pipe, folder / "trials.onnx", frame_rate=data.frame_rate)
live = export_onnx(pipe, folder / "live.onnx", streaming=True, frame_rate=data.frame_rate)
for file in (whole, live):
    print(f"{file.name}: {file.stat().st_size / 1024:.0f} KiB")

# %%
# They say the same
# -----------------
trial = data.X[0]
here = pipe.predict_proba([trial])[0][:, 1]
there = OnnxModel(whole).predict_proba([trial])[0][:, 1]
stream = OnnxStream(live)
framewise = np.array([stream.push(frame)[1] for frame in trial])
print(f"trials: {np.abs(here - there).max():.0e}, frames: {np.abs(here - framewise).max():.0e} off")

figure, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
seconds = np.arange(len(trial)) / data.frame_rate
ax.plot(seconds, here, lw=5, alpha=0.3, label="Python")
ax.plot(seconds, there, lw=2, label="ONNX, whole trial")
ax.plot(seconds, framewise, "k:", label="ONNX, frame by frame")
ax.set(xlabel="seconds", ylabel="probability", ylim=(0, 1))
ax.legend()
