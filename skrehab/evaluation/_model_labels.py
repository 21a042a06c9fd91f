"""What the models of a study take labels for: which is normal, and whether -1 is a class."""

import numpy as np

from skrehab.evaluation.floors import OnFrameTruth, learner_of
from skrehab.metrics.motion import normal_number
from skrehab.metrics.told_normal import told_normals
from skrehab.trials import UNLABELLED


def learners_of(models):
    """Estimators by name, whether they learn from frame truth or not; one stands alone."""
    if not isinstance(models, dict):
        return learner_of(models)
    return {str(name): learner_of(model) for name, model in models.items()}


def normal_notes(models, data):
    """Say which models take another label for the normal one than the study does."""
    notes = []
    for name, model in models.items():
        inner = learner_of(model)
        told = told_normals(inner)
        taken = {place: repr(label) for place, label in told.items() if _is_other(label, data)}
        if not told and data.y.dtype.kind in "biuf":
            smallest = normal_number(data.y[data.labelled])
            taken = {
                place: f"None, the smallest number, {smallest!r}"
                for place, part in _parts(inner)
                if _is_labeler(part) and part.normal_label is None and _is_other(smallest, data)
            }
        if not taken:
            continue
        place, label = next(iter(taken.items()))
        study = (
            f"normal_label={data.normal!r}"
            if data.pos_label is None
            else f"pos_label={data.pos_label!r} for the motion"
        )
        notes.append(
            f"Model {name!r} has {place}={label} for normal trials, and the study has {study}: "
            "it learns to find something else than is scored."
        )
    return notes


def _is_other(label, data):
    """Whether a label that a model takes for normal is the motion to the study."""
    if data.pos_label is not None:
        return label == data.pos_label
    return label != data.normal


def knows_unlabelled(model):
    """Whether -1 teaches a model nothing as a class: labelers, frame truth, scikit-learn's own."""
    if isinstance(model, OnFrameTruth):
        return True
    return any(
        _is_labeler(part)
        or any(kind.__module__.startswith("sklearn.semi_supervised") for kind in type(part).__mro__)
        for _, part in _parts(model)
    )


def unlabelled_notes(models, data):
    """Say how many trials are scored nowhere, whose they are, and whom they do not teach."""
    none = ~data.labelled
    if not none.any():
        return []
    only = [p for p in np.unique(data.groups).tolist() if none[data.groups == p].all()]
    alone = f"; {', '.join(map(repr, only[:5]))} have no other" if only else ""
    notes = [
        f"{int(none.sum())} of {len(none)} trials are labelled {UNLABELLED}, which means that "
        f"nothing is known of them: they are not scored{alone}."
    ]
    if plain := [repr(name) for name, model in models.items() if not knows_unlabelled(model)]:
        who = "Models" if len(plain) > 1 else "Model"
        notes.append(
            f"{who} {', '.join(plain)} would take {UNLABELLED} for a class: trials labelled "
            f"{UNLABELLED} are left out of the training."
        )
    return notes


def label_notes(models, data):
    """Say what a reader of the scores must know of the labels."""
    return unlabelled_notes(models, data) + normal_notes(models, data)


def _is_labeler(part):
    """Whether it turns labels of trials, some of which may be -1, into labels of frames."""
    return hasattr(part, "fit_resample") and hasattr(part, "normal_label")


def _parts(model):
    """An estimator and all estimators in it, by the place of what they were told is normal."""
    if hasattr(model, "get_params"):
        yield "normal_label", model
        for name, part in model.get_params(deep=True).items():
            if hasattr(part, "get_params") and not isinstance(part, type):
                yield f"{name}__normal_label", part
