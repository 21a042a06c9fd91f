"""
A study in one call
===================

Which of several models judges new patients best, is the difference more than chance, and does any
of them do better than the duration of the trial? One call answers, on scikit-learn's own
``cross_validate``; a second run goes on where the first was broken off.

The five patients are synthetic and the trainings short: the page shows how a study is read.
"""

# %%
# The models
# ----------
# By name. What learns from labels of single frames is marked; all others never see them.
import tempfile

from sklearn.pipeline import Pipeline

from skrehab import DisplacementSmoother, FrameMLP, LandmarkScaler
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import OnFrameTruth, audit, evaluate_by_patient
from skrehab.recipes import recommended

data = make_rehab_trials(5, 3, ["brush_hair"], strength=3.0, random_state=0)
frames = Pipeline(
    [
        ("motion", DisplacementSmoother()),
        ("scale", LandmarkScaler()),
        ("frames", FrameMLP(max_epochs=5)),
    ]
)
models = {
    "ours": recommended(n_teachers=1, max_epochs=6),
    "frame truth": OnFrameTruth(frames),
}

# %%
# The study
# ---------
# One patient is held out at a time. A constant and the duration are always there.
memory = tempfile.mkdtemp()
study = evaluate_by_patient(models, data, memory=memory, random_state=(0,))
print(study)
print(study.few_patients())

# %%
# A dot is a patient; the line joins the same patient from model to model.
study.plot()

# %%
# Every pair, tested
# ------------------
for pair in study.pairs():
    print(f"{pair['a']} - {pair['b']}: {pair['difference']:+.2f}, t {pair['p_t']:.2f}, "
          f"Wilcoxon, adjusted {pair['p_wilcoxon_holm']:.2f}")  # fmt: skip

# %%
# ``study.to_html("report.html")`` writes a page for therapists, ``to_csv`` the scores of every
# held-out frame, ``to_latex`` the table of a paper.
print(study.to_latex())

# %%
# Nothing leaks, and it can be shown
# ----------------------------------
# Trained again with other labels of the held-out patient, a model must say the same of that patient
# to the last bit; and each step must have seen training patients only.
print(audit(OnFrameTruth(frames.set_params(frames__random_state=0)), data))
