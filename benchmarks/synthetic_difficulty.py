"""How hard are the synthetic patients, and is compensation what makes the difference?

Areas under the ROC curve, leave one patient out. Features: displacement from the first frame,
5-frame moving average, scaled by the training patients, lost landmarks 0. "Inside" is the mean
inside positive trials for frame rows, and the mean inside one exercise for trial rows. Rows that no
motion goes into show what comes free: *phase and exercise* is how often this exercise is
compensated at this share of the trial, *exercise and side* how often it is with the affected limb
or the other. *Strength 0* is the same trials with the same labels, the compensation left out.

    python benchmarks/synthetic_difficulty.py --seeds 0 1 2
"""

import argparse
import time
import warnings

import numpy as np
from _report import write_report
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrehab.datasets import make_rehab_trials
from skrehab.preprocessing import DisplacementSmoother

N_PHASES = 20
# nose, ears, shoulders, elbows, wrists, knees and ankles: what summarises a trial
SUMMARISED = [0, 7, 8, 11, 12, 13, 14, 15, 16, 25, 26, 27, 28]


def features(X):
    """Frame features of each trial, (n_frames_i, n_landmarks, 3) without NaN."""
    return [np.nan_to_num(trial) for trial in DisplacementSmoother(window=5).fit_transform(X)]


def summaries(moved):
    """Mean, spread and extremes of the main landmarks' displacement: one row a trial."""
    rows = []
    for trial in moved:
        part = trial[:, SUMMARISED].reshape(len(trial), -1)
        rows.append(np.concatenate([part.mean(0), part.std(0), part.max(0), part.min(0)]))
    return np.stack(rows)


def perceptron(epochs, seed):
    """One hidden layer of 64 units."""
    return MLPClassifier(
        (64,), batch_size=512, learning_rate_init=2e-3, max_iter=epochs, random_state=seed
    )


def held_out_scores(data, seed, epochs, folds, everything=True):
    """Scores of frames and trials, each from models that never saw the patient."""
    moved = features(data.X)
    lengths = np.array([len(trial) for trial in moved])
    trial_of = np.repeat(np.arange(len(moved)), lengths)
    frames = np.concatenate([trial.reshape(len(trial), -1) for trial in moved])
    truth = np.concatenate(data.frame_labels)
    phase = np.concatenate([np.arange(n) * N_PHASES // n for n in lengths])
    summary = summaries(moved)
    used = np.where(data.side == "both", "both", data.side == data.affected_side)
    cell = np.char.add(data.exercise, used)

    frame_rows, trial_rows = {}, {}

    def frame_row(name, test, scores):
        frame_rows.setdefault(name, np.zeros(len(frames)))[np.isin(trial_of, test)] = scores

    def trial_row(name, test, scores):
        trial_rows.setdefault(name, np.zeros(len(moved)))[test] = scores

    for train, test in folds:
        in_train, in_test = np.isin(trial_of, train), np.isin(trial_of, test)
        scale = frames[in_train].std(axis=0) + 1e-6
        A, B = frames[in_train] / scale, frames[in_test] / scale
        mlp = perceptron(epochs, seed).fit(A, truth[in_train])
        frame_row("frame truth, MLP (64)", test, mlp.predict_proba(B)[:, 1])
        linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
        linear.fit(summary[train], data.y[train])
        scores = linear.decision_function(summary[test])
        trial_row("trial labels, logistic regression", test, scores)
        if not everything:
            continue

        logistic = LogisticRegression(C=0.01, max_iter=300).fit(A, truth[in_train])
        frame_row("frame truth, logistic regression", test, logistic.decision_function(B))
        copied = perceptron(epochs, seed).fit(A, data.y[trial_of[in_train]])
        scores = copied.predict_proba(B)[:, 1]
        frame_row("trial label copied to its frames, MLP (64)", test, scores)
        known = {
            (name, k): truth[in_train & (data.exercise[trial_of] == name) & (phase == k)].mean()
            for name in np.unique(data.exercise)
            for k in range(N_PHASES)
        }
        keys = zip(data.exercise[trial_of[in_test]], phase[in_test])
        frame_row("phase and exercise", test, [known[key] for key in keys])
        frame_row("constant", test, 0.0)

        habit = {name: data.y[train][cell[train] == name].mean() for name in np.unique(cell)}
        trial_row("exercise and side", test, [habit[name] for name in cell[test]])
        duration = LogisticRegression().fit(lengths[train, None] / 50, data.y[train])
        trial_row("duration", test, duration.predict_proba(lengths[test, None] / 50)[:, 1])
        trial_row("constant", test, 0.0)
    if everything:  # not from the fold: how the length itself ranks the trials
        trial_rows["length itself, not fitted"] = lengths.astype(float)
    return frame_rows, trial_rows, truth, trial_of


def areas(truth, scores, blocks, inner):
    """Mean over blocks with both classes, pooled, and mean inside another partition."""

    def mean_over(partition):
        defined = [
            roc_auc_score(truth[partition == block], scores[partition == block])
            for block in np.unique(partition)
            if 0 < truth[partition == block].mean() < 1
        ]
        return float(np.mean(defined))

    return mean_over(blocks), float(roc_auc_score(truth, scores)), mean_over(inner)


def measure(seed, epochs, n_repetitions):
    """All rows of one seed: {(level, row): (mean over patients, pooled, inside)}."""
    rows = {}
    for strength in (1.0, 0.0):
        data = make_rehab_trials(n_repetitions=n_repetitions, strength=strength, random_state=seed)
        folds = list(LeaveOneGroupOut().split(data.X, data.y, data.groups))
        frame_rows, trial_rows, truth, trial_of = held_out_scores(
            data, seed, epochs, folds, everything=strength > 0
        )
        suffix = "" if strength else ", strength 0"
        for name, scores in frame_rows.items():
            rows["frame", name + suffix] = areas(truth, scores, data.groups[trial_of], trial_of)
        for name, scores in trial_rows.items():
            rows["trial", name + suffix] = areas(data.y, scores, data.groups, data.exercise)
    return rows


def main():
    """Print the table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--n-repetitions", type=int, default=4)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)

    start, results = time.perf_counter(), []
    for seed in args.seeds:
        results.append(measure(seed, args.epochs, args.n_repetitions))
        area = results[-1]["frame", "frame truth, MLP (64)"][0]
        seconds = time.perf_counter() - start
        print(f"seed {seed}: frame truth, MLP {area:.3f}, {seconds:.0f} s", flush=True)

    rows = []
    for level, name in sorted(results[0], key=lambda key: key[0]):
        values = np.array([result[level, name] for result in results])
        mean, pooled, inside = values.mean(axis=0)
        rows.append(
            {
                "level": level,
                "row": name,
                "mean over patients": f"{mean:.3f}",
                "by seed": ", ".join(f"{value:.3f}" for value in values[:, 0]),
                "pooled": f"{pooled:.3f}",
                "inside": f"{inside:.3f}",
            }
        )
    write_report(
        "synthetic_difficulty",
        rows,
        __doc__.rpartition("\n\n")[0],
        packages=("numpy", "scikit-learn"),
        notes="A fitted constant or duration can fall below 0.5 when pooled: leaving a patient out "
        "moves the mean of the others the other way.",
    )


if __name__ == "__main__":
    main()
