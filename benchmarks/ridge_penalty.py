"""How a ridge behind RocketFeatures chooses its penalty: what is left out, and what is compared.

Sets of 12 synthetic patients, two exercises, 96 trials of eight people to learn from and 48 of four
others to test. Of 19 penalties from 0.001 to a million the one is taken that has the least squared
error of left-out targets, or the highest balanced accuracy of left-out trials, leaving out patients
or single trials; StandardScaler before it. Given is the balanced accuracy on the four others, the
mean over sets and three draws of kernels, with the standard error over sets; what left-out trials
promised; and how many of the others' trials are told right beside the mean probability of what is
said of them, by a slope from the same left-out trials.

The default of PatientRidgeClassifier was chosen on this table, so that its figures are of people
seen in choosing; benchmarks/speed.py has others.

    python benchmarks/ridge_penalty.py [--sets 12]
"""

import argparse

import numpy as np
from _report import write_report
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from skrehab import BoneVectors, RocketFeatures
from skrehab.datasets import make_rehab_trials
from skrehab.linear import (
    fit_slope,
    left_out_predictions,
    ridge_coefficients,
    ridge_parts,
    slope_probabilities,
)

ALPHAS = np.logspace(-3, 6, 19)
DRAWS = 3
SETTINGS = ((5000, 60), (5000, 120), (10_000, 120))  # features, frames


def promises(truth, targets, left_out):
    """What each criterion says of each penalty; higher is better."""
    return {
        "squared error": -((left_out - targets) ** 2).mean(axis=1),
        "balanced accuracy": accuracy(truth, left_out),
    }


def accuracy(truth, scores):
    """Balanced accuracy of each row of scores."""
    return np.array([balanced_accuracy_score(truth, one > 0) for one in scores])


def chosen(data, n_features, n_frames, seed):
    """Found by each way of choosing, and by the best penalty: five numbers of the table."""
    train, test, X, y = data.train, data.test, data.bones, data.y.astype(bool)
    rocket = RocketFeatures(n_features, n_frames=n_frames, random_state=seed)
    scaler = StandardScaler()
    columns = scaler.fit_transform(rocket.fit_transform([X[i] for i in train])).astype(float)
    others = scaler.transform(rocket.transform([X[i] for i in test])).astype(float)
    targets = np.where(y[train], 1.0, -1.0)
    parts = ridge_parts(columns)
    solved = (ridge_coefficients(parts, targets[:, None], alpha) for alpha in ALPHAS)
    said = [others @ coef[0] + intercept[0] for coef, intercept in solved]
    on_others = accuracy(y[test], said)
    found = {("", "whatever is best on the others"): (on_others.max(), *[np.nan] * 4)}
    for what, groups in (("patients", data.groups[train]), ("trials", None)):
        left_out = left_out_predictions(parts, targets[:, None], ALPHAS, groups)[:, :, 0]
        right = accuracy(y[train], left_out)
        for by, says in promises(y[train], targets, left_out).items():
            best = np.flatnonzero(says == says.max())[-1]  # of equals the largest penalty
            slope = fit_slope(left_out[best][:, None], y[train].astype(int))
            sure = slope_probabilities(said[best][:, None], slope).max(axis=1).mean()
            told_right = np.mean((said[best] > 0) == y[test])
            found[what, by] = on_others[best], right[best], told_right, sure, ALPHAS[best]
    return found


def people(seed):
    """A set of people, the last third of them for testing."""
    data = make_rehab_trials(12, 4, ["brush_hair", "hip_flexion"], random_state=seed)
    data.bones = BoneVectors().fit_transform(data.X)
    test = np.isin(data.groups, np.unique(data.groups)[-4:])
    data.train, data.test = np.flatnonzero(~test), np.flatnonzero(test)
    return data


def main():
    """Measure and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=12)
    options = parser.parse_args()
    found = {}
    for seed in range(1, options.sets + 1):
        data = people(seed)
        for setting in SETTINGS:
            for draw in range(DRAWS):
                for way, values in chosen(data, *setting, 100 + draw).items():
                    found.setdefault((setting, *way), []).append(values)
        print("set", seed, flush=True)
    rows = []
    for ((n_features, n_frames), what, by), values in found.items():
        values = np.array(values).reshape(-1, DRAWS, 5)
        right = values[:, :, 0].mean(axis=1)
        row = {
            "features": n_features,
            "frames": n_frames,
            "left out": what,
            "chosen by": by,
            "balanced accuracy on others": f"**{right.mean():.3f}**",
            "standard error": f"{right.std(ddof=1) / np.sqrt(len(right)):.3f}",
        }
        if what:
            means = values.mean(axis=(0, 1))
            row["of left-out trials"] = f"{means[1]:.3f}"
            row["others told right"] = f"{means[2]:.3f}"
            row["probability of what is said"] = f"{means[3]:.3f}"
            row["median penalty"] = f"{np.median(values[:, :, 4]):.0f}"
        rows.append(row)
    rows.sort(key=lambda row: (row["features"], row["frames"], -len(row)))
    write_report("ridge_penalty", rows, __doc__, packages=("scikit-learn", "numpy"))


if __name__ == "__main__":
    main()
