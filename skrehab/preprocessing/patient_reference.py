"""PatientReference: what differs from the same patient's own earlier trials of the exercise."""

import copy
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import TrialList
from skrehab.preprocessing.trial_steps import FrameByFrame, TrialTransformer
from skrehab.trials import check_groups, check_trial_labels, check_trials

__all__ = ["PatientReference", "mean_posture", "trials_before"]


def mean_posture(trials):
    """Average what every landmark or bone does over trials that weigh the same.

    Parameters
    ----------
    trials : sequence of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials; NaN is left out.

    Returns
    -------
    ndarray of shape (n_landmarks, n_coords), dtype float64
        Mean over trials of their means over frames; NaN where nothing was ever seen.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.patient_reference import mean_posture
    >>> mean_posture([np.full((2, 1, 1), 1.0), np.full((9, 1, 1), 3.0)])
    array([[2.]])
    """
    return _mean([_mean(trial) for trial in trials])


def _mean(values):
    """Mean over the first axis without NaN, and without numpy's warning where nothing is left."""
    values = np.asarray(values, dtype=float)
    seen = ~np.isnan(values)
    count = seen.sum(axis=0)
    total = np.where(seen, values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def trials_before(keys, n, eligible=None):
    """Find for each trial the trials of the same key that came before it.

    Where fewer came before, as for the first one, the last ones stand in for them: training trials
    are then compared with as many as those of a new patient will be.

    Parameters
    ----------
    keys : sequence of length n_trials
        What must be the same, such as patient and exercise; None belongs to nothing.
    n : int
        How many, at most.
    eligible : array-like of shape (n_trials,), dtype bool, optional
        Which trials may stand for others; None means all.

    Returns
    -------
    list of list of int
        Positions, the nearest first; never the trial itself.

    Examples
    --------
    >>> from skrehab.preprocessing.patient_reference import trials_before
    >>> trials_before(["a", "a", "b", "a"], 1)
    [[3], [0], [], [1]]
    """
    of = {}
    for i, key in enumerate(keys):
        if key is not None and (eligible is None or eligible[i]):
            of.setdefault(key, []).append(i)
    out = []
    for i, key in enumerate(keys):
        own = [j for j in of.get(key, []) if j != i]
        before = [j for j in own if j < i]
        out.append((before[::-1] + own[len(before) :][::-1])[:n])
    return out


class PatientReference(TrialTransformer):
    """Subtract the patient's own mean posture, taken from earlier trials of the same exercise.

    People differ in how they sit and stand more than a compensation differs from none. Behind
    :class:`BoneVectors` what is left says how this patient's limbs point *other than usual*. It
    uses other trials of the person who is judged, and so it is another setting than that of a
    patient never seen: `n_trials` of them, by default without any label.

    In training each trial is compared with the `n_trials` before it of the same patient and
    exercise, itself never among them; that is what ``fit_transform(X, y, groups=patients,
    exercise=exercises)`` gives, and what a :class:`~skrehab.pseudo_labels.PatientPipeline` makes of
    ``fit``. Afterwards `transform` subtracts the mean over the training patients, until
    :meth:`for_patient` has been given trials of the new one. As with
    :class:`sklearn.preprocessing.TargetEncoder`, ``fit(X).transform(X)`` is not
    ``fit_transform(X)``. Without `groups` nobody's own trials are known, and both subtract the mean
    of all.

    Parameters
    ----------
    n_trials : int, default=1
        Trials that each training trial is compared with: as many as there will be of a new patient.
    which : {"any", "normal"}, default="any"
        Take any trials, or only those labelled as normal, which needs y.
    normal_label : label, optional
        Label of a trial without the motion looked for. None means the smallest number among the
        labels; words need it.

    Attributes
    ----------
    exercises_ : ndarray of shape (n_exercises,) or None
        Exercises seen in fit; None if it was not told.
    mean_ : ndarray of shape (n_exercises or 1, n_landmarks, n_coords)
        Mean posture over the training patients, who weigh the same, for each exercise.
    reference_ : ndarray of shape (n_exercises or 1, n_landmarks, n_coords)
        What is subtracted: `mean_`, or a patient's own.
    own_ : ndarray of shape (n_exercises or 1,), dtype bool
        Where `reference_` is a patient's own. Nothing is kept of a training patient alone.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.

    See Also
    --------
    skrehab.adaptation.adapt_to_patient : The same for a whole pipeline, and more.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import PatientReference
    >>> X = [np.full((4, 1, 1), value) for value in (1.0, 1.5, 7.0, 7.5)]
    >>> reference = PatientReference()
    >>> changed = reference.fit_transform(X, groups=["Ann", "Ann", "Bea", "Bea"])
    >>> [trial[0].item() for trial in changed]  # each beside the other one of the same patient
    [-0.5, 0.5, -0.5, 0.5]
    >>> cid = reference.for_patient([np.full((4, 1, 1), 3.0)])
    >>> cid.transform([np.full((2, 1, 1), 3.25)])[0].ravel()
    array([0.25, 0.25], dtype=float32)
    """

    _parameter_constraints = {
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "which": [StrOptions({"any", "normal"})],
        "normal_label": "no_validation",
    }

    # handed on wherever they are given, as VideoClassifier has it
    __metadata_request__fit = {"groups": True, "exercise": True}
    __metadata_request__transform = {"exercise": True}

    def __init__(self, n_trials=1, *, which="any", normal_label=None):
        self.n_trials = n_trials
        self.which = which
        self.normal_label = normal_label

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, groups=None, exercise=None):
        """Measure the mean posture of the training patients, exercise by exercise.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials, in the order in which they were recorded.
        y : array-like of shape (n_trials,), optional
            Trial labels, for ``which="normal"``.
        groups : array-like of shape (n_trials,), optional
            Patients.
        exercise : array-like of shape (n_trials,), optional
            Exercise of each trial; None means that all are one.

        Returns
        -------
        PatientReference
            The transformer itself.

        Raises
        ------
        ValueError
            If ``which="normal"`` and labels are missing or none is normal.
        """
        self._fit(check_trials(X), y, groups, exercise)
        return self

    def _fit(self, X, y, groups, exercise):
        groups = check_groups(groups, X)
        exercise = check_groups(exercise, X, name="exercise", what="exercise")
        usable = self._usable(X, y)
        self._learn(X)
        self.exercises_, codes = None, np.zeros(len(X), dtype=int)
        if exercise is not None:
            self.exercises_, codes = np.unique(exercise, return_inverse=True)
        postures = [_mean(trial) for trial in X]
        people = np.zeros(len(X), dtype=int)
        if groups is not None:
            people = np.unique(groups, return_inverse=True)[1]

        def mean_of(chosen):
            own = [
                _mean([postures[i] for i in chosen if people[i] == person])
                for person in np.unique(people[chosen])
            ]
            return _mean(own)

        overall = _filled(mean_of(np.flatnonzero(usable)), np.zeros(self._shape))
        self.mean_ = np.stack(
            [
                _filled(mean_of(chosen), overall) if len(chosen) else overall
                for code in range(codes.max() + 1)
                for chosen in [np.flatnonzero(usable & (codes == code))]
            ]
        )
        self.reference_ = self.mean_.copy()
        self.own_ = np.zeros(len(self.mean_), dtype=bool)
        keys = [None] * len(X) if groups is None else list(zip(people, codes))
        return codes, postures, trials_before(keys, self.n_trials, usable)

    def _usable(self, X, y):
        """Which trials may be compared with."""
        if self.which == "any":
            return np.ones(len(X), dtype=bool)
        if y is None:
            raise ValueError(
                "which='normal' takes trials labelled as normal: pass y, one label a trial."
            )
        y = check_trial_labels(y, X)
        normal = self.normal_label
        if normal is None:
            if y.dtype.kind not in "biuf":
                raise ValueError(
                    f"Which of {np.unique(y).tolist()} is normal? Pass normal_label=..."
                )
            normal = y.min()
        usable = y == normal
        if not usable.any():
            raise ValueError(f"No trial is labelled as normal ({normal!r}).")
        return usable

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None, groups=None, exercise=None):
        """Fit, and compare each training trial with others of its patient, never with itself.

        Parameters
        ----------
        X, y, groups, exercise
            As of :meth:`fit`.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
            The trials. One whose patient has no other of that exercise is compared with the mean
            of the training patients.
        """
        X = check_trials(X)
        codes, postures, others = self._fit(X, y, groups, exercise)
        out = TrialList()
        for trial, code, own in zip(X, codes, others):
            mean = self.mean_[code]
            if own:
                mean = _filled(_mean([postures[i] for i in own]), mean)
            out.append(_less(trial, mean))
        return out

    def transform(self, X, exercise=None):
        """Subtract the reference.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials of the patient whom :meth:`for_patient` was given, or of nobody known.
        exercise : array-like of shape (n_trials,), optional
            Exercise of each trial. Not needed where there is one only.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
            What differs from the reference.

        Raises
        ------
        ValueError
            If exercises are needed and missing, or one is unknown.
        """
        X = self._check(X)
        codes = self._codes(X, exercise)
        return TrialList(_less(x, self.reference_[code]) for x, code in zip(X, codes))

    def _codes(self, X, exercise):
        """Row of the reference of each trial."""
        if self.exercises_ is None or (exercise is None and len(self.exercises_) == 1):
            return np.zeros(len(X), dtype=int)
        names = self.exercises_.tolist()
        if exercise is None:
            raise ValueError(
                f"PatientReference was fitted on {len(names)} exercises ({_some(names)}): say "
                "which one each trial is, exercise=..., or take one with for_exercise(name)."
            )
        if np.ndim(exercise) == 0:
            exercise = [exercise] * len(X)
        exercise = check_groups(exercise, X, name="exercise", what="exercise")
        unknown = [one for one in exercise.tolist() if one not in names]
        if unknown:
            raise ValueError(f"exercise {unknown[0]!r} is not among {_some(names)}.")
        return np.array([names.index(one) for one in exercise.tolist()], dtype=int)

    def for_patient(self, X, y=None, exercise=None):
        """Return a copy that compares with this patient's own trials.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials of one patient, what `transform` takes. All of them count, whatever `n_trials`.
        y : array-like of shape (n_trials,), optional
            Their labels. With ``which="normal"`` those labelled as normal are taken; without y all
            trials are taken to be known as normal.
        exercise : str or array-like of shape (n_trials,), optional
            Exercise of each trial, or of all.

        Returns
        -------
        PatientReference
            Fitted; this one stays as it is. For exercises without a trial the mean of the training
            patients is kept, see ``own_``.

        Raises
        ------
        ValueError
            If trials do not fit, no trial is given, or none is normal.
        """
        X = self._check(X)
        codes = self._codes(X, exercise)
        usable = np.ones(len(X), dtype=bool) if y is None else self._usable(X, y)
        out = copy.copy(self)
        out.reference_, out.own_ = self.mean_.copy(), np.zeros_like(self.own_)
        for code in np.unique(codes[usable]):
            trials = [X[i] for i in np.flatnonzero(usable & (codes == code))]
            out.reference_[code] = _filled(mean_posture(trials), self.mean_[code])
            out.own_[code] = True
        return out

    def for_exercise(self, name):
        """Return a copy for one exercise, as live, where no trial is told which it is.

        Parameters
        ----------
        name : label
            One of ``exercises_``.

        Returns
        -------
        PatientReference
            Fitted; this one stays as it is.

        Raises
        ------
        ValueError
            If the exercise is unknown.
        """
        check_is_fitted(self)
        if self.exercises_ is None:
            return copy.copy(self)
        code = self._codes([None], [name])
        out = copy.copy(self)
        out.exercises_, out.mean_ = self.exercises_[code], self.mean_[code]
        out.reference_, out.own_ = self.reference_[code], self.own_[code]
        return out

    def _start_stream(self):
        if len(self.reference_) > 1:
            raise ValueError(
                f"it holds {len(self.reference_)} exercises, and a frame does not say which it is: "
                "take one with for_exercise(name), or adapt_to_patient(..., exercise=name)."
            )
        return FrameByFrame(self._shape, partial(_less, reference=self.reference_[0]))


def _filled(values, others):
    return np.where(np.isnan(values), others, values)


def _less(trial, reference):
    return (trial - reference).astype(np.float32)


def _some(names):
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
