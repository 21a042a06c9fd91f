"""MuscleMap: activated muscle groups from RGB and skeleton, on known and on new activities.

Tables 2 to 6 of Peng et al., ACM MM 2024: mean average precision (%) on the test clips of known
activities, of new ones, which no training clip shows, and the mean of both. Without --root the
clips are synthetic (make_exercise_clips; known activities are tested on other people) and the
networks are small settings, from random weights, so that two cores can train them: these are
figures of the code, not of people. Persons who show new activities may have shown known ones in
training. One modality alone is trained as many epochs as both stages of TransM3E take. TransM3E and
its variants are trained with AdamW, weight decay 0.05 and colour jitter, the other networks with
Adam and neither. With --root a copy in the layout of load_musclemap is used, decoded on demand;
--size s takes the paper's sizes, epochs and learning rate.

    python benchmarks/musclemap.py [--jobs 2] [--seeds 1] [--only NAME ...] [--list] [--quick]
                                   [--root DIR] [--size small|s] [--device cuda]
                                   [--weights NETWORK=FILE ...]

Finished runs are kept in a .jsonl file beside the table; a run broken off goes on where it was, and
what was found under other settings of this file is found anew.
"""

import argparse
import hashlib
import time

import _report
import numpy as np
from joblib import Parallel, delayed

from skrehab import MultiLabelFusion, MultiLabelVideoClassifier, MuscleGroupClassifier
from skrehab.datasets import load_musclemap, make_exercise_clips
from skrehab.evaluation import KnownNewSplit, known_new_scores, known_new_split
from skrehab.metrics import per_label_average_precision
from skrehab.training.clips import frame_positions
from skrehab.training.modalities import MODALITIES, normalize_pose

