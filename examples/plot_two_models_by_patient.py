"""
Is one model better than another?
=================================

A linear model on named measures of the whole trial, or the recommended network? The patients
decide: each is held out once, and the difference is tested over patients.

Six synthetic patients, short trainings: the page shows how to compare, the numbers mean nothing.
"""

# %%
# Two models
# ----------
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrehab import KinematicMeasures, MovementSummary
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import evaluate_by_patient
from skrehab.recipes import recommended

data = make_rehab_trials(6, 4, "brush_hair", strength=3.0, random_state=3)
models = {
    "measures": make_pipeline(
        KinematicMeasures(frame_rate=data.frame_rate),
        MovementSummary("mediapipe33_measures", frame_rate=data.frame_rate),
        SimpleImputer(),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=1000),
    ),
    "recommended": recommended(n_teachers=1, max_epochs=10),
}

# %%
# One call
# --------
study = evaluate_by_patient(models, data, cv=6)
for row in study.summary("trial AUC"):
    print(f"{row['method']}: {row['mean']:.2f} ± {row['sd']:.2f}, pooled {row['pooled']:.2f}")

# %%
# The figure: a dot is a patient, and a line joins the same patient.
study.plot("trial AUC")

# %%
# More than chance?
# -----------------
for pair in study.pairs("trial AUC"):
    print(f"{pair['a']} - {pair['b']}: {pair['difference']:+.2f}, t {pair['p_t']:.2f}, Wilcoxon, "
          f"adjusted {pair['p_wilcoxon_holm']:.2f}")  # fmt: skip
print(study.few_patients("trial AUC"))

# %%
# For the paper
# -------------
print(study.to_latex("trial AUC"))
