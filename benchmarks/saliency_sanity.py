"""Does the saliency of a network say anything about the network? Four questions, by method.

Trials of UIPRMD-Weak (person 1 held out; every fifth trial of the others to train on, 30 epochs,
one seed), asked of the held-out trials that are labelled positive; scores are the positive part of
the attribution, eight-frame mean, as the published recipe has them.

* *completeness error*: how far integrated gradients miss the difference of logits they should add
  up to (with ``n_steps="auto"``), median, as a share of that difference.
* *r, weights drawn anew*: Pearson correlation of the map with that of the same network with random
  weights, median over trials; what stays near 1 shows the input and not what was learnt
  (Adebayo et al. 2018, arXiv:1810.03292). *r, head drawn anew* changes the last layer only.
* *deletion*: the share of the logit's fall from the trial to one in rest that is lost when the 30 %
  of frames with the highest scores are put in rest, minus the same for 30 % of random frames; above
  0 the scores find frames that the network uses; "-" where the logit hardly falls.
* *lean on position*: share of the scores' variance that the mean course over all trials explains;
  near 1, the scores follow the clock and not the movement.
* *frame AUC*: inside the positive trials, by frame truth.

    python benchmarks/saliency_sanity.py [--networks "lstm;act"] [--epochs 30]
"""

import argparse
import copy
import warnings

import numpy as np
import torch
from _report import RESULTS, add_rows, read_rows, write_report
from paper_tables import NETWORKS
from uiprmd_weak import DATA, Fold, load

from skrehab import VideoClassifier
from skrehab.metrics import frame_roc_auc
from skrehab.saliency import explain

N_TRIALS = 40
SHARE = 0.3
N_PHASES = 20
SETTINGS = {
    "lstm": NETWORKS["lstm"],
    "act": NETWORKS["act"],
    "lstm, last state": {"network_params": {"readout": "last"}},
    "gru": {},
    "mil_tcn": {},
    "skateformer, cut down": NETWORKS["skateformer"],
    # both as in paper_tables; from random weights, so all of it is trained
    "moment, tiny": {"network_params": NETWORKS["moment"]["network_params"] | {"tuning": "full"}},
}
METHODS = ("vanilla_gradient", "integrated_gradients", "frame_logits")


def redrawn(module, head_only, seed=0):
    """Copy a network and draw the weights of its layers (or of the last one) anew."""
    drawn = copy.deepcopy(module)
    layers = [m for m in drawn.modules() if hasattr(m, "reset_parameters")]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in layers[-1:] if head_only else layers:
            layer.reset_parameters()
    return drawn


def attribute(module, trials, method):
    """Scores and maps of the published recipe, and completeness errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the errors are in the table
        return explain(
            module, trials, np.ones(len(trials), dtype=int), method=method, n_steps="auto",
            aggregate="positive", smooth="auto" if method != "frame_logits" else 0,
            scale="map" if method != "frame_logits" else "frames",
        )  # fmt: skip


def similarity(one, other):
    """Median over trials of the correlation of two lists of maps or scores."""
    pairs = [
        np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]
        for a, b in zip(one, other)
        if np.ptp(a) > 0 and np.ptp(b) > 0
    ]
    return float(np.median(pairs)) if pairs else np.nan


def deletion(model, trials, scores, random_state):
    """Share of the logit lost with the frames of the highest scores, minus random frames."""
    rng = np.random.RandomState(random_state)

    def logit(kept):
        return model.decision_function([np.where(k[:, None, None], x, 0) for x, k in kept])

    whole = logit([(x, np.ones(len(x), bool)) for x in trials])
    nothing = logit([(x, np.zeros(len(x), bool)) for x in trials])
    lost = []
    for ranks in (scores, [rng.rand(len(s)) for s in scores]):
        kept = [(x, s <= np.quantile(s, 1 - SHARE)) for x, s in zip(trials, ranks)]
        lost.append(whole - logit(kept))
    fall = np.median(whole - nothing)
    return float((np.median(lost[0]) - np.median(lost[1])) / fall) if abs(fall) > 0.1 else np.nan


def lean(scores):
    """Share of the variance of scores that their mean course explains."""
    courses = [
        np.interp(np.linspace(0, 1, N_PHASES), np.linspace(0, 1, len(s)), s / (np.std(s) or 1))
        for s in scores
    ]
    courses = np.array([c - c.mean() for c in courses])
    return float(np.var(courses.mean(axis=0)) / np.var(courses))


def one_network(name, epochs, path=str(DATA)):
    """Train one network, and ask the questions of each method it takes."""
    fold = Fold(load(path, 0, True), 1, 0)
    X, X_test = fold.features("moved", scaled=True)
    part = np.arange(0, len(X), 5)
    how = {"random_state": 0, "max_epochs": epochs, "gradient_clip": None}
    model = VideoClassifier(
        name.split(",")[0], min_lr=1e-6, gradient_clip_value=0.8, **how | SETTINGS[name]
    ).fit([X[i] for i in part], fold.y[part])
    asked = np.flatnonzero(fold.y_test == 1)[:N_TRIALS]
    trials, truth = ([items[i] for i in asked] for items in (X_test, fold.truth_test))
    module = model.module_
    for method in METHODS:
        if method == "frame_logits" and not hasattr(module, method):
            continue
        found = attribute(module, trials, method)
        what = "scores" if method == "frame_logits" else "maps"
        anew, head = (
            similarity(getattr(found, what), getattr(attribute(other, trials, method), what))
            for other in (redrawn(module, False), redrawn(module, True))
        )
        at_rest = model.decision_function([np.zeros_like(x) for x in trials])
        fall = np.abs(model.decision_function(trials) - at_rest)
        error = np.median(found.completeness_error / np.maximum(fall, 1e-6))
        lost = deletion(model, trials, found.scores, 0)
        yield {
            "network": name,
            "method": method.replace("_", " "),
            "completeness error": "-" if np.isnan(error) else f"{error:.3f}",
            "r, weights drawn anew": f"{anew:.2f}",
            "r, head drawn anew": f"{head:.2f}",
            "deletion": "-" if np.isnan(lost) else f"{lost:+.2f}",
            "lean on position": f"{lean(found.scores):.2f}",
            "frame AUC": f"{frame_roc_auc(truth, found.scores):.3f}",
        }


def main():
    """Ask every network that is not in the .jsonl file yet, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", default=";".join(SETTINGS), help="Parted by ;")
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept = RESULTS / "saliency_sanity.jsonl"
    done = read_rows(kept)
    for name in options.networks.split(";"):
        if any(row["network"] == name for row in done):
            continue
        rows = list(one_network(name, options.epochs))
        done += rows
        add_rows(kept, *rows)
        print(*rows, sep="\n", flush=True)
    write_report("saliency_sanity", done, __doc__, packages=("torch", "scikit-learn", "numpy"))


if __name__ == "__main__":
    main()
