"""What a study is made on, read from a Bunch or from arrays and checked before the work."""

from dataclasses import dataclass, replace

import numpy as np

from skrehab._given import filled
from skrehab.evaluation._model_labels import learners_of
from skrehab.metrics.motion import motion_of, normal_number, not_labelled
from skrehab.metrics.told_normal import told_normal, told_normals
from skrehab.trials import UNLABELLED, check_frame_labels, check_groups, check_trial_labels, ragged

_BY_TRIAL = ("groups", "exercise", "side", "trial", "duration")


@dataclass(frozen=True)
class StudyData:
    """Trials with all that is known of them; arrays of one entry a trial, or None."""

    X: list
    y: np.ndarray
    groups: np.ndarray
    frame_labels: np.ndarray | None = None
    exercise: np.ndarray | None = None
    side: np.ndarray | None = None
    trial: np.ndarray | None = None
    duration: np.ndarray | None = None  # seconds, or frames where no rate is known
    frame_rate: float | None = None
    skeleton: str | None = None
    normal_label: object = None
    pos_label: object = None

    @property
    def labelled(self):
        """Whether each trial has a label; -1 beside two others is none."""
        return ~not_labelled(self.y)

    @property
    def motion(self):
        """Whether each trial is labelled with the motion looked for."""
        if self.pos_label is not None:
            return motion_of(self.y, self.pos_label)
        return self.y != self.normal

    @property
    def normal(self):
        """The label of trials without the motion."""
        if self.normal_label is not None:
            return self.normal_label
        return normal_number(self.y[self.labelled])

    @property
    def classes(self):
        """All labels of trials, sorted."""
        return np.unique(self.y)

    @property
    def truth(self):
        """Frame truth as 1 (the motion), 0 and -1 (not labelled), trial by trial; or None."""
        if self.frame_labels is None:
            return None
        out = []
        for labels in self.frame_labels:
            unknown = np.array([is_unlabelled(one) for one in labels.tolist()], dtype=bool)
            hit = labels == self.pos_label if self.pos_label is not None else labels != self.normal
            out.append(np.where(unknown, UNLABELLED, hit.astype(int)))
        return ragged(out)

    def motion_scores(self, proba, classes):
        """Probability of the motion: of one label, or of any but the normal one."""
        proba, classes = np.asarray(proba), list(classes)
        if self.pos_label is not None:
            known = [i for i, one in enumerate(classes) if one == self.pos_label]
            return proba[..., known].sum(axis=-1)
        none = not_labelled(classes) if not self.labelled.all() else [False] * len(classes)
        known = [i for i, one in enumerate(classes) if one != self.normal and not none[i]]
        return proba[..., known].sum(axis=-1)

    def labelled_folds(self, folds):
        """Folds whose training has labelled trials only, for models to which -1 is a class."""
        labelled = self.labelled
        return [(train[labelled[train]], test) for train, test in folds]

    def who(self):
        """What ``fit`` may be told of each trial."""
        told = {"groups": self.groups, "exercise": self.exercise}
        return {name: value for name, value in told.items() if value is not None}


def is_unlabelled(value):
    """Whether a frame's label says that there is none."""
    return not isinstance(value, str) and value == UNLABELLED


def labels_in_words(data, names):
    """The same data with the names of labels 0, 1, ... in their place."""
    codes = range(len(names))
    if data.pos_label is not None or not set(data.y.tolist()) <= set(codes):
        raise ValueError(f"Labels must be numbers from 0 to {len(names) - 1} to be named {names}.")
    frames = data.frame_labels
    if frames is not None:
        frames = ragged(
            np.array([one if is_unlabelled(one) else names[one] for one in labels.tolist()], object)
            for labels in frames
        )
    y = np.array([names[code] for code in data.y.tolist()], dtype=object)
    return replace(data, y=y, frame_labels=frames, normal_label=names[0])


