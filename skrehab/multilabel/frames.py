"""MultiLabelFrames: a probability a frame and label, from labels of trials or of frames."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._given import in_order
from skrehab.frames import FrameTCN
from skrehab.multilabel.classifier import MultiLabelVideoClassifier
from skrehab.multilabel.label_sets import check_multilabel
from skrehab.trials import UNLABELLED, check_groups, check_trials, ragged, tag_trial_input

__all__ = ["MultiLabelFrames", "frames_of_labels"]


def frames_of_labels(scores, y, *, threshold=0.5, soft=False, strongest=False):
    """Turn labels of trials and scores of their frames into labels of frames.

    Parameters
    ----------
    scores : sequence of ndarray of shape (n_frames_i, n_labels)
        How much each frame speaks for each label, in [0, 1].
    y : array-like of shape (n_trials, n_labels)
        1 where a trial has a label, 0 where not, -1 where it is not known.
    threshold : float, default=0.5
        A frame of a trial that has a label has it from this score on.
    soft : bool, default=False
        Keep the scores as probabilities instead.
    strongest : bool, default=False
        A frame keeps only that label, of those its trial has, whose score is highest, as the
        authors' later code does.

    Returns
    -------
    ndarray of shape (n_trials,), dtype object
        Arrays (n_frames_i, n_labels): 0, 1, -1, or probabilities with NaN for not known. Frames of
        a trial without a label do not have it.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, and their later code, by several labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.multilabel import frames_of_labels
    >>> scores = [np.array([[0.9, 0.6, 0.9], [0.2, 0.7, 0.9]])]
    >>> frames_of_labels(scores, [[1, 1, 0]])[0].tolist()
    [[1, 1, 0], [0, 1, 0]]
    >>> frames_of_labels(scores, [[1, 1, -1]], strongest=True)[0].tolist()
    [[1, 0, -1], [0, 1, -1]]
    """
    out = []
    for found, row in zip(scores, np.asarray(y), strict=True):
        values = np.where(row == 1, found, 0.0)
        if strongest and (row == 1).any():
            best = np.where(row == 1, found, -np.inf).argmax(axis=1)
            values = np.where(np.arange(len(row)) == best[:, None], values, 0.0)
        if soft:
            values[:, row == UNLABELLED] = np.nan
        else:
            values = ((values >= threshold) & (row == 1)).astype(int)
            values[:, row == UNLABELLED] = UNLABELLED
        out.append(values)
    return ragged(out)


class MultiLabelFrames(ClassifierMixin, BaseEstimator):
    """Say of each frame which of several labels it has, such as kinds of compensation.

    A frame model a label. Trained on labels of frames; or, from labels of trials only, on what a
    teacher that sees whole trials says of their frames.

    Parameters
    ----------
    estimator : FrameMLP or FrameTCN, optional
        Cloned for each label; None is ``FrameTCN()``.
    teacher : MultiLabelVideoClassifier, optional
        Trained on labels of trials; None is ``MultiLabelVideoClassifier("mil_tcn")``. Not used
        where `y` holds labels of frames.
    method : {"frame_logits", "integrated_gradients", "vanilla_gradient"}, default="frame_logits"
        How it scores frames: its own frame scores (``"mil_tcn"``), or each label's saliency.
    threshold : float, default=0.5
        From which score on a frame has a label that its trial has.
    soft : bool, default=True
        Train on the scores as probabilities instead of cutting them.
    strongest : bool, default=False
        A frame keeps only the label with the highest score.
    n_steps : int, default=16
        Points on the path of integrated gradients.
    label_names : sequence of str, optional
        Names of the columns; None numbers them.

    Attributes
    ----------
    frame_models_ : list of estimator
        One a label.
    n_labels_ : int
        Labels.
    classes_ : ndarray of shape (n_labels,)
        Columns of y.
    label_names_ : list of str
        Names of the columns.
    teacher_ : MultiLabelVideoClassifier or None
        The teacher, where one was needed.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.

    Examples
    --------
    >>> from skrehab import FrameMLP, MultiLabelFrames
    >>> from skrehab.datasets import make_rehab_trials
    >>> data = make_rehab_trials(2, 1, random_state=0)
    >>> model = MultiLabelFrames(FrameMLP((8,), max_epochs=1), label_names=data.label_names)
    >>> proba = model.fit(data.X, data.frame_compensations).predict_proba(data.X)
    >>> proba[0].shape == (len(data.X[0]), 4), model.label_names_[0]
    (True, 'trunk_flexion')
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict_proba"]), None],
        "teacher": [HasMethods(["fit", "predict_proba"]), None],
        "method": [StrOptions({"frame_logits", "integrated_gradients", "vanilla_gradient"})],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "soft": ["boolean"],
        "strongest": ["boolean"],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "label_names": ["array-like", None],
    }

    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        estimator=None,
        teacher=None,
        *,
        method="frame_logits",
        threshold=0.5,
        soft=True,
        strongest=False,
        n_steps=16,
        label_names=None,
    ):
        self.estimator = estimator
        self.teacher = teacher
        self.method = method
        self.threshold = threshold
        self.soft = soft
        self.strongest = strongest
        self.n_steps = n_steps
        self.label_names = label_names

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None):
        """Train a frame model a label.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : array-like of shape (n_trials, n_labels), or sequence of (n_frames_i, n_labels)
            0 or 1, -1 where it is not known; of trials, or of frames.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        MultiLabelFrames
            The classifier itself.

        Raises
        ------
        ValueError
            If labels do not fit the trials, or a label is known of no frame.
        """
        X = check_trials(X)
        groups = check_groups(groups, X)
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        frames, self.teacher_ = _check_frames(y, X), None
        if frames is None:
            y = check_multilabel(y, X, unlabelled=True).astype(int)
            frames = self._teach(X, y, groups)
        self.n_labels_ = frames[0].shape[1]
        self.classes_ = np.arange(self.n_labels_)
        self.label_names_ = _names(self.label_names, self.n_labels_)
        base = FrameTCN() if self.estimator is None else self.estimator
        who = {} if groups is None else {"groups": groups}
        self.frame_models_ = []
        for k, name in enumerate(self.label_names_):
            labels = [one[:, k] for one in frames]
            known = [np.isfinite(one) & (one != UNLABELLED) for one in labels]
            if not any(one.any() for one in known):
                raise ValueError(f"Label {name!r} is known of no frame.")
            if labels[0].dtype.kind == "f":
                labels = [np.stack([1 - one, one], axis=1) for one in labels]
            self.frame_models_.append(clone(base).fit(X, ragged(labels), **who))
        return self

    def _teach(self, X, y, groups):
        """Labels of frames by a teacher that sees whole trials."""
        teacher = self.teacher
        teacher = MultiLabelVideoClassifier("mil_tcn") if teacher is None else teacher
        places = np.flatnonzero((y != UNLABELLED).any(axis=1))
        who = {} if groups is None else {"groups": groups[places]}
        # a label that is not known of a trial teaches nothing, the trial's others do
        self.teacher_ = clone(teacher).fit([X[i] for i in places], y[places], **who)
        if self.method == "frame_logits":
            scores = self.teacher_.predict_frame_proba(X)
        else:
            columns = [
                self.teacher_.saliency(X, method=self.method, target=k, n_steps=self.n_steps)
                for k in range(y.shape[1])
            ]
            scores = [np.stack(one, axis=1) for one in zip(*columns)]
        return frames_of_labels(
            *(scores, y), threshold=self.threshold, soft=self.soft, strongest=self.strongest
        )

    def predict_proba(self, X):
        """Compute the probability of each label in every frame.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array ``(n_frames_i, n_labels)`` per trial.
        """
        check_is_fitted(self)
        found = [
            [one[:, _yes(model)] if _yes(model) is not None else np.zeros(len(one)) for one in said]
            for model, said in ((model, model.predict_proba(X)) for model in self.frame_models_)
        ]
        return ragged(np.stack(columns, axis=1).astype(np.float32) for columns in zip(*found))

    def predict(self, X):
        """Predict which labels each frame has.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One int array ``(n_frames_i, n_labels)`` per trial, 1 from a probability of 0.5 on.
        """
        return ragged((one >= 0.5).astype(int) for one in self.predict_proba(X))

    def _stream(self):
        check_is_fitted(self)
        return _LabelStreams([(model._stream(), _yes(model)) for model in self.frame_models_])

    def __sklearn_tags__(self):
        tags = tag_trial_input(super().__sklearn_tags__())
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


