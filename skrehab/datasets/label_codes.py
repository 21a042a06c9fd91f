"""Labels of any type as numbers, the normal one first."""

import numpy as np

__all__ = ["encode_labels"]


def encode_labels(y, normal_label=None):
    """Turn labels of any type into numbers, so that 0 is the trial without the motion.

    Parameters
    ----------
    y : ndarray of shape (n_trials,)
        Labels.
    normal_label : label, optional
        Which of them means "no such motion". None takes the smallest number; for text it must be
        given, since alphabetical order would decide otherwise.

    Returns
    -------
    codes : ndarray of shape (n_trials,)
        0 for the normal label, 1, 2, ... for the others.
    names : list of str
        The label that each code stands for.

    Raises
    ------
    ValueError
        If the normal label is not known or not among the labels, or there is only one label.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.datasets import encode_labels
    >>> encode_labels(np.array(["lean", "usual", "lean"]), "usual")
    (array([1, 0, 1]), ['usual', 'lean'])
    """
    labels = np.unique(y).tolist()
    if normal_label is None:
        if np.asarray(y).dtype.kind not in "biuf":
            raise ValueError(f"Which of {labels} means 'no such motion'? Give --normal-label.")
        normal_label = labels[0]
    by_text = {str(label): label for label in labels}
    if str(normal_label) not in by_text:
        raise ValueError(f"The normal label {normal_label!r} is not among the labels {labels}.")
    if len(labels) < 2:
        raise ValueError(f"At least two labels are needed; every trial is {labels[0]!r}.")
    normal = by_text[str(normal_label)]
    order = [normal, *(label for label in labels if label != normal)]
    codes = np.array([order.index(label) for label in np.asarray(y).tolist()])
    return codes, [str(label) for label in order]