def study_data(
    data, y=None, groups=None, *, normal_label=None, pos_label=None, models=None, **more
):
    """Read trials and what is known of them; what is given by name goes before the Bunch.

    Where the study is told neither label, it takes the normal one that its models were told.
    """
    learners = learners_of(models)
    told_by_models = pos_label is None and normal_label is None
    if told_by_models:
        normal_label = told_normal(learners)
    own = {name: value for name, value in more.items() if value is not None}
    if hasattr(data, "keys") and "X" in data.keys():
        found = dict(data)
        found.setdefault("exercise", found.get("movement"))
        found.setdefault("groups", found.get("subject"))
        known = {
            name: found[name]
            for name in (*_BY_TRIAL, "frame_labels", "frame_rate", "skeleton", "timestamps")
            if found.get(name) is not None
        }
        X, own = found["X"], known | own
        y = found.get("y") if y is None else y
        groups = own.pop("groups", None) if groups is None else groups
        own.pop("groups", None)
    else:
        X = data
    X = list(X)
    if np.ndim(y) == 2 and np.shape(y)[1] > 1:
        raise ValueError(
            f"y has {np.shape(y)[1]} labels a trial: evaluate_labels_by_patient scores models of "
            "several labels, each by itself."
        )
    y = check_trial_labels(y, X)
    if groups is None:
        raise ValueError(f"groups must name one patient per trial: {len(X)} trials, got None.")
    groups = check_groups(groups, X)
    if pos_label is None and normal_label is None and y.dtype.kind not in "biuf":
        raise ValueError(
            f"Which of {np.unique(y).tolist()} is the motion looked for? Text labels have no "
            "order: pass normal_label=, that of trials without it, or pos_label=..."
        )
    for name, label in (("normal_label", normal_label), ("pos_label", pos_label)):
        if label is not None and label not in y.tolist():
            whose = ", ".join(told_normals(learners)) if told_by_models else ""
            raise ValueError(
                f"{name}={label!r}{whose and f' ({whose})'} is not among the labels "
                f"{np.unique(y).tolist()}."
            )
    timestamps = own.pop("timestamps", None)
    rate = own.get("frame_rate")
    if rate is not None and np.ndim(rate):
        own["frame_rate"] = float(np.median(rate))
    for name in ("exercise", "side", "trial"):
        if own.get(name) is not None:
            own[name] = np.asarray(own[name])
            if own[name].shape != (len(X),):
                raise ValueError(
                    f"{name} must hold one entry per trial: {len(X)} trials, got shape "
                    f"{own[name].shape}."
                )
    own["frame_labels"] = _frame_labels(own.get("frame_labels"), X)
    made = StudyData(X=X, y=y, groups=groups, normal_label=normal_label, pos_label=pos_label, **own)
    if made.frame_rate is None and timestamps is not None:
        made = replace(made, frame_rate=_rate(timestamps))
    return replace(made, duration=_durations(made, timestamps))


def refuse_one_label(data, folds):
    """Refuse, before the first fold, folds whose training trials all have one label."""
    for train, test in folds:
        labels = np.unique(data.y[train[data.labelled[train]]]).tolist()
        if len(labels) < 2:
            who = ", ".join(map(str, np.unique(data.groups[test]).tolist()[:5]))
            what = f"all have the label {labels[0]!r}" if labels else "none has a label"
            raise ValueError(
                f"With {who} held out, {len(train)} training trials are left and {what}: nothing "
                "can be learned from them. Every fold needs other patients with both labels: add "
                "some, or hold out others together with cv=."
            )


def nothing_seen(data):
    """Say which trials show no landmark in any frame: what a model says of them means nothing."""
    if not isinstance(data.X[0], np.ndarray):
        return []
    empty = [
        i for i, one in enumerate(data.X) if one.dtype.kind == "f" and np.isnan(one[..., :2]).all()
    ]
    if not empty:
        return []
    who = ", ".join(map(str, np.unique(data.groups[empty]).tolist()[:5]))
    places = ", ".join(map(str, empty[:10])) + (", ..." if len(empty) > 10 else "")
    return [
        f"{len(empty)} of {len(data.X)} trials show no landmark in any frame (trials {places}, of "
        f"{who}): they are scored all the same, by what a model says of nothing. Leave them out."
    ]


def _frame_labels(labels, X):
    """Frame truth as arrays, one a trial."""
    if labels is None:
        return None
    if len(labels) != len(X):
        raise ValueError(f"frame_labels must hold one array per trial: {len(X)}, {len(labels)}.")
    if isinstance(X[0], np.ndarray):
        return ragged(check_frame_labels(labels, X))
    return ragged(filled(one) for one in labels)


def _rate(timestamps):
    """Frames a second, the median over trials that tell."""
    times = [np.asarray(t, dtype=float) for t in timestamps if t is not None and len(t) > 1]
    rates = [(len(t) - 1) / (t[-1] - t[0]) for t in times if t[-1] > t[0]]
    return float(np.median(rates)) if rates else None


def _durations(data, timestamps):
    """Seconds of each trial, or its frames where no rate is known."""
    if data.duration is not None:
        duration = np.asarray(data.duration, dtype=float)
        if duration.shape != (len(data.X),) or not np.isfinite(duration).all():
            raise ValueError(
                f"duration must hold one number per trial: {len(data.X)} trials, got shape "
                f"{duration.shape}."
            )
        return duration
    if not isinstance(data.X[0], np.ndarray):
        if data.frame_labels is not None:
            return np.array([len(one) for one in data.frame_labels], dtype=float)
        from skrehab.pose import probe_video

        infos = [probe_video(path) for path in data.X]
        return np.array([getattr(info, "duration", None) or np.nan for info in infos], dtype=float)
    frames = np.array([len(one) for one in data.X], dtype=float)
    if timestamps is not None and all(t is not None and len(t) > 1 for t in timestamps):
        return np.array([t[-1] - t[0] for t in timestamps], dtype=float)
    return frames / data.frame_rate if data.frame_rate else frames
