"""One patient's model: a few of that patient's trials, and the model of all others, unchanged."""

import copy

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrehab.adaptation.calibration import CalibratedByPatient
from skrehab.adaptation.head import hidden_frames, last_layer, nearest_head, with_head
from skrehab.frames.classifier import FrameClassifier
from skrehab.metrics.told_normal import told_normal
from skrehab.preprocessing.earlier_trials import trials_before
from skrehab.preprocessing.patient_reference import PatientReference
from skrehab.trials import check_groups, check_trial_labels

__all__ = ["adapt_to_patient"]

ANCHORS = {"bias": 1.0, "head": 10.0}  # see benchmarks/results/adapt_to_patient.md


def adapt_to_patient(
    model, X, y=None, *, exercise=None, learn="bias", anchor=None, normal_label=None
):
    """Make one patient's model from a few of that patient's trials.

    Two things are taken from them. Their mean posture, without any label, becomes the reference of
    a :class:`skrehab.PatientReference` in the pipeline, if it has one. And their labels, one a
    trial, if there are any, move the last layer of the frame model, or only its bias, as little as
    they ask for; see :func:`nearest_head`. No frame label is used, and nothing of anybody else is
    needed any more.

    Nothing is forgotten: the model given stays as it is, to the bit, and the new one shares its
    layers. Adapt from the model of all patients each time, with all trials there are by then.

    Parameters
    ----------
    model : Pipeline, frame classifier or CalibratedByPatient
        Fitted on other patients. What was calibrated keeps its map.
    X : list
        Trials of one patient, as the model takes them.
    y : array-like of shape (n_trials,), optional
        Labels of these trials. None means that nothing is known; with
        ``PatientReference(which="normal")``, that all are normal.
    exercise : str or array-like of shape (n_trials,), optional
        Exercise of each trial, where the model knows several. One word stands for all trials, and
        the new model is then for that exercise alone, as it must be to run live.
    learn : {"bias", "head"} or None, default="bias"
        What of the last layer the labels move; None leaves it as it is.
    anchor : float, optional
        How much the old layer is trusted; see :func:`nearest_head`. None is 1 for the bias and 10
        for the head, which with 1 fell behind the old one where we measured it.
    normal_label : label, optional
        Label of a trial without the motion looked for. None takes what the model was told, or the
        smallest number among its classes; words need it.

    Returns
    -------
    Pipeline or frame classifier
        Fitted, of the type of `model`; it can be saved and run live as the old one.

    Raises
    ------
    ValueError
        If there is nothing to adapt (no PatientReference and no labels), or trials or labels do
        not fit.
    TypeError
        If labels are given and the last step is no frame model of skrehab with two classes.

    Examples
    --------
    >>> from skrehab.adaptation import adapt_to_patient
    >>> from skrehab.datasets import make_rehab_trials
    >>> from skrehab.recipes import recommended
    >>> data = make_rehab_trials(4, 2, "brush_hair", strength=3.0, random_state=0)
    >>> others = [i for i, patient in enumerate(data.groups) if patient != "P04"]
    >>> pipe = recommended(reference=1, n_teachers=1, max_epochs=2, random_state=0)
    >>> pipe = pipe.fit([data.X[i] for i in others], data.y[others], groups=data.groups[others])
    >>> first, second = [data.X[i] for i, patient in enumerate(data.groups) if patient == "P04"][:2]
    >>> own = adapt_to_patient(pipe, [first])
    >>> bool(own["reference"].own_[0]), bool(pipe["reference"].own_[0])
    (True, False)
    >>> len(own.predict_proba([second])[0]) == len(second)
    True
    """
    check_is_fitted(model)
    if anchor is None:
        anchor = ANCHORS.get(learn, 1.0)
    if isinstance(model, CalibratedByPatient):
        out = copy.copy(model)
        how = {"learn": learn, "anchor": anchor, "normal_label": normal_label}
        if normal_label is None:
            how["normal_label"] = model.classes_.tolist()[model.normal_]
        out.estimator_ = adapt_to_patient(model.estimator_, X, y, exercise=exercise, **how)
        return out
    one = exercise is not None and np.ndim(exercise) == 0
    named = [exercise] * len(X) if one else exercise
    named = check_groups(named, X, name="exercise", what="exercise")
    y = None if y is None else check_trial_labels(y, X)
    steps = list(model.steps) if hasattr(model, "steps") else [("", model)]
    place = next((i for i, s in enumerate(steps) if isinstance(s[1], PatientReference)), None)
    if place is None and (y is None or learn is None):
        raise ValueError(
            "Nothing to adapt: the model has no PatientReference, recommended(reference=1), and "
            "there are no labels for its last layer."
        )
    for _, step in _before(steps, len(steps) if place is None else place):
        X = step.transform(X)
    if place is not None:
        name, reference = steps[place]
        own = reference.for_patient(X, y, named)
        if y is not None and learn is not None:
            X = _beside_others(reference, X, y, named)
            for _, step in _before(steps[place + 1 :], len(steps)):
                X = step.transform(X)
        steps[place] = (name, own.for_exercise(exercise) if one else own)
    if y is not None and learn is not None:
        name, classifier = steps[-1]
        normal_label = told_normal(model) if normal_label is None else normal_label
        steps[-1] = (name, _moved(classifier, X, y, learn, anchor, normal_label))
    if not hasattr(model, "steps"):
        return steps[-1][1]
    out = copy.copy(model)
    out.steps = steps
    return out


