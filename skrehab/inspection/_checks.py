"""What came to be drawn: maps, values of each frame, scores, frames to show."""

import numpy as np

from skrehab.metrics.told_normal import told_normal

__all__ = [
    "check_frame_rate",
    "check_map",
    "check_per_frame",
    "choose_frames",
    "positive_scores",
]


def check_per_frame(values, n_frames, name):
    """Return one value per frame of one trial as an array, or say what came instead."""
    values = np.asarray(values)
    if values.shape != (n_frames,):
        hint = " For a list with one trial pass its item [0]." if values.shape[:1] == (1,) else ""
        raise ValueError(
            f"{name} must hold one value for each of the trial's {n_frames} frames, "
            f"got shape {values.shape}.{hint}"
        )
    return values


def check_map(saliency_map, name="saliency_map"):
    """Return one trial's map (n_frames, n_landmarks) as floats, or say what came instead."""
    array = np.asarray(saliency_map, dtype=float)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must have shape (n_frames, n_landmarks), got {array.shape}.")
    return array


def check_frame_rate(frame_rate):
    """Return frames per second as a float, or None."""
    if frame_rate is None:
        return None
    if not (np.isscalar(frame_rate) and np.isfinite(frame_rate) and frame_rate > 0):
        raise ValueError(f"frame_rate must be frames per second, above 0; got {frame_rate!r}.")
    return float(frame_rate)


def positive_scores(estimator, trial, pos_label=None):
    """Ask a fitted frame classifier for one trial's positive-class probabilities.

    Returns the scores and the label they are about; None where the classes are not known.
    """
    proba = np.asarray(estimator.predict_proba([trial])[0], dtype=float)
    classes = list(getattr(estimator, "classes_", []))
    if pos_label is None:  # what is not normal
        if proba.ndim != 2 or proba.shape[1] != 2:
            raise ValueError(
                f"predict_proba gave shape {proba.shape} for the trial, not (n_frames, 2). "
                f"With more than two classes pass pos_label, one of {classes}."
            )
        if (normal := told_normal(estimator)) in classes:
            column = 1 - classes.index(normal)
            return proba[:, column], classes[column]
        if any(isinstance(name, str) for name in classes):
            raise ValueError(
                f"Which of {[str(name) for name in classes]} is the positive class? Words have no "
                "order: pass pos_label."
            )
        return proba[:, 1], (classes[1] if len(classes) == 2 else None)
    if pos_label not in classes:
        raise ValueError(f"pos_label={pos_label!r} is not one of the classes {classes}.")
    return proba[:, classes.index(pos_label)], pos_label


def choose_frames(frames, n_frames, *, name="frames", of="trial"):
    """Which frames to draw: evenly spread from the first to the last, or those that are named."""
    if np.ndim(frames) == 0:
        if frames != int(frames) or frames < 1:
            raise ValueError(f"{name} must be at least 1, or a list of frames; got {frames!r}.")
        if frames == 1:
            return np.array([n_frames // 2])
        return np.unique(np.linspace(0, n_frames - 1, int(frames)).round().astype(int))
    chosen = np.asarray(frames, dtype=int)
    wrong = [int(frame) for frame in chosen if not -n_frames <= frame < n_frames]
    if wrong or len(chosen) == 0:
        raise ValueError(f"{name} must lie in a {of} of {n_frames} frames, got {list(frames)}.")
    return chosen % n_frames
