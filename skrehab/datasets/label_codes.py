"""Labels of any type as numbers, the normal one first, with names that people understand."""

import numpy as np

__all__ = ["encode_labels", "name_labels", "parse_label_names"]


def encode_labels(y, normal_label=None, label_names=None):
    """Turn labels of any type into numbers, so that 0 is the trial without the motion.

    Parameters
    ----------
    y : ndarray of shape (n_trials,)
        Labels.
    normal_label : label, optional
        Which of them means "no such motion"; its name will do. None takes the smallest number; for
        text it must be given, since alphabetical order would decide otherwise.
    label_names : dict of label to str, optional
        What to call a label; one that is not in it keeps its own name.

    Returns
    -------
    codes : ndarray of shape (n_trials,)
        0 for the normal label, 1, 2, ... for the others.
    names : list of str
        What each code is called. As ``metadata={"labels": names}`` of :func:`skrehab.save` they
        stay with a model.

    Raises
    ------
    ValueError
        If the normal label is not known or not among the labels, or there is only one label; or if
        a name is given to no label, or to two.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.datasets import encode_labels
    >>> encode_labels(np.array(["lean", "usual", "lean"]), "usual")
    (array([1, 0, 1]), ['usual', 'lean'])
    >>> encode_labels(np.array([1, 0]), label_names={0: "usual", 1: "compensation"})
    (array([1, 0]), ['usual', 'compensation'])
    """
    labels = np.unique(y).tolist()
    names = name_labels(labels, label_names)
    if normal_label is None:
        if np.asarray(y).dtype.kind not in "biuf":
            raise ValueError(f"Which of {labels} means 'no such motion'? Give --normal-label.")
        normal_label = labels[0]
    by_text = {name: label for label, name in zip(labels, names)}
    by_text |= {str(label): label for label in labels}
    if str(normal_label) not in by_text:
        raise ValueError(f"The normal label {normal_label!r} is not among the labels {labels}.")
    if len(labels) < 2:
        raise ValueError(f"At least two labels are needed; every trial is {labels[0]!r}.")
    normal = by_text[str(normal_label)]
    order = [normal, *(label for label in labels if label != normal)]
    codes = np.array([order.index(label) for label in np.asarray(y).tolist()])
    return codes, [names[labels.index(label)] for label in order]


def name_labels(labels, label_names=None):
    """Give labels their names.

    Parameters
    ----------
    labels : list of label
        Labels, each once.
    label_names : dict of label to str, optional
        Name of each label, or of some; ``0`` and ``"0"`` are the same label here.

    Returns
    -------
    list of str
        One name a label.

    Raises
    ------
    ValueError
        If a label is not among them, a name is empty, or two labels would have the same.

    Examples
    --------
    >>> from skrehab.datasets import name_labels
    >>> name_labels([0, 1], {"1": "compensation"})
    ['0', 'compensation']
    """
    given = {str(label): str(name).strip() for label, name in (label_names or {}).items()}
    known = [str(label) for label in labels]
    if strange := [label for label in given if label not in known]:
        raise ValueError(
            f"A name is given to {strange[0]!r}, which is not among the labels {known}."
        )
    names = [given.get(label, label) for label in known]
    for label, name in zip(known, names):
        if not name:
            raise ValueError(f"The name of label {label!r} is empty.")
        if names.count(name) > 1:
            raise ValueError(f"Two labels would be called {name!r}: give each a name of its own.")
    return names


def parse_label_names(text):
    """Read names of labels from a command line.

    Parameters
    ----------
    text : str or None
        As ``0=usual,1=compensation``.

    Returns
    -------
    dict of str to str
        Name of each label; empty for None.

    Raises
    ------
    ValueError
        If it is something else.

    Examples
    --------
    >>> from skrehab.datasets import parse_label_names
    >>> parse_label_names("0=usual, 1=leans to the side")
    {'0': 'usual', '1': 'leans to the side'}
    """
    if text is None:
        return {}
    names = {}
    for part in text.split(","):
        label, sign, name = (piece.strip() for piece in part.partition("="))
        if not (label and sign and name):
            raise ValueError(
                f"Names of labels are written as 0=usual,1=compensation; {part.strip()!r} is none."
            )
        if label in names:
            raise ValueError(f"Label {label!r} is given two names: {names[label]!r} and {name!r}.")
        names[label] = name
    return names
