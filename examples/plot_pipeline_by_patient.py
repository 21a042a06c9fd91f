"""
Frame feedback from trial labels, scored on patients never seen
================================================================

Can a model that was told only *this video holds compensation* say **when**, for a patient it never
saw? The pipeline learns frame labels from trial labels, and every score below comes from folds that
hold out whole patients.

The six patients are synthetic and compensate twice as strongly as the default, so that seconds of
training are enough. The numbers show how an evaluation is read, not how good the method is.
"""

# %%
# Trials, labels, patients
# ------------------------
# ``X`` is a list of trials of any length. The frame truth exists only because the data are
# synthetic; it takes part in scoring, and in the model that is shown for comparison.
import numpy as np
from imblearn.pipeline import Pipeline
from sklearn.model_selection import GroupKFold, cross_validate

from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    FrameTimelineDisplay,
    LandmarkScaler,
    PatientScoresDisplay,
    SaliencyPseudoLabeler,
    VideoClassifier,
)
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import FrameScorer, by_patient, frame_roc_auc, trial_roc_auc

data = make_rehab_trials(6, 4, ["brush_hair", "wash_face"], strength=2.0, random_state=0)
print(f"{len(data.X)} trials, the first of shape {data.X[0].shape}; labels {data.y[:6]} ...")

# %%
# The pipeline
# ------------
# ``labels`` turns trial labels into frame labels while fitting, and is skipped when predicting.
# Everything is causal: what is scored here is what would be seen live.
weak = Pipeline(
    [
        ("motion", DisplacementSmoother(causal=True)),
        ("scale", LandmarkScaler()),
        (
            "labels",
            SaliencyPseudoLabeler(
                VideoClassifier("act", max_epochs=20, random_state=0),
                threshold="published_dual",
                n_steps=8,
            ),
        ),
        ("frames", FrameMLP(max_epochs=10, random_state=0)),
    ]
)
full = Pipeline([step for step in weak.steps if step[0] != "labels"])  # needs frame labels


# %%
# Held-out patients
# -----------------
# Three folds of two patients each keep this page quick; use ``LeaveOneGroupOut()`` on real data.
# scikit-learn's own ``cross_validate`` does the rest.
def held_out_scores(pipeline, y, scoring):
    """Return frame probabilities of every trial, by a model that never saw its patient."""
    folds = cross_validate(
        pipeline,
        data.X,
        y,
        groups=data.groups,
        cv=GroupKFold(3),
        scoring=scoring,
        return_estimator=True,
        return_indices=True,
    )
    scores = [None] * len(data.X)
    for model, test in zip(folds["estimator"], folds["indices"]["test"]):
        for i, proba in zip(test, model.predict_proba([data.X[i] for i in test])):
            scores[i] = proba[:, 1]
    return scores


scores = {
    "trained on trial labels": held_out_scores(weak, data.y, trial_roc_auc),
    "trained on frame truth": held_out_scores(full, data.frame_labels, FrameScorer()),
    "trial duration": [np.full(len(trial), float(len(trial))) for trial in data.X],
}

# %%
# One score a patient
# -------------------
# A model must generalise to patients, so patients are what is averaged over, and a difference
# between rows means little where it is small against the spread over patients. The last row knows
# nothing but how long a trial took. Print such a row always: patients who compensate may be slower.
results = {
    name: by_patient(frame_roc_auc, data.frame_labels, values, data.groups)
    for name, values in scores.items()
}
for name, result in results.items():
    print(f"{name}: {result}")

PatientScoresDisplay.from_predictions(results, metric="frame AUC", references={"chance": 0.5})

# %%
# One trial of a held-out patient
# -------------------------------
# The first trial with compensation, whatever it looks like.
i = int(np.flatnonzero(data.y)[0])
FrameTimelineDisplay.from_predictions(
    scores["trained on trial labels"][i],
    frame_labels=data.frame_labels[i],
    frame_rate=data.frame_rate,
)
