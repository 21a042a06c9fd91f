"""Tables III and IV of the paper, in their form, on UIPRMD-Weak: one call of evaluate_by_patient.

Four video networks x plain and integrated gradients x one and two thresholds, beside a frame model
trained on frame truth, a constant and the duration; every pair with the paired t-test and Wilcoxon
with Holm's adjustment. The four variants of a network share its fits (``memory=`` of the labeler).
No repetition is used twice (``--reuse`` uses them so); networks have 30 epochs, all frames are
judged at 5 Hz. Two networks are *cut down* to fit a CPU, and say nothing of what the paper's
would do: skateformer has one block each of two stages of width 32, on 32 frames; moment has two
layers of width 64 with *random* weights, which stay as drawn under a trained head, on 64 steps
(the longest trial has 64 frames; the paper's has 8 layers of width 512 with published weights, on
512 steps).

    python benchmarks/paper_tables.py [--people 2,5] [--networks lstm,act] [--epochs 30] [--seeds 1]

Finished folds are kept in ``--memory``, so that a run broken off, or asked for more people or
networks, goes on where it was.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _report import RESULTS, markdown_table, write_report
from sklearn.utils import Bunch
from uiprmd_weak import DATA, EPOCHS, load
from uiprmd_weak import NETWORKS as PUBLISHED

from skrehab import FrameMLP, LandmarkScaler, SaliencyPseudoLabeler, VideoClassifier
from skrehab.evaluation import OnFrameTruth, evaluate_by_patient
from skrehab.pseudo_labels import PatientPipeline
from skrehab.trials import ragged

NETWORKS = PUBLISHED | {
    "moment": {
        "network_params": {
            "d_model": 64, "n_layers": 2, "n_heads": 4, "d_kv": 16, "d_ff": 128, "vocab_size": 8,
            "seq_len": 64,
        }
    },
}  # fmt: skip
SHOWN = {"skateformer": "skateformer, cut down", "moment": "moment, tiny, random"}
VIDEO = "trial AUC of the classifier inside"
METHODS = {"VG": "vanilla_gradient", "IG": "integrated_gradients"}
THRESHOLDS = {"1": "published", "2": "published_dual"}
TRUTH = "frame truth"


def variant(network, method, threshold, epochs, memory):
    """One cell of Table IV."""
    video = VideoClassifier(
        network, max_epochs=epochs, min_lr=1e-6, gradient_clip=None, gradient_clip_value=0.8,
        **NETWORKS[network],
    )  # fmt: skip
    labels = SaliencyPseudoLabeler(
        video, method=METHODS[method], threshold=THRESHOLDS[threshold], memory=memory
    )
    return PatientPipeline([("scale", LandmarkScaler()), ("labels", labels), ("frames", student())])


def student():
    """The frame model of the paper."""
    return FrameMLP((256, 128), dropout=0.2, max_epochs=10, batch_size=64)


def table_iii(study, networks):
    """Trial AUC of the networks, one row each, and who differs from whom."""
    shown = {n: f"{n} IG 2" for n in networks}
    found = study.scores[VIDEO]
    return [
        {"network": n, "trial AUC": f"{found[v].mean:.2f} ± {found[v].std:.2f}"}
        | {f"p, less {m}": _p(study, VIDEO, v, w) for m, w in shown.items()}
        for n, v in shown.items()
    ]


def table_iv(study, networks):
    """Frame AUC: a row for each number of thresholds, a column for each network and method."""
    found = study.scores["frame AUC"]
    truth = f"{found[TRUTH].mean:.2f} ± {found[TRUTH].std:.2f}"
    rows = []
    for threshold in THRESHOLDS:
        row = {"thresholds": threshold}
        for network in networks:
            for method in METHODS:
                one = found[f"{network} {method} {threshold}"]
                row[f"{network} {method}"] = f"{one.mean:.2f} ± {one.std:.2f}"
        rows.append(row | {"frame truth": truth})
    return rows


def _p(study, metric, a, b):
    for pair in study.pairs(metric):
        if {pair["a"], pair["b"]} == {a, b}:
            return "-" if np.isnan(pair["p_t"]) else f"{pair['p_t']:.3f}"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=DATA, type=Path)
    parser.add_argument("--people", default="2,5", help="held out; 'all' for all ten")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--epochs", default=EPOCHS, type=int)
    parser.add_argument("--seeds", default=1, type=int)
    parser.add_argument("--reuse", action="store_true", help="1,000 trials in place of 500")
    parser.add_argument("--jobs", default=1, type=int)
    parser.add_argument("--memory", default="build/paper_tables")
    parser.add_argument("--name", default="paper_tables")
    parser.add_argument("--folder", type=Path, default=RESULTS)
    given = parser.parse_args()
    networks = given.networks.split(",")
    raw = load(given.data, 0, given.reuse)
    data = Bunch(
        X=[np.asarray(x, dtype=np.float32) for x in raw.moved], y=raw.y, groups=raw.groups,
        exercise=raw.movement, frame_labels=ragged(raw.frame_labels), frame_rate=5.0,
    )  # fmt: skip
    people = np.unique(data.groups).tolist()
    held_out = people if given.people == "all" else [int(p) for p in given.people.split(",")]
    folds = [(np.flatnonzero(data.groups != p), np.flatnonzero(data.groups == p)) for p in held_out]
    teachers = str(Path(given.memory) / "teachers")
    models = {
        f"{SHOWN.get(n, n)} {m} {t}": variant(n, m, t, given.epochs, teachers)
        for n in networks
        for m in METHODS
        for t in THRESHOLDS
    }
    networks = [SHOWN.get(n, n) for n in networks]
    models[TRUTH] = OnFrameTruth(
        PatientPipeline([("scale", LandmarkScaler()), ("frames", student())])
    )
    started, cpu = time.perf_counter(), time.process_time()
    study = evaluate_by_patient(
        models, data, cv=folds, memory=given.memory, random_state=range(given.seeds),
        n_jobs=given.jobs, progress=lambda *said: print(said, flush=True),
    )  # fmt: skip
    used = time.process_time() - cpu
    wall = time.perf_counter() - started
    pairs = [
        {
            "metric": metric, "pair": f"{p['a']} less {p['b']}",
            "difference": f"{p['difference']:+.3f}", "p, paired t": f"{p['p_t']:.3f}",
            "p, Wilcoxon": f"{p['p_wilcoxon']:.3f}",
            "p, Wilcoxon, Holm": f"{p['p_wilcoxon_holm']:.3f}", "dz": f"{p['cohen_dz']:.2f}",
        }
        for metric in ("frame AUC", VIDEO)
        for p in study.pairs(metric)
        if metric == "frame AUC" or {p["a"][-4:], p["b"][-4:]} == {"IG 2"}
    ]  # fmt: skip
    every = [
        {
            "method": row["method"], "metric": row["metric"],
            "mean ± sd": f"{row['mean']:.3f} ± {row['sd']:.3f}",
            "95 % BCa": f"{row['low']:.2f} to {row['high']:.2f}",
            "pooled": f"{row['pooled']:.3f}", "people": row["n_patients"],
        }
        for metric in study.metrics
        for row in study.summary(metric)
    ]  # fmt: skip
    notes = "\n\n".join(
        [
            "## In the form of Table III", markdown_table(table_iii(study, networks)),
            "## All metrics", markdown_table(every),
            "## Every pair", markdown_table(pairs),
            f"{study.few_patients()} This run took {used:.0f} s of CPU in this process, "
            f"{wall:.0f} s by the clock, folds kept before not counted. Networks that were run: "
            f"{'; '.join(networks)}; people held out: {', '.join(map(str, held_out))}; "
            f"{len(data.X)} trials"
            + ("." if given.reuse else ", no repetition used twice."),
        ]
    )  # fmt: skip
    write_report(
        given.name, table_iv(study, networks), __doc__.split("\n\n    python")[0],
        packages=("torch", "scikit-learn", "scipy"), notes=notes, folder=given.folder,
    )  # fmt: skip


if __name__ == "__main__":
    main()
