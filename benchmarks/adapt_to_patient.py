"""What a few trials of the patient buy: gain over k, by patient.

Two data sets: UIPRMD-Weak without reuse (ten people held out in turn, 50 trials each: ten movements
x five) and synthetic patients (``make_rehab_trials(18, 3)``, held out three at a time, 21 trials
each: seven exercises and sides x three). The model is the recommended one, causal, with one teacher
in place of two, trained on trial labels of the other people; references of every k use the model
that was trained beside one trial. Of the held-out person some trials are *given*: their poses, and
for some rows their trial labels; never a frame label. All scores are of that person's *other*
trials, and so is what they are compared with: the plain model, which is given nothing, on the same
trials. Which trials are given is rotated (rows by exercise) or drawn ten times (k in all), and
averaged.

    python benchmarks/adapt_to_patient.py [--data uiprmd,synthetic] [--units 0,1,...] [--jobs 1]

Every finished unit (a person, or three) is kept in a .jsonl file beside the table, so that a run
broken off goes on where it was; ``--table`` only writes the table of what is there.
"""

import argparse
import sys
import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from _report import RESULTS, add_rows, markdown_table, read_rows, write_report
from joblib import Parallel, delayed
from scipy.stats import bootstrap, wilcoxon
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch, check_random_state
from uiprmd_weak import DATA, load

from skrehab import PatientReference
from skrehab.adaptation import adapt_to_patient
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import frame_roc_auc, positive_scores
from skrehab.recipes import recommended
from skrehab.trials import ragged

N_DRAWS = 10
K_LABELS = (1, 2, 5)
LEARN = {
    "bias": {"learn": "bias"},
    "head": {"learn": "head", "anchor": 1.0},
    "head, anchor 10": {"learn": "head", "anchor": 10.0},
}
PLAIN = "plain"
# name of a model -> its reference
MODELS = {
    PLAIN: None,
    "beside 1": PatientReference(1),
    "beside 1 normal": PatientReference(1, which="normal"),
}


# --- data -----------------------------------------------------------------------------------------
@cache
def uiprmd(path):
    raw = load(path, 0, False)
    return Bunch(
        X=[np.asarray(x, dtype=np.float32) for x in raw.bones], y=raw.y, groups=raw.groups,
        exercise=raw.movement, truth=ragged(raw.frame_labels), skeleton="uiprmd22", frame_rate=5.0,
        from_bones=True, epochs=18, folds=[[person] for person in np.unique(raw.groups).tolist()],
    )  # fmt: skip


@cache
def synthetic(path=None):
    raw = make_rehab_trials(18, 3, random_state=0)
    kind = np.array([f"{e} {s}" for e, s in zip(raw.exercise, raw.side)])
    folds = [
        np.unique(raw.groups[test]).tolist()
        for _, test in GroupKFold(6).split(raw.X, raw.y, raw.groups)
    ]
    return Bunch(
        X=raw.X, y=raw.y, groups=raw.groups, exercise=kind, truth=raw.frame_labels,
        skeleton="mediapipe33", frame_rate=raw.frame_rate, from_bones=False, epochs="auto",
        folds=folds,
    )  # fmt: skip


SETS = {"uiprmd": uiprmd, "synthetic": synthetic}


