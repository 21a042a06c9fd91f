"""KIMORE: Tables 1 and 2 of Nekoui & Cheng (BMVC 2021) on your own copy, beside what they print.

One model an exercise, clinical total score, Spearman's correlation times 100. Two protocols, both
without any person on two sides: several splits of 70 to 30 of the people, with all levels of score
on both sides, and each person left out in turn. The last epoch counts: none is chosen by the test
part, as it was for VI-Net and perhaps for others in the table.

    python benchmarks/kimore.py KiMoRe --uwa3d UWA3D --utkinect UTKinect
    python benchmarks/kimore.py KiMoRe --published --device cuda   # the paper's sizes

Encoders are pretrained on the data sets that are named, one after the other, all brought to 15
common joints; without any, on the poses of the training people of each fold. With ``--videos`` the
expert also sees clip features; without, poses only.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _report import markdown_table, write_report
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrehab.datasets import load_kimore, load_uiprmd_npz, load_utkinect, load_uwa3d
from skrehab.evaluation import evaluate_by_exercise, paired_bootstrap
from skrehab.preprocessing.skeleton_conversion import convert
from skrehab.pretraining import PoseSequencePretrainer
from skrehab.quality import AppearanceFeatures, QualityRegressor
from skrehab.quality.ablations import table1_settings

# Spearman x 100 by exercise, as printed in the two tables
PUBLISHED = {
    "C3D": (66.00, 64.00, 63.00, 59.00, 60.00),
    "I3D": (45.00, 56.00, 57.00, 64.00, 58.00),
    "EAGLE-Eye": (70.85, 67.34, 64.62, 65.23, 62.42),
    "VI-Net": (79.00, 69.00, 57.00, 59.00, 70.00),
    "full": (75.59, 72.87, 69.96, 74.67, 72.31),
    "only expert": (68.42, 66.43, 67.81, 66.97, 63.11),
    "only non-expert (U)": (60.76, 56.98, 37.75, 59.61, 54.52),
    "only non-expert (S)": (63.92, 60.85, 54.44, 56.82, 57.85),
    "only non-expert (U+S)": (66.53, 60.09, 61.05, 59.71, 61.11),
    "C3D as expert": (70.19, 69.42, 67.11, 64.59, 66.38),
    "without inpainting": (71.13, 68.19, 67.60, 71.20, 66.82),
    "without pace": (73.34, 70.94, 70.84, 71.28, 69.07),
    "reconstruct": (69.17, 67.53, 70.02, 65.39, 63.73),
    "pace+reconstruct": (68.53, 69.12, 69.53, 68.14, 64.33),
    "predict_motion": (70.53, 70.92, 68.17, 70.43, 68.54),
    "pace+predict_motion": (72.18, 69.92, 70.35, 71.18, 70.46),
    "order": (65.67, 67.29, 66.38, 67.83, 60.52),
}
TABLE_2 = ("reconstruct", "pace+reconstruct", "predict_motion", "pace+predict_motion", "order")
METHODS = {**table1_settings(), **{o: {"objective": o, "regressor": {}} for o in TABLE_2}}
DURATION = "duration alone"
REFERENCE = "only expert"


def parse(arguments=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("root", help="folder that holds CG and GPP")
    add("--uwa3d", help="folder of UWA3D to pretrain on, first")
    add("--utkinect", help="folder of UTKinect to pretrain on, second")
    add("--uiprmd", help="UI-PRMD archive (.npz) to pretrain on, third")
    add("--videos", help="pattern of a trial's RGB video under its folder, such as 'Raw/*rgb*.mp4'")
    add("--network", default="c3d", help="network of the clip features")
    add("--network-params", type=_pairs, default={}, help="its parameters, name=number,...")
    add("--weights", help="its weights")
    add("--sha256", help="SHA-256 of a pickled file of weights")
    add("--cache", help="folder for clip features")
    add("--methods", nargs="+", choices=[DURATION, *METHODS], default=[DURATION, *METHODS])
    add("--exercises", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    add("--splits", type=int, default=5)
    add("--no-left-out", action="store_true", help="splits only: a fifteenth of the time")
    add("--step", type=int, default=3, help="of 30 frames a second every how many are kept")
    add("--hidden-size", type=int, default=64, help="units of the encoder")
    add("--pretrain-epochs", type=int, default=60)
    add("--epochs", type=int, default=300)
    add("--published", action="store_true", help="sizes and epochs of the paper")
    add("--device", default="cpu")
    add("--jobs", type=int, default=1)
    add("--seed", type=int, default=0)
    add("--write", action="store_true", help="write results/kimore.md")
    settings = parser.parse_args(arguments)
    if settings.published:
        settings.hidden_size, settings.step = 1000, 1
        settings.pretrain_epochs, settings.epochs = 300, 1000
    return settings


def _pairs(text):
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: int(value) for name, _, value in pairs}


# --- data -----------------------------------------------------------------------------------------
def common_poses(data, step):
    """Bring trials to 15 joints at `step` thirtieths of a second a frame."""
    every = max(1, round(step * data.frame_rate / 30))
    return [convert(trial[::every], data.skeleton, "common15") for trial in data.X]


def load(settings):
    """Read KIMORE: trials for the estimators, and what is known of each."""
    data = load_kimore(settings.root, exercises=settings.exercises)
    trials = common_poses(data, settings.step)
    if settings.videos:
        keep, videos = [], []
        for i, file in enumerate(data.path):
            found = sorted(Path(file).parents[1].glob(settings.videos))
            if len(found) == 1:
                keep.append(i)
                videos.append(found[0])
        if not keep:
            raise SystemExit(f"--videos {settings.videos!r} names the one video of no trial.")
        if len(keep) < len(trials):
            print(f"{len(trials) - len(keep)} trials are left out: not one video each.")
        features = AppearanceFeatures(
            settings.network,
            network_params=settings.network_params,
            weights=settings.weights,
            weights_sha256=settings.sha256,
            memory=settings.cache,
            device=settings.device,
            random_state=settings.seed,
        ).fit_transform(videos)
        trials = [{"pose": trials[i], "appearance": one} for i, one in zip(keep, features)]
        for name in ("scores", "exercise", "subject", "population"):
            data[name] = data[name][keep]
    data.X = trials
    return data


def source_sets(settings):
    """Read the data sets to pretrain on, in the paper's order."""
    readers = {"uwa3d": load_uwa3d, "utkinect": load_utkinect, "uiprmd": load_uiprmd_npz}
    sets = {}
    for name, reader in readers.items():
        if getattr(settings, name):
            sets[name] = common_poses(reader(getattr(settings, name)), settings.step)
    return sets


