"""What the classes of a model are called."""

__all__ = ["ClassNames", "class_names"]


def class_names(metadata, codes, given=None):
    """Names of a model's classes: those that its metadata give, or else their codes.

    Parameters
    ----------
    metadata : dict
        Of the model; written by whoever made the folder, they may hold anything.
    codes : iterable of int
        Its classes.
    given : dict, optional
        Other names, by the name or code so far; see :func:`skrehab.datasets.parse_label_names`.

    Returns
    -------
    list of str
        One a code.

    Raises
    ------
    ValueError
        If the metadata's labels are no list of words or do not reach, or `given` names a label
        that there is not.

    Examples
    --------
    >>> from skrehab.cli._labels import class_names
    >>> class_names({"labels": ["0", "1"]}, [1, 0], {"1": "leans"})
    ['leans', '0']
    """
    names, codes = metadata.get("labels"), list(codes)
    if names is None or names == []:
        return _renamed([str(code) for code in codes], given) if codes else []
    if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        raise ValueError(
            f"The model's metadata name 'labels' that are no list of words: {repr(names)[:60]}."
        )
    if wrong := [code for code in codes if not 0 <= code < len(names)]:
        raise ValueError(
            f"The model's metadata name {len(names)} labels, and it knows a class {wrong[0]}."
        )
    names = _renamed([str(name) for name in names], given)
    return [names[code] for code in codes]


def _renamed(names, given):
    from skrehab.datasets.label_codes import name_labels

    return name_labels(names, given) if given else names


class ClassNames:
    """Names of the classes of frames, and of those of whole videos.

    Parameters
    ----------
    metadata : dict
        Of the model.
    given : dict
        Names from the command line.
    result : skrehab.assessment.Assessment
        What they are for.
    """

    def __init__(self, metadata, given, result):
        self.several = result.label_names is not None
        if self.several:
            names = {"labels": metadata.get("labels") or result.label_names}
            self.frames = class_names(names, range(result.proba.shape[1]), given)
            self.video = None
            return
        codes = result.classes or range(result.proba.shape[1])
        self.frames = class_names(metadata, codes, given)
        video = result.verdict.classes if result.verdict else None
        self.video = None if video is None else class_names(metadata, video, given)

    @property
    def usual(self):
        """Name of the normal class."""
        return "usual" if self.several else self.frames[0]

    @property
    def motion(self):
        """Names of all others."""
        return " or ".join(self.frames if self.several else self.frames[1:])

    def scores(self, result):
        """Probability of each motion over time, by name; of one class a single one."""
        if self.several:
            return dict(zip(self.frames, result.proba.T))
        return {self.motion: result.score}
