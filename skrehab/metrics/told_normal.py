"""What models were told is the label of normal trials: whoever scores them takes no other."""

import warnings

import numpy as np

__all__ = ["normal_first", "told_normal", "told_normals", "warn_of_normal_as_motion"]

_NAME = "normal_label"


def told_normals(models):
    """List every label of normal trials that models, or parts of them, were told.

    Parameters
    ----------
    models : estimator or dict of str to estimator
        One, or several by name.

    Returns
    -------
    dict of str to label
        By the place of the parameter, such as ``"labels__normal_label"``, with the name of the
        model before it where there are names; without those that are None.

    Examples
    --------
    >>> from skrehab.metrics.told_normal import told_normals
    >>> from skrehab.recipes import recommended
    >>> sorted(told_normals({"tcn": recommended(augment=False, normal_label="usual")}).items())
    [('tcn: labels__normal_label', 'usual')]
    """
    if not isinstance(models, dict):
        return _of(models)
    return {
        f"{name}: {place}": label
        for name, one in models.items()
        for place, label in _of(one).items()
    }


def _of(model):
    if isinstance(model, type):
        return {}
    if not hasattr(model, "get_params"):  # an ONNX file tells what it was exported with
        told = getattr(model, _NAME, None)
        return {} if told is None else {_NAME: told}
    found = {}
    for name, value in model.get_params(deep=True).items():
        if isinstance(value, dict) and name.split("__")[-1] == "augment":  # as good as the class
            name, value = f"{name}[{_NAME!r}]", value.get(_NAME)
        elif name.split("__")[-1] != _NAME:
            continue
        if value is not None:
            found[name] = value
    return found


def told_normal(models):
    """Tell the one label of normal trials that models were told.

    Parameters
    ----------
    models : estimator or dict of str to estimator
        One, or several by name.

    Returns
    -------
    label or None
        It; None where nothing was told.

    Raises
    ------
    ValueError
        If they were told different ones.

    Examples
    --------
    >>> from skrehab.metrics.told_normal import told_normal
    >>> from skrehab.recipes import recommended
    >>> told_normal(recommended(normal_label=1)), told_normal(recommended())
    (1, None)
    """
    told = told_normals(models)
    different = _once(told.values())
    if len(different) > 1:
        listed = ", ".join(f"{name}={label!r}" for name, label in told.items())
        raise ValueError(
            f"Which of {different} is the label of normal trials? The models were told different "
            f"ones: {listed}. Tell them the same."
        )
    return different[0] if different else None


def normal_first(model, classes, several=False):
    """Order the columns of a model so that the normal class is the first.

    Parameters
    ----------
    model : estimator
        Fitted; what it was told is normal counts.
    classes : array-like of shape (n_classes,)
        Label of each column.
    several : bool, default=False
        Whether a frame may have several labels: then none of the columns is the normal class.

    Returns
    -------
    ndarray of int of shape (n_classes,)
        The columns; as they are where nothing was told, with a warning if labels are words.

    Examples
    --------
    >>> from skrehab.metrics.told_normal import normal_first
    >>> from skrehab.recipes import recommended
    >>> normal_first(recommended(normal_label="usual"), ["lean", "shrug", "usual"])
    array([2, 0, 1])
    """
    if several:
        return np.arange(len(classes))
    classes = np.asarray(classes).tolist()
    normal = told_normal(model)
    if normal is None and any(isinstance(one, str) for one in classes):
        warnings.warn(
            f"Which of {classes} is normal? The model was told no normal_label, and words have no "
            f"order: the first, {classes[0]!r}, is taken.",
            UserWarning,
            stacklevel=3,
        )
    at = classes.index(normal) if normal in classes else 0
    return np.array([at, *(i for i in range(len(classes)) if i != at)], dtype=int)


def warn_of_normal_as_motion(estimator, pos_label):
    """Warn where the motion that is scored is what the model was told is normal.

    Parameters
    ----------
    estimator : estimator
        What is scored.
    pos_label : label
        The motion, as the scorer was told.

    Examples
    --------
    >>> import warnings
    >>> from skrehab.metrics.told_normal import warn_of_normal_as_motion
    >>> from skrehab.recipes import recommended
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_of_normal_as_motion(recommended(augment=False, normal_label=0), 0)
    >>> str(said[0].message)
    'pos_label=0 is scored as the motion, and the model was told labels__normal_label=0: normal.'
    """
    for place, label in told_normals(estimator).items():
        if label == pos_label:
            warnings.warn(
                f"pos_label={pos_label!r} is scored as the motion, and the model was told "
                f"{place}={label!r}: normal.",
                UserWarning,
                stacklevel=4,
            )
            return


def _once(labels):
    found = []
    for label in labels:
        if label not in found:
            found.append(label)
    return found