# --- settings -------------------------------------------------------------------------------------
# synthetic clips: many, and few epochs, for each shows another room, which is to be overlooked;
# with 30 persons and 13 epochs, transformers over pixels learned hardly anything
N_PERSONS, CLIPS_EACH, KEPT_FRAMES, DRAWN = 90, 2, 4, 55
FEW = ("squats", "lunges", "biceps curls", "band pushdowns", "lunge curls", "squat presses")
STAGES = {"small": (5, 3), "s": (80, 80), "quick": (1, 1)}  # epochs
RATES = {"small": 2e-3, "s": 1e-4, "quick": 2e-3}  # learning rates
CLIP = {"n_frames": 4, "image_size": 48}
GRAPH = {"widths": (16, 32), "n_units": (1, 1), "n_frames": 32}
RESNET = {"width": 16, "depths": (1, 1, 1, 1)} | CLIP
MVIT = {"widths": (16, 32, 64), "depths": (1, 1, 1)} | CLIP
LIGHT = {"dropout": 0.1, "drop_path": 0.0}  # small networks learn too little rather than too much
SPLIT = {"val": 0, "test": 0.2, "random_state": 0}
SHORTEST = {"small": 4, "s": 16, "quick": 4}  # frames: a real clip with fewer is left out
# network of the registry -> small parameters, full ones
NETWORKS = {
    "stgcn": (GRAPH, {"strategy": "uniform"}),
    "ctrgcn": (GRAPH, {}),
    "hdgcn": (GRAPH | {"n_levels": 1}, {"n_levels": 1}),
    "c2d": (RESNET, {}),
    "i3d": (RESNET, {}),
    "slow": (RESNET, {}),
    "slowfast": (RESNET | {"alpha": 2, "beta": 4}, {}),
    "mvit": (MVIT | LIGHT, {}),
    "mvit_b": (None, {"n_tokens": 1, "depths": (2, 3, 16, 3), "n_frames": 32}),
    "video_swin": (
        {"width": 16, "depths": (2, 2), "n_heads": (2, 4), "window": (2, 6, 6)} | CLIP | LIGHT,
        {"size": "s"},
    ),
    "video_swin_b": (None, {"size": "b"}),
    "videomae": ({"width": 48, "n_layers": 3, "n_heads": 3, "patch_size": 8} | CLIP, {}),
    "hiera": ({"width": 16, "depths": (1, 1, 1, 1)} | CLIP | {"image_size": 64}, {}),
}
REGISTERED = {"mvit_b": "mvit_mct", "video_swin_b": "video_swin"}
POSE = ("stgcn", "ctrgcn", "hdgcn")
LATE = ("sum", "concat", "mul")
# our classifier: run -> modality, what differs from the default
OURS = {
    "rgb alone": ("rgb", {}),
    "pose alone": ("pose", {}),
    "TransM3E": ("both", {}),
    "one token": ("both", {"n_tokens": 1}),
    "no distillation": ("both", {"distillation": None}),
    "final, KD": ("both", {"distillation": "final", "n_distill_tokens": 1}),
    "every, KD": ("both", {"distillation": "every", "n_distill_tokens": 1}),
    "sparse, KD": ("both", {"distillation": "sparse", "n_distill_tokens": 1}),
    "final, MCTKD": ("both", {"distillation": "final"}),
    "every, MCTKD": ("both", {"distillation": "every"}),
    # divergences added up over the 20 tokens ("batchmean"), not their mean
    "sum over tokens": ("both", {"distillation_weight": 20.0}),
    "sum": ("both", {"fusion": "sum"}),
    "multiplication": ("both", {"fusion": "multiplication"}),
    "self_attention": ("both", {"fusion": "self_attention"}),
    "cross_attention": ("both", {"fusion": "cross_attention"}),
}
# table -> row, its run, published known, new and mean test
TABLES = {
    "Table 2: models": [
        ("Random", "random", (28.9, 29.5, 29.2)),
        ("All ones", "all ones", (27.8, 28.6, 28.2)),
        ("ST-GCN", "stgcn", (90.5, 63.3, 76.9)),
        ("CTR-GCN", "ctrgcn", (93.6, 61.7, 77.7)),
        ("HD-GCN", "hdgcn", (93.4, 63.1, 78.3)),
        ("C2D", "c2d", (97.4, 58.5, 78.0)),
        ("I3D", "i3d", (97.0, 58.4, 77.7)),
        ("Slow", "slow", (96.9, 60.5, 78.7)),
        ("SlowFast", "slowfast", (94.4, 59.6, 77.0)),
        ("MViTv2-S", "mvit", (97.9, 61.4, 79.7)),
        ("MViTv2-B", "mvit_b", (97.7, 61.0, 79.4)),
        ("VideoSwin-S", "video_swin", (92.4, 58.8, 75.6)),
        ("VideoSwin-B", "video_swin_b", (91.9, 58.3, 75.1)),
        ("VideoMAEv2-B", "videomae", (97.5, 61.7, 79.6)),
        ("Hiera-B", "hiera", (97.0, 60.7, 78.9)),
        ("TransM3E, RGB alone", "rgb alone", None),
        ("TransM3E, skeleton alone", "pose alone", None),
        ("TransM3E", "TransM3E", (97.8, 64.2, 81.0)),
        ("TransM3E, no RGB in the test", "TransM3E without rgb", None),
        ("TransM3E, no skeleton in the test", "TransM3E without pose", None),
    ],
    "Table 3: parts": [
        ("without MCT (one token)", "one token", (95.9, 62.0, 79.0)),
        ("without MCTKD", "no distillation", (95.9, 62.0, 79.0)),
        ("without MCTF (sum)", "sum", (95.6, 62.1, 78.9)),
        ("all", "TransM3E", (97.8, 64.2, 81.0)),
    ],
    "Table 4: distillation": [
        ("FL-KD", "final, KD", (96.4, 63.4, 79.9)),
        ("DE-KD", "every, KD", (96.6, 63.9, 80.3)),
        ("SP-KD", "sparse, KD", (96.7, 63.1, 79.9)),
        ("FL-MCTKD", "final, MCTKD", (95.5, 62.8, 79.2)),
        ("DE-MCTKD", "every, MCTKD", (95.2, 63.4, 79.3)),
        ("SP-MCTKD", "TransM3E", (97.8, 64.2, 81.0)),
        ("SP-MCTKD, sum over tokens", "sum over tokens", None),
    ],
    "Table 5: fusion of tokens": [
        ("Sum", "sum", (95.6, 62.1, 78.9)),
        ("Multiplication", "multiplication", (94.7, 62.8, 78.8)),
        ("SelfAttention", "self_attention", (97.6, 62.8, 80.2)),
        ("CrossAttention", "cross_attention", (95.1, 63.5, 79.3)),
        ("MCTF", "TransM3E", (97.8, 64.2, 81.0)),
    ],
    "Table 6: late fusion (MViTv2-S and HD-GCN, trained apart)": [
        ("LateFusionSum", "late sum", (80.1, 60.0, 70.1)),
        ("LateFusionConcat", "late concat", (83.3, 61.2, 72.3)),
        ("LateFusionMul", "late mul", (82.0, 60.9, 71.5)),
        ("TransM3E", "TransM3E", (97.8, 64.2, 81.0)),
    ],
}