# --- methods --------------------------------------------------------------------------------------
def encoder(objective, sets, settings):
    """Pretrain an encoder; without data sets of its own it learns from each fold's poses."""
    pretrainer = PoseSequencePretrainer(
        settings.hidden_size,
        objective=objective,
        skeleton="common15",
        max_epochs=settings.pretrain_epochs,
        device=settings.device,
        random_state=settings.seed,
    )
    for trials in sets.values():
        pretrainer.partial_fit(trials)
    return pretrainer


def estimator(method, sets, encoders, settings):
    """Build the estimator of a row; encoders are pretrained once for an objective."""
    if method == DURATION:
        return make_pipeline(FunctionTransformer(durations), StandardScaler(), Ridge())
    setting = METHODS[method]
    params = {"streams": "both" if settings.videos else "pose", **setting["regressor"]}
    if params.get("encoder") == "scratch":
        params["encoder_params"] = {"hidden_size": settings.hidden_size, "skeleton": "common15"}
    elif setting["objective"] not in encoders:
        encoders[setting["objective"]] = encoder(setting["objective"], sets, settings)
    return QualityRegressor(
        **({"encoder": encoders.get(setting["objective"])} | params),
        max_epochs=settings.epochs,
        lr=3e-4,  # as released, and nothing beside the network
        summary=None,
        device=settings.device,
        random_state=settings.seed,
    )


