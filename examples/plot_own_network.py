"""
Your own network in fifteen lines
=================================

A class with ``__init__(n_landmarks, n_coords, n_outputs)`` and ``forward(x, lengths)`` is all it
takes. It is then trained, scored by patient and asked where it looked, like any other.
"""

# %%
# The network
# -----------
# The largest value that each of a few filters reaches anywhere in the trial. Padding must change
# nothing: frames behind the end of a trial are set to minus infinity before the maximum.
import numpy as np
import torch
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skrehab import DisplacementSmoother, LandmarkScaler, SaliencyMapDisplay, VideoClassifier
from skrehab.datasets import make_rehab_trials


class Peaks(torch.nn.Module):
    def __init__(self, n_landmarks, n_coords, n_outputs, width=16):
        super().__init__()
        self.filters = torch.nn.Linear(n_landmarks * n_coords, width)
        self.head = torch.nn.Linear(width, n_outputs)

    def forward(self, x, lengths=None):  # (batch, frames, landmarks, coords)
        found = torch.relu(self.filters(x.flatten(2)))
        if lengths is not None:
            inside = torch.arange(x.shape[1], device=x.device) < lengths.to(x.device)[:, None]
            found = found.masked_fill(~inside[..., None], -torch.inf)
        return self.head(found.amax(dim=1))  # (batch, n_outputs)


# %%
# By patient, like any other
# --------------------------
data = make_rehab_trials(6, 3, ["brush_hair"], strength=2.5, random_state=0)
model = make_pipeline(
    DisplacementSmoother(causal=True),
    LandmarkScaler(),
    VideoClassifier(Peaks, max_epochs=30, lr=3e-3, random_state=0),
)
scores = cross_val_score(
    model, data.X, data.y, groups=data.groups, cv=GroupKFold(3), scoring="roc_auc"
)
print("trial AUC, two patients held out at a time:", *(f"{score:.2f}" for score in scores))

# %%
# The padding rule, checked
# -------------------------
# A trial alone gives the same as beside a longer one.
model.fit(data.X, data.y)
short, long = sorted(data.X[:2], key=len)
alone, beside = model.predict_proba([short])[0], model.predict_proba([short, long])[0]
print(f"difference: {np.abs(alone - beside).max():.0e}")

# %%
# Where it looked
# ---------------
i = int(np.flatnonzero(data.y)[0])
X = model[:-1].transform([data.X[i]])
SaliencyMapDisplay.from_estimator(
    model[-1], X[0], frame_labels=data.frame_labels[i], frame_rate=data.frame_rate
)