# --- models ---------------------------------------------------------------------------------------
def fit(data, train, reference, seed):
    pipe = recommended(
        data.skeleton, frame_rate=data.frame_rate, max_epochs=data.epochs, reference=reference,
        n_teachers=1, random_state=seed,
    )  # fmt: skip
    if data.from_bones:  # they were taken at 30 Hz, before trials were thinned to 5
        pipe.steps[0] = ("bones", "passthrough")
    who = {"groups": data.groups[train], "exercise": data.exercise[train]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return pipe.fit([data.X[i] for i in train], data.y[train], **who)


class Person:
    """The trials of one held-out person, and what models say of them."""

    def __init__(self, data, person, plain):
        index = np.flatnonzero(data.groups == person)
        self.X = [data.X[i] for i in index]
        self.y, self.exercise = data.y[index], data.exercise[index]
        self.truth = data.truth[index]
        self.plain = positive_scores(plain.predict_proba(self.X))

    def scores(self, proba, which):
        truth = [self.truth[i] for i in which]
        said = [proba[i] for i in which]
        flat = np.concatenate(truth), np.concatenate(said)
        return {
            "AUC": frame_roc_auc(truth, said),
            "accuracy": balanced_accuracy_score(flat[0], flat[1] > 0.5),
        }

    def gain(self, model, given, labelled, **how):
        """Scores of the trials that were not given, by the adapted model and by the plain one."""
        rest = np.setdiff1d(np.arange(len(self.X)), given)
        if given is None or not len(given):
            own = model
        else:
            own = adapt_to_patient(
                model, [self.X[i] for i in given], self.y[given] if labelled else None,
                exercise=self.exercise[given] if "reference" in model.named_steps else None, **how,
            )  # fmt: skip
        who = {"exercise": self.exercise[rest]} if "reference" in own.named_steps else {}
        proba = dict(
            zip(rest, positive_scores(own.predict_proba([self.X[i] for i in rest], **who)))
        )
        return self.scores(proba, rest), self.scores(self.plain, rest)

    def of_each_exercise(self, k, normal=False):
        """Rotations of k given trials an exercise, whose trials stand in a drawn order."""
        rng = check_random_state(0)
        by = [rng.permutation(np.flatnonzero(self.exercise == e)) for e in np.unique(self.exercise)]
        if normal:
            by = [own[self.y[own] == 0] for own in by]
        n = max(map(len, by))
        for start in range(n):
            chosen = [np.roll(own, -start)[:k] for own in by if len(own)]
            yield np.sort(np.concatenate(chosen))  # where there are fewer, all of them

    def drawn(self, k, seed=0):
        rng = check_random_state(seed)
        return [np.sort(rng.permutation(len(self.X))[:k]) for _ in range(N_DRAWS)]


def rows(person, models):
    """Every row of one person: name -> pairs of scores, adapted and plain."""
    plain, most = models[PLAIN], min(np.unique(person.exercise, return_counts=True)[1])

    def one(name, model, draws, labelled=False, **how):
        pairs = [person.gain(models[model], given, labelled, **how) for given in draws]
        return name, {
            key: [float(np.nanmean([pair[side][key] for pair in pairs])) for side in (0, 1)]
            for key in ("AUC", "accuracy")
        }

    nothing = [np.array([], dtype=int)]
    yield one("nothing given | model with a reference, mean of others", "beside 1", nothing)
    for k in (1, 2, 3, 4):
        if k < most:
            draws = list(person.of_each_exercise(k))
            yield one(f"{k} of each exercise, unlabelled | reference", "beside 1", draws)
    draws = list(person.of_each_exercise(1, normal=True))
    yield one("1 of each exercise, known to be normal | reference", "beside 1 normal", draws)
    draws = list(person.of_each_exercise(1))
    for shown, how in LEARN.items():
        name = f"1 of each exercise, labelled | reference and {shown}"
        yield one(name, "beside 1", draws, True, **how)
    for k in K_LABELS:
        for shown, how in LEARN.items():
            name = f"{k} in all, labelled | {shown}"
            yield one(name, PLAIN, person.drawn(k), True, **how)
    assert "reference" not in plain.named_steps


def run_unit(name, path, unit, seed):
    data = SETS[name](path)
    started = time.process_time()
    people = data.folds[unit]
    train = np.flatnonzero(~np.isin(data.groups, people))
    models = {key: fit(data, train, reference, seed) for key, reference in MODELS.items()}
    found = {str(p): dict(rows(Person(data, p, models[PLAIN]), models)) for p in people}
    spent = round(time.process_time() - started, 1)
    return {"data": name, "unit": unit, "seed": seed, "people": found, "cpu s": spent}


# --- report ---------------------------------------------------------------------------------------
def table(done, name):
    """One line a row: scores of the plain model and of the adapted one, and the gain by patient."""
    people = {p: r for one in done if one["data"] == name for p, r in one["people"].items()}
    out = []
    for row in next(iter(people.values()), {}):
        line = dict(zip(("given", "adapted"), row.split(" | ")))
        for key, shown in (("AUC", "frame AUC"), ("accuracy", "balanced accuracy at 0.5")):
            both = np.array([r[row][key] for r in people.values() if row in r])
            own, plain = both[np.isfinite(both).all(axis=1)].T  # others' rest has one class
            gain = own - plain
            line[shown] = f"{plain.mean():.3f} to {own.mean():.3f}"
            line[f"gain, {key}"] = f"{gain.mean():+.3f} ± {gain.std(ddof=1):.3f}"
            line[f"95 %, {key}"] = _interval(gain)
            if key == "AUC":
                line["better in"] = f"{(gain > 0).sum()} of {len(gain)}"
                line["p"] = f"{wilcoxon(gain).pvalue:.2g}" if np.ptp(gain) else "-"
        out.append(line)
    return out


def _interval(values):
    if len(values) < 4 or np.ptp(values) == 0:
        return "-"
    ends = bootstrap((values,), np.mean, method="BCa", random_state=0).confidence_interval
    return f"{ends.low:+.3f} to {ends.high:+.3f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--path", default=str(DATA), help="uiprmd_kinect.npz")
    parser.add_argument("--data", default="uiprmd,synthetic")
    parser.add_argument("--units", default=None, help="which folds; all if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--folder", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    kept = given.folder / "adapt_to_patient.jsonl"
    done = read_rows(kept)
    have = {(d["data"], d["unit"], d["seed"]) for d in done}
    todo = []
    for name in [] if given.table else given.data.split(","):
        units = range({"uiprmd": 10, "synthetic": 6}[name])
        units = units if given.units is None else map(int, given.units.split(","))
        todo += [(name, given.path, u, given.seed) for u in units]
    todo = [key for key in todo if (key[0], key[2], key[3]) not in have]
    run = Parallel(n_jobs=given.jobs, return_as="generator_unordered")
    for one in run(delayed(run_unit)(*key) for key in todo):
        done.append(one)
        add_rows(kept, one)
        print(one["data"], one["unit"], f"{one['cpu s']} s", flush=True)
        for person, found in one["people"].items():
            print(
                person, {r: [round(v, 3) for v in s["AUC"]] for r, s in found.items()}, flush=True
            )
    sys.argv = [word for word in sys.argv if word != "--table"]
    shown = {name: table(done, name) for name in SETS}
    notes = "\n\n".join(
        f"{title}\n\n{markdown_table(shown[name])}"
        for name, title in (("synthetic", "Synthetic patients:"),)
        if shown[name]
    )
    write_report(
        "adapt_to_patient", shown["uiprmd"], __doc__, notes=notes, folder=given.folder,
        packages=("torch", "scikit-learn", "skorch", "numpy"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