def durations(X):
    """Frames of each trial, the floor that every method must beat."""
    return np.array([[len(item["pose"] if isinstance(item, dict) else item)] for item in X])


# --- tables ---------------------------------------------------------------------------------------
def row(method, result, settings):
    """One method's results, and what the paper prints for it."""
    cells = {"method": method}
    splits, left_out = (result.splits, result.left_out) if result else ({}, {})
    exercises = [f"Ex {exercise}" for exercise in sorted(set(settings.exercises))]
    for k, column in enumerate([*exercises, "mean"]):
        cells[column] = _hundredths(splits.get("spearman"), k)
    cells["mean, people left out"] = _hundredths(left_out.get("spearman"), len(exercises))
    for name in ("mad", "rmse"):
        values = splits.get(name)
        cells[name.upper()] = "-" if values is None else f"{values.mean():.2f}"
    printed = PUBLISHED.get(method)
    if printed is None:
        return {**cells, "published Ex 1-5": "-", "published mean": "-"}
    five = " ".join(f"{value:.2f}" for value in printed)
    return {**cells, "published Ex 1-5": five, "published mean": f"{np.mean(printed):.2f}"}


def _hundredths(values, k):
    """Mean and standard deviation over splits of exercise `k`, or of the mean after the last."""
    if values is None:
        return "-"
    values = values[:, None] if values.ndim == 1 else values  # (exercises, splits)
    values = 100 * np.vstack([values, values.mean(axis=0)])[k]
    return f"{values.mean():.1f}" + (f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else "")


def comparisons(results, data):
    """Each method against the one without pretraining, by drawing people."""
    base = results.get(REFERENCE)
    lines = []
    for method, result in results.items():
        if base is None or method == REFERENCE or result.predictions is None:
            continue
        found = paired_bootstrap(
            data.scores, result.predictions, base.predictions, data.subject, exercise=data.exercise
        )
        lines.append(
            "- {}: {:+.1f} ({:+.1f} to {:+.1f}), {} people".format(
                method, *(100 * found[key] for key in ("difference", "low", "high")), found["n"]
            )
        )
    if lines:
        lines.insert(0, f"Spearman x 100 less that of '{REFERENCE}', people left out, 95 %:\n")
    return "\n".join(lines)


def main(arguments=None):
    """Run the methods and print the table."""
    settings = parse(arguments)
    data = load(settings)
    sets = source_sets(settings)
    people = ", ".join(
        f"{len(np.unique(data.subject[data.population == name]))} {name}"
        for name in np.unique(data.population)
    )
    notes = f"{len(data.X)} trials of {len(np.unique(data.subject))} people: {people}.\n"
    pretrained_on = {name: len(trials) for name, trials in sets.items()}
    notes += f"Pretrained on (trials): {pretrained_on or 'the poses of each fold'}.\n"
    print(notes)
    encoders, results = {}, {}
    for method in settings.methods:
        start = time.perf_counter()
        results[method] = evaluate_by_exercise(
            estimator(method, sets, encoders, settings),
            data.X,
            data.scores,
            data.exercise,
            data.subject,
            n_splits=settings.splits,
            leave_one_out=not settings.no_left_out,
            random_state=settings.seed,
            n_jobs=settings.jobs,
        )
        cells = row(method, results[method], settings)
        mean = cells["mean"], cells["mean, people left out"]
        print(f"{method}: {' and '.join(mean)}, {time.perf_counter() - start:.0f} s", flush=True)
    rows = [row(method, result, settings) for method, result in results.items()]
    rows += [row(method, None, settings) for method in PUBLISHED if method not in results]
    notes += "\n" + comparisons(results, data)
    if settings.write:
        packages = ("torch", "scikit-learn", "skorch", "numpy")
        write_report("kimore", rows, __doc__, packages=packages, notes=notes)
    else:
        print(markdown_table(rows), "\n\n" + notes.partition("\n\n")[2])


if __name__ == "__main__":
    main()