class _LabelStreams:
    """Frame models of several labels, one frame at a time."""

    def __init__(self, streams):
        self.streams = streams

    def reset(self):
        for stream, _ in self.streams:
            stream.reset()

    def push(self, frame, timestamp):
        said = [(stream.push(frame, timestamp), yes) for stream, yes in self.streams]
        return np.array([0.0 if yes is None else p[yes] for p, yes in said], dtype=np.float32)


def _yes(model):
    """Column of the label 1; None if the model has never seen it."""
    found = np.flatnonzero(model.classes_ == 1)
    return int(found[0]) if len(found) else None


def _names(names, n_labels):
    names = [str(k) for k in range(n_labels)] if names is None else [str(one) for one in names]
    if len(names) != n_labels or len(set(names)) != n_labels:
        raise ValueError(f"label_names must name each of {n_labels} labels once, got {names}.")
    return names


def _check_frames(y, X):
    """Labels of frames, or None if they are of trials."""
    if y is None:
        raise ValueError("y is needed: labels of trials or of frames.")
    y = in_order(y)
    if not len(y) or np.ndim(y[0]) != 2:
        return None
    frames = [np.asarray(one) for one in y]
    if len(frames) != len(X):
        raise ValueError(f"y must hold one array a trial: {len(X)} trials, {len(frames)} given.")
    for i, (one, trial) in enumerate(zip(frames, X)):
        wanted = (len(trial), frames[0].shape[1])
        if one.shape != wanted:
            raise ValueError(f"y[{i}] must have shape {wanted}, got {one.shape}.")
        _check_values(one, f"y[{i}]")
    return [one.astype(int) for one in frames]


def _check_values(values, name):
    odd = np.argwhere(~np.isin(values, (0, 1, UNLABELLED)))
    if len(odd):
        row, column = odd[0]
        raise ValueError(
            f"{name}[{row}, {column}] is {values[row, column]}: labels are 0, 1, or -1 for not "
            "known."
        )
