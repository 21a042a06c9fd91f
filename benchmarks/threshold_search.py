"""A search over thresholds with and without ``SaliencyPseudoLabeler(memory=)``.

Twelve quantiles, two folds by patient, an LSTM on synthetic patients. Without ``memory`` the
network is fitted for every threshold again; with it once a fold, and once for the refit. CPU time
of one process; both searches run one after the other, and must find the same to the last bit.

    python benchmarks/threshold_search.py
"""

import tempfile
import time
import warnings

import numpy as np
from _report import write_report
from sklearn.model_selection import GridSearchCV, GroupKFold

from skrehab import DisplacementSmoother, FrameMLP, SaliencyPseudoLabeler, VideoClassifier
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import trial_roc_auc
from skrehab.pseudo_labels import PatientPipeline


def search(data, memory):
    """Run it; return CPU seconds, fits of the network, and scores."""
    fits, fit = [], VideoClassifier.fit
    VideoClassifier.fit = lambda self, *a, **k: fits.append(1) or fit(self, *a, **k)
    try:
        video = VideoClassifier("lstm", max_epochs=10, random_state=0)
        labels = SaliencyPseudoLabeler(video, n_steps=8, memory=memory)
        frames = FrameMLP((64,), max_epochs=3, random_state=0)
        pipe = PatientPipeline(
            [("motion", DisplacementSmoother()), ("labels", labels), ("frames", frames)]
        )
        grid = {"labels__threshold": [("quantile", q) for q in np.linspace(0.1, 0.65, 12)]}
        found = GridSearchCV(pipe, grid, scoring=trial_roc_auc, cv=GroupKFold(2))
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.fit(data.X, data.y, groups=data.groups)
        return time.process_time() - start, len(fits), found.cv_results_["mean_test_score"]
    finally:
        VideoClassifier.fit = fit


def main():
    data = make_rehab_trials(6, 1, ["brush_hair", "wash_face"], strength=3.0, random_state=1)
    plain, n_plain, scores = search(data, None)
    with tempfile.TemporaryDirectory() as folder:
        kept, n_kept, same = search(data, folder)
    np.testing.assert_array_equal(scores, same)
    rows = [
        {"memory": "no", "fits": n_plain, "CPU s": f"{plain:.1f}", "ratio": "1"},
        {"memory": "yes", "fits": n_kept, "CPU s": f"{kept:.1f}", "ratio": f"{kept / plain:.2f}"},
    ]
    write_report(
        "threshold_search", rows, __doc__.split("\n\n    python")[0],
        packages=("torch", "scikit-learn", "joblib"),
        notes="The scores of all twelve thresholds were equal to the last bit.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
