"""What the classes of a model are called."""

from skrehab.persistence.names import name_classes

__all__ = ["ClassNames", "class_names", "names_of_model"]


def class_names(metadata, codes, given=None, own=None):
    """Names of a model's classes: those that its metadata give, or else their codes.

    Parameters
    ----------
    metadata : dict
        Of the model; written by whoever made the folder, they may hold anything.
    codes : iterable of label
        Its classes; words are their own names.
    given : dict, optional
        Other names, by the name or code so far; see :func:`skrehab.datasets.parse_label_names`.
    own : list of str, optional
        Names that a model of several labels has for its codes.

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
    return name_classes(codes, metadata.get("labels"), given, own)


def names_of_model(model, metadata, given=None):
    """Names of all that a model may say, of frames or of whole videos.

    Parameters
    ----------
    model : estimator
        Fitted.
    metadata : dict
        Of it.
    given : dict, optional
        Other names, as of :func:`class_names`.

    Returns
    -------
    dict of label to str
        By class; of a model of several labels by code.

    Raises
    ------
    ValueError
        As :func:`class_names`.

    Examples
    --------
    >>> import numpy as np, skrehab
    >>> from skrehab.cli._labels import names_of_model
    >>> X, y = [np.zeros((2, 5, 3))], [np.array(["lean", "usual"])]
    >>> model = skrehab.FrameMLP(max_epochs=1, random_state=0).fit(X, y)
    >>> names_of_model(model, {"labels": ["usual", "lean"]}, {"usual": "normal"})
    {'lean': 'lean', 'usual': 'normal'}
    """
    from skrehab.assessment import label_names_of, steps_of, video_stage

    classes, stage = list(getattr(steps_of(model)[-1], "classes_", ())), video_stage(model)
    if stage is not None:
        classes += list(stage[1].classes_)
    classes = list(dict.fromkeys(getattr(one, "item", lambda one=one: one)() for one in classes))
    return dict(zip(classes, class_names(metadata, classes, given, label_names_of(model))))


class ClassNames:
    """Names of the classes of frames, and of those of whole videos.

    Parameters
    ----------
    names : dict of label to str
        From :func:`names_of_model`.
    result : skrehab.assessment.Assessment
        What they are for.
    """

    def __init__(self, names, result):
        self.several = result.label_names is not None
        if self.several:
            self.frames, self.video = [names[k] for k in range(result.proba.shape[1])], None
            return
        self.frames = [names[code] for code in result.classes]
        video = result.verdict.classes if result.verdict else None
        self.video = None if video is None else [names[code] for code in video]

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