# --- data -----------------------------------------------------------------------------------------
def load(options):
    """Read the clips, or draw them; and divide them."""
    if options.root:
        # every video is opened now: a bad one must not be found after the training
        data = load_musclemap(options.root, min_frames=SHORTEST[options.size], strict=False)
        rgb = [trial["rgb"] for trial in data.X]
        split = data.split
        split = known_new_split(data.activity, random_state=0) if split is None else (
            KnownNewSplit(split)
        )  # fmt: skip
    else:
        persons, each, activities = N_PERSONS, CLIPS_EACH, None
        if options.size == "quick":
            persons, each, activities = 3, 1, FEW
        data = make_exercise_clips(
            persons, each, activities=activities, image_size=DRAWN, random_state=0
        )
        positions = frame_positions(len(data.X[0]["rgb"]), KEPT_FRAMES)
        # one array, which processes share; all that networks look at of a clip
        rgb = np.stack([trial["rgb"][positions] for trial in data.X])
        split = known_new_split(data.activity, data.new_activities, groups=data.person, **SPLIT)
    pose = [normalize_pose(trial["pose"], 2) for trial in data.X]
    return data, rgb, pose, split


# --- models ---------------------------------------------------------------------------------------
def classifier(network, seed, options):
    """Build a baseline."""
    small, full = NETWORKS[network]
    paper = options.size == "s"
    weights = dict(options.weights).get(network)
    return MultiLabelVideoClassifier(
        REGISTERED.get(network, network),
        network_params=full if paper else small,
        max_epochs=sum(STAGES[options.size]),
        lr=RATES[options.size],
        batch_size=16,
        weights=weights,
        head="new" if weights else "keep",
        device=options.device,
        random_state=seed,
    )


def ours(run, seed, options):
    """Build TransM3E or one of its variants."""
    modality, changed = OURS[run]
    paper = options.size == "s"
    params = {} if paper else MVIT | LIGHT
    first, second = STAGES[options.size]
    return MuscleGroupClassifier(
        modality,
        size="s" if paper else "tiny",
        network_params=params | changed,
        stage1_epochs=first if modality == "both" else first + second,
        stage2_epochs=second,
        lr=RATES[options.size],
        color_jitter=0.4 if paper else 0.2,
        weights=dict(options.weights).get("transm3e") if modality != "pose" else None,
        device=options.device,
        random_state=seed,
    )


def models(run, seed, options):
    """Build what a run trains: nothing, one classifier, or two whose answers are joined."""
    if run in ("all ones", "random"):
        return []
    run = run.split(" without")[0]
    if run.startswith("late"):
        return [classifier(name, seed, options) for name in ("mvit", "hdgcn")]
    return [(classifier if run in NETWORKS else ours)(run, seed, options)]


