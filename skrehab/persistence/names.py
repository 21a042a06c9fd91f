"""What the classes of a model are called: by its metadata; words by themselves."""

import warnings

__all__ = ["name_classes"]


def name_classes(classes, labels=None, given=None, own=None):
    """Name the classes of a model.

    Parameters
    ----------
    classes : sequence of label
        Its classes: codes 0, 1, ..., or words.
    labels : list of str, optional
        From its metadata, the name of each *code*. Words need none: they name themselves, and
        nobody knows in which order a list would have them.
    given : dict, optional
        Other names, by the name or code so far; see :func:`skrehab.datasets.parse_label_names`.
    own : list of str, optional
        Names that a model of several labels has for its codes. They stand where `labels` hold any
        of them: what they say is in another order, or not of all.

    Returns
    -------
    list of str
        One a class.

    Raises
    ------
    ValueError
        If `labels` are no list of words or do not reach, or `given` names what is no class.

    Warns
    -----
    UserWarning
        If classes are words, and `labels` are others.

    Examples
    --------
    >>> from skrehab.persistence.names import name_classes
    >>> name_classes([1, 0], ["usual", "leans"], {"usual": "as usual"})
    ['leans', 'as usual']
    >>> name_classes(["lean", "usual"], ["usual", "lean"])
    ['lean', 'usual']
    """
    classes = list(classes)
    if labels is None or labels == []:
        labels = own
    if labels is None or labels == []:
        return _renamed([str(one) for one in classes], given) if classes else []
    if not isinstance(labels, list | tuple) or not all(isinstance(n, str | int) for n in labels):
        raise ValueError(
            f"The model's metadata name 'labels' that are no list of words: {repr(labels)[:60]}."
        )
    labels = [str(name) for name in labels]
    if any(isinstance(one, str) for one in classes):
        return _renamed(_words(classes, labels), given)
    if own is not None and set(own) & set(labels):
        labels = own
    codes = [_code(one, labels) for one in classes]
    labels = _renamed(labels, given)
    return [labels[code] for code in codes]


def _words(classes, labels):
    words = [str(one) for one in classes]
    if strange := [word for word in words if word not in labels]:
        warnings.warn(
            f"The model's classes are words, {words}, and {strange[0]!r} is not among the labels "
            f"that its metadata name, {labels}. Nobody can tell which is which: the model's own "
            f"words are taken. Other names: --label-names {strange[0]}=...",
            UserWarning,
            stacklevel=3,
        )
    return words


def _code(one, labels):
    if int(one) != one:
        raise ValueError(
            f"The model's metadata name labels for codes 0, 1, ..., and it knows a class {one}."
        )
    if not 0 <= one < len(labels):
        raise ValueError(
            f"The model's metadata name {len(labels)} labels, and it knows a class {one}."
        )
    return int(one)


def _renamed(names, given):
    from skrehab.datasets.label_codes import name_labels

    return name_labels(names, given) if given else names
