"""What there is one of for every trial: its label, its patient."""

from numbers import Real

import numpy as np

from skrehab._given import array_of, column_of, filled, missing_at, refuse_mixed

from .frame_targets import UNLABELLED

__all__ = ["check_groups", "check_label_rows", "check_trial_labels"]


def check_trial_labels(y, X):
    """Validate one label per trial.

    Parameters
    ----------
    y : array-like of shape (n_trials,)
        Labels of any type that can be compared.
    X : sequence of length n_trials
        The trials, for the count.

    Returns
    -------
    ndarray of shape (n_trials,)
        The labels.

    Raises
    ------
    ValueError
        If there is not exactly one label per trial, or a label is missing.

    Examples
    --------
    >>> from skrehab.trials import check_trial_labels
    >>> check_trial_labels(["normal", "lean"], [None, None])
    array(['normal', 'lean'], dtype='<U6')
    """
    if y is None:
        raise ValueError("y is needed: one label per trial. It requires y to be passed, got None.")
    y = column_of(array_of(y) if hasattr(y, "detach") or hasattr(y, "toarray") else y, "y")
    if isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == 1:  # as scikit-learn has it
        y = y[:, 0]
    if len(y) != len(X):
        raise ValueError(f"y must hold one label per trial: {len(X)} trials, {len(y)} labels.")
    for i, label in enumerate(y):
        if np.ndim(label) != 0:
            raise ValueError(
                f"One label per trial is needed: y[{i}] has shape {np.shape(label)}. "
                "Frame labels go to a frame classifier such as FrameMLP."
            )
        if isinstance(label, float | np.floating) and np.isinf(label):
            raise ValueError(f"y[{i}] is {label}: every trial needs a label.")
    if (i := missing_at(y)) is not None:
        raise ValueError(f"y[{i}] is {list(y)[i]!s}: every trial needs a label.")
    refuse_mixed(y, "y")
    y = np.asarray(array_of(y))
    if y.dtype == object and all(isinstance(label, Real | np.bool_) for label in y):
        return np.array(y.tolist())  # a column of mixed tables: numbers all the same
    return y


def check_groups(groups, X, *, name="groups", what="patient"):
    """Validate one patient identifier per trial, or that of an exercise.

    Parameters
    ----------
    groups : array-like of shape (n_trials,) or None
        Patient of each trial.
    X : sequence of length n_trials
        The trials, for the count.
    name, what : str
        What to call it, and what it names, in error messages.

    Returns
    -------
    ndarray of shape (n_trials,) or None
        The patients.

    Raises
    ------
    ValueError
        If there is not exactly one patient per trial, or one is missing (None, NaN, NA, blank).

    Examples
    --------
    >>> from skrehab.trials import check_groups
    >>> check_groups(["P01", "P02"], [None, None])
    array(['P01', 'P02'], dtype='<U3')
    """
    if groups is None:
        return None
    groups = column_of(groups, name)
    if isinstance(groups, list | tuple):
        refuse_mixed(groups, name)  # numpy would make words of all
    groups = array_of(groups)
    if groups.shape != (len(X),):
        raise ValueError(
            f"{name} must name one {what} per trial: {len(X)} trials, got shape {groups.shape}."
        )
    if (i := missing_at(groups)) is not None:
        raise ValueError(
            f"{name}[{i}] is missing, it is {str(groups[i]).strip() or 'empty'}: who is not known "
            f"is not one {what}. "
            f"Name the {what}, or leave the trial out."
        )
    refuse_mixed(groups, name)
    return np.asarray(groups)


def check_label_rows(y, X, *, unlabelled=False):
    """Validate several yes-or-no labels a trial.

    Parameters
    ----------
    y : array-like of shape (n_trials, n_labels)
        1 where a trial has a label, else 0.
    X : sequence of length n_trials
        The trials, for the count.
    unlabelled : bool, default=False
        Whether -1, not known, may stand too. Every label must be known of some trial.

    Returns
    -------
    ndarray of shape (n_trials, n_labels), dtype float32
        The labels.

    Raises
    ------
    ValueError
        If there is not one row a trial, an entry is neither 0 nor 1 (the message names it), or a
        label is known of no trial.

    Examples
    --------
    >>> from skrehab.trials import check_label_rows
    >>> check_label_rows([[True, -1], [0, 1]], [None] * 2, unlabelled=True)
    array([[ 1., -1.],
           [ 0.,  1.]], dtype=float32)
    """
    if y is None:
        raise ValueError("y is needed: one row of labels per trial. It requires y to be passed.")
    y = array_of(y)
    if y.ndim == 0 or len(y) != len(X):
        rows = f"{len(y)} rows" if y.ndim else f"got {y[()]!r}"
        raise ValueError(f"y must hold one row per trial: {len(X)} trials, {rows}.")
    if np.ma.isMaskedArray(y):
        y = filled(y) if np.ma.getmaskarray(y).any() else y.data
    if y.ndim != 2 or y.shape[1] == 0 or y.dtype.kind not in "biuf":
        raise ValueError(
            f"y must have shape (n_trials, n_labels) and hold 0 and 1, got {y.dtype} {y.shape}. "
            "For one label a trial take VideoClassifier; sklearn.preprocessing.MultiLabelBinarizer "
            "makes columns of lists of names."
        )
    missing = (y == UNLABELLED) & unlabelled
    odd = np.argwhere(~((y == 0) | (y == 1) | missing))
    if len(odd):
        row, column = odd[0]
        allowed = "0, 1, or -1 for not known" if unlabelled else "0 and 1"
        raise ValueError(f"y[{row}, {column}] is {y[row, column]}: labels are {allowed}.")
    if missing.all(axis=0).any():
        raise ValueError(f"Label {int(missing.all(axis=0).argmax())} is known of no trial.")
    return y.astype(np.float32)