def scores_of(run, seed, data, options):
    """Train what a run needs; give probabilities on the test clips, by name of the result."""
    y, rgb, pose, train, test = data
    shape = (len(test), y.shape[1])
    if run == "all ones":
        return {run: np.ones(shape)}, 0
    if run == "random":
        return {run: np.random.RandomState(seed).random_sample(shape)}, 0
    if run in NETWORKS:
        X = pose if run in POSE else rgb
    else:
        X = [{"rgb": clip, "pose": trial} for clip, trial in zip(rgb, pose)]
    built = models(run, seed, options)
    model = MultiLabelFusion(*built, how="concat") if run == "late" else built[0]
    model.fit([X[i] for i in train], y[train])
    asked = [X[i] for i in test]
    if run == "late":  # the branches are the same in all three
        scores = {f"late {how}": model.set_params(how=how).predict_proba(asked) for how in LATE}
        return scores, sum(count(one) for one in (model.rgb_, model.pose_))
    scores = {run: model.predict_proba(asked)}
    if run == "TransM3E":  # what it says where a modality is missing
        for lost in MODALITIES:
            there = [{m: trial[m] for m in MODALITIES if m != lost} for trial in asked]
            scores[f"{run} without {lost}"] = model.predict_proba(there)
    return scores, count(model)


def settings_of(run, options):
    """Sum up what a result depends on: one found under other settings is not taken for it."""
    data = (N_PERSONS, CLIPS_EACH, KEPT_FRAMES, DRAWN, SPLIT)
    if options.root:
        data = (options.root, SHORTEST[options.size])
    params = [model.get_params(deep=False) | {"device": None} for model in models(run, 0, options)]
    parts = [sorted(one.items()) for one in params]
    return hashlib.sha256(repr((options.size, data, parts)).encode()).hexdigest()[:12]


def count(model):
    """Count the parameters of a fitted model."""
    return sum(parameter.numel() for parameter in model.module_.parameters())


def evaluate(run, seed, y, rgb, pose, split, activity, new_activities, options):
    """Train, test, and write down what came out."""
    start, clock = time.process_time(), time.perf_counter()
    test = np.concatenate([split.known, split.new])
    scores, n_parameters = scores_of(run, seed, (y, rgb, pose, split.train, test), options)
    results = []
    for name, score in scores.items():
        found = known_new_scores(y[test], score, activity[test], new_activities)
        rows = {"known": slice(len(split.known)), "new": slice(len(split.known), None)}
        results.append(
            {
                "run": name,
                "seed": seed,
                "settings": settings_of(name, options),
                "known": round(100 * found.known, 3),
                "new": round(100 * found.new, 3),
                "by muscle": {
                    part: percent(per_label_average_precision(y[test][of], score[of]))
                    for part, of in rows.items()
                },
                "parameters": n_parameters,
                "cpu_s": round(time.process_time() - start, 1),
                "wall_s": round(time.perf_counter() - clock, 1),
            }
        )
    return results


def percent(values):
    """Round for the .jsonl file, which knows no NaN: a muscle group that no clip has."""
    return [None if np.isnan(value) else round(100 * value, 3) for value in values]


# --- table ----------------------------------------------------------------------------------------
def rows_of(table, done):
    """Lay out the finished rows of one table."""
    rows = []
    for label, run, published in table:
        found = [one for one in done if one["run"] == run]
        if not found:
            continue
        known, new = (np.array([one[key] for one in found]) for key in ("known", "new"))
        known_p, new_p, mean_p = published or ("", "", "")
        rows.append(
            {
                "model": label,
                "parameters": f"{found[0]['parameters'] / 1e6:.2f} M",
                "known": spread(known),
                "new": spread(new),
                "mean": f"**{spread((known + new) / 2)}**",
                "CPU s": f"{np.mean([one['cpu_s'] for one in found]):.0f}",
                "published, real: known": known_p,
                "new, real": new_p,
                "mean, real": mean_p,
            }
        )
    return rows


