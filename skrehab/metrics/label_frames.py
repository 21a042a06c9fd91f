"""Scores of frames by label, where a frame may have several."""

import numpy as np

from skrehab.metrics.frames import frame_f1, frame_roc_auc

__all__ = ["frame_scores_by_label"]


def frame_scores_by_label(frame_labels, frame_proba, *, label_names=None, threshold=0.5):
    """Compute AUC and F1 of each label over frames, and their means.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i, n_labels)
        Truth, 0 or 1; -1 is left out.
    frame_proba : sequence of array-like of shape (n_frames_i, n_labels)
        Probabilities, as of :class:`skrehab.MultiLabelFrames`.
    label_names : sequence of str, optional
        Names of the labels; None numbers them.
    threshold : float, default=0.5
        From which probability on a frame counts as having a label, for F1.

    Returns
    -------
    dict
        ``"roc_auc"`` and ``"f1"``: dict of label to score, NaN where it is not defined;
        ``"mean_roc_auc"`` and ``"mean_f1"``: over labels where they are; ``"undefined"``: labels
        whose frames are all of one kind.

    Raises
    ------
    ValueError
        If shapes do not match.

    Examples
    --------
    >>> from skrehab.metrics import frame_scores_by_label
    >>> truth = [[[1, 0], [0, 0], [1, 0]]]
    >>> found = frame_scores_by_label(truth, [[[0.9, 0.1], [0.2, 0.3], [0.4, 0.2]]],
    ...                               label_names=["trunk", "head"])
    >>> found["roc_auc"]["trunk"], found["undefined"], round(found["mean_f1"], 3)
    (1.0, ['head'], 0.667)
    """
    truth = [np.asarray(one) for one in frame_labels]
    proba = [np.asarray(one, dtype=float) for one in frame_proba]
    for i, (one, other) in enumerate(zip(truth, proba, strict=True)):
        if one.ndim != 2 or one.shape != other.shape:
            raise ValueError(
                f"frame_labels[{i}] and frame_proba[{i}] must have one shape (n_frames, n_labels), "
                f"got {one.shape} and {other.shape}."
            )
    n_labels = truth[0].shape[1]
    names = [str(k) for k in range(n_labels)] if label_names is None else list(label_names)
    if len(names) != n_labels:
        raise ValueError(f"label_names has {len(names)} names for {n_labels} labels.")
    out = {"roc_auc": {}, "f1": {}, "undefined": []}
    for k, name in enumerate(names):
        labels, scores = [one[:, k] for one in truth], [one[:, k] for one in proba]
        seen = np.unique(np.concatenate(labels))
        if not {0, 1} <= set(seen.tolist()):
            out["roc_auc"][name] = out["f1"][name] = float("nan")
            out["undefined"].append(name)
            continue
        said = [(one >= threshold).astype(int) for one in scores]
        out["roc_auc"][name] = float(frame_roc_auc(labels, scores, pos_label=1))
        out["f1"][name] = float(frame_f1(labels, said, pos_label=1))
    for key in ("roc_auc", "f1"):
        known = [value for value in out[key].values() if np.isfinite(value)]
        out[f"mean_{key}"] = float(np.mean(known)) if known else float("nan")
    return out