def _before(steps, end):
    """Steps that change trials, without resamplers, what is switched off, and the last one."""
    for name, step in steps[: min(end, len(steps) - 1)]:
        if step is None or isinstance(step, str) or hasattr(step, "fit_resample"):
            continue
        yield name, step


def _beside_others(reference, X, y, exercise):
    """Compare each labelled trial with the patient's others, as those to come will be.

    An only trial of its exercise is compared with itself: with the mean of other people it would
    look like nothing that the model knows.
    """
    keys = [0] * len(X) if exercise is None else exercise.tolist()
    out = []
    for i, own in enumerate(trials_before(keys, len(X))):
        chosen = own or [i]
        if reference.which == "normal":
            normal = reference._usable(X, y)
            chosen = [j for j in chosen if normal[j]] or chosen
        which = None if exercise is None else exercise[chosen]
        beside = reference.for_patient([X[j] for j in chosen], exercise=which)
        out += beside.transform([X[i]], exercise=None if exercise is None else exercise[[i]])
    return out


def _moved(classifier, X, y, learn, anchor, normal_label):
    """The frame model with its last layer moved."""
    if not isinstance(classifier, FrameClassifier):
        raise TypeError(
            f"Labels move the last layer of a FrameTCN or FrameMLP; the model ends in "
            f"{type(classifier).__name__}. learn=None adapts the reference alone."
        )
    classes = classifier.classes_.tolist()
    unknown = [label for label in y.tolist() if label not in classes]
    if unknown:
        raise ValueError(f"y holds {unknown[0]!r}, which is not among the classes {classes}.")
    if normal_label is None and any(isinstance(one, str) for one in classes):
        raise ValueError(f"Which of {classes} is normal? Pass normal_label=...")
    normal = classes[0] if normal_label is None else normal_label
    if normal not in classes:
        raise ValueError(f"normal_label={normal!r} is not among the classes {classes}.")
    _, layer = last_layer(classifier.module_)
    sign = 1 if classes.index(normal) == 0 else -1  # the logit is that of the second class
    weight = layer.weight.detach().cpu().numpy().astype(float)[0]
    weight, bias = nearest_head(
        hidden_frames(classifier, X),
        y != normal,
        sign * weight,
        sign * float(layer.bias.detach()),
        learn=learn,
        anchor=anchor,
    )
    return with_head(classifier, sign * weight, sign * bias)