def muscle_rows(run, muscles, done):
    """Lay out one model's average precision of each muscle group."""
    found = [one for one in done if one["run"] == run and "by muscle" in one]
    if not found:
        return []
    mean = {
        part: np.mean([np.array(one["by muscle"][part], dtype=float) for one in found], axis=0)
        for part in ("known", "new")
    }
    return [
        {"muscle group": name}
        | {part: "" if np.isnan(v[k]) else f"{v[k]:.1f}" for part, v in mean.items()}
        for k, name in enumerate(muscles)
    ]


def spread(values):
    """Mean, and standard deviation over seeds where there are several."""
    text = f"{values.mean():.1f}"
    return f"{text} ± {values.std(ddof=1):.1f}" if len(values) > 1 else text


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root")
    parser.add_argument("--size", choices=("small", "s"), default="small")
    parser.add_argument("--quick", action="store_true", help="one epoch of each: does it run")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names of the runs")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--weights",
        nargs="+",
        default=[],
        metavar="NETWORK=FILE",
        type=lambda text: tuple(text.split("=", 1)),
        help="published weights to start from; transm3e takes torchvision's mvit_v2_s",
    )
    options = parser.parse_args(argv)
    options.size = "quick" if options.quick else options.size
    return options


def main(argv=None):
    options = parse(argv)
    runs = ["all ones", "random", *NETWORKS, *OURS, "late"]
    if options.size != "s":
        runs = [run for run in runs if run not in NETWORKS or NETWORKS[run][0] is not None]
    if options.list:
        print("\n".join(runs))
        return
    wrong = set(options.only or ()) - set(runs)
    if wrong:
        raise SystemExit(f"There is no run {sorted(wrong)}; --list prints them.")
    name = "musclemap" + ("_real" if options.root else "") + {"small": ""}.get(
        options.size, f"_{options.size}"
    )  # fmt: skip
    _report.RESULTS.mkdir(exist_ok=True)
    store = _report.RESULTS / f"{name}_runs.jsonl"
    done = _report.read_rows(store)
    done = [one for one in done if one["settings"] == settings_of(one["run"], options)]
    known = {(one["run"], one["seed"]) for one in done}
    todo = [
        (run, seed)
        for seed in range(options.seeds)
        for run in options.only or runs
        if ("late sum" if run == "late" else run, seed) not in known
    ]
    data, rgb, pose, split = load(options)
    parts = (data.y, rgb, pose, split, data.activity, data.new_activities, options)
    results = Parallel(n_jobs=options.jobs, return_as="generator_unordered")(
        delayed(evaluate)(run, seed, *parts) for run, seed in todo
    )
    for one in results:
        _report.add_rows(store, *one)
        done += one
        for row in one:
            print(f"{row['run']}, seed {row['seed']}: known {row['known']:.1f}, new "
                  f"{row['new']:.1f}, {row['cpu_s']:.0f} s CPU", flush=True)  # fmt: skip
    report(name, done, data, split)


def report(name, done, data, split):
    """Write the tables: the first as the page's, the others below it."""
    first, *others = TABLES
    people = f" of {len(set(data.person))} people" if "person" in data else ""
    notes = (
        f"{len(data.y)} clips{people}: {len(split.train)} to train on, {len(split.known)} of known "
        f"activities and {len(split.new)} of {len(data.new_activities)} new ones to test on.\n"
    )
    for title in others:
        rows = rows_of(TABLES[title], done)
        if rows:
            notes += f"\n## {title}\n\n{_report.markdown_table(rows)}\n"
    rows = muscle_rows("TransM3E", data.muscles, done)
    if rows:
        notes += f"\n## TransM3E by muscle group\n\n{_report.markdown_table(rows)}\n"
    _report.write_report(
        name,
        rows_of(TABLES[first], done),
        __doc__.split("\n\n    ")[0],
        packages=("torch", "torchvision", "scikit-learn", "skorch"),
        notes=notes,
    )


if __name__ == "__main__":
    main()
