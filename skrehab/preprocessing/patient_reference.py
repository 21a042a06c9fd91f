"""PatientReference: what differs from the same patient's own earlier trials of the exercise."""

import copy
import warnings
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import TrialList
from skrehab.preprocessing.earlier_trials import (
    filled_up,
    mean_of_seen,
    mean_posture,
    trials_before,
)
from skrehab.preprocessing.trial_steps import FrameByFrame, TrialTransformer
from skrehab.trials import check_groups, check_trial_labels, check_trials, labelled

__all__ = ["PatientReference"]


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
    :meth:`for_patient` has been given trials of the new one; or, told ``groups``, what came before
    each trial among those that it is given, as in a study. As with
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
    __metadata_request__transform = {"exercise": True, "groups": True}

    def __init__(self, n_trials=1, *, which="any", normal_label=None):
        self.n_trials = n_trials
        self.which = which
        self.normal_label = normal_label

    def get_metadata_routing(self):
        """Say what is asked for: patients in `transform` only if no label is needed beside them.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRequest
            Requests of ``fit`` and ``transform``.
        """
        request = super().get_metadata_routing()
        if self.which == "normal":
            request.transform.add_request(param="groups", alias=UNUSED)
        return request

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
        postures = [mean_of_seen(trial) for trial in X]
        people = np.zeros(len(X), dtype=int)
        if groups is not None:
            people = np.unique(groups, return_inverse=True)[1]

        def mean_of(chosen):
            own = [
                mean_of_seen([postures[i] for i in chosen if people[i] == person])
                for person in np.unique(people[chosen])
            ]
            return mean_of_seen(own)

        overall = filled_up(mean_of(np.flatnonzero(usable)), np.zeros(self._shape))
        self.mean_ = np.stack(
            [
                filled_up(mean_of(chosen), overall) if len(chosen) else overall
                for code in range(codes.max() + 1)
                for chosen in [np.flatnonzero(usable & (codes == code))]
            ]
        )
        self.reference_ = self.mean_.copy()
        self.own_ = np.zeros(len(self.mean_), dtype=bool)
        keys = [None] * len(X) if groups is None else list(zip(people, codes))
        others = trials_before(keys, self.n_trials, usable)
        alone = sum(not own for own in others)
        if groups is not None and 2 * alone > len(X):
            warnings.warn(
                f"PatientReference: {alone} of {len(X)} training trials are the only one of their "
                "patient and exercise that may be compared with, and are compared with the mean of "
                "all patients instead. A model learns little of what for_patient does from that.",
                UserWarning,
                stacklevel=2,
            )
        return codes, postures, others

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
            known = y[labelled(y)]
            normal = known.min() if len(known) else None
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
                mean = filled_up(mean_of_seen([postures[i] for i in own]), mean)
            out.append(_less(trial, mean))
        return out

    def transform(self, X, exercise=None, groups=None):
        """Subtract the reference.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials of the patient whom :meth:`for_patient` was given, or of nobody known.
        exercise : array-like of shape (n_trials,), optional
            Exercise of each trial. Not needed where there is one only.
        groups : array-like of shape (n_trials,), optional
            Patients, whom nothing need be known of: each trial is compared with the `n_trials`
            before it in X of the same patient and exercise, or with as many as there are; never
            with itself, one that came later, or a label. The first one has the mean of the training
            patients. Where :meth:`for_patient` was given trials, these stay the reference.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
            What differs from the reference.

        Raises
        ------
        ValueError
            If exercises are needed and missing, one is unknown, or `groups` is given with
            ``which="normal"``, which needs labels that `transform` is not told.
        """
        X = self._check(X)
        codes = self._codes(X, exercise)
        earlier = self._earlier(X, codes, groups)
        out = TrialList()
        for trial, code, own in zip(X, codes, earlier):
            reference = self.reference_[code]
            if own:
                reference = filled_up(mean_posture([X[i] for i in own]), self.mean_[code])
            out.append(_less(trial, reference))
        return out

    def _earlier(self, X, codes, groups):
        """Positions of each trial's own earlier ones, where patients are told."""
        groups = check_groups(groups, X)
        if groups is None:
            return [[]] * len(X)
        if self.which == "normal":
            raise ValueError(
                "which='normal' compares with trials that are known to be normal, and transform is "
                "told no labels: take which='any', or give such trials to for_patient or "
                "adapt_to_patient."
            )
        keys = [
            None if self.own_[code] else (person, code)
            for person, code in zip(groups.tolist(), codes)
        ]
        return trials_before(keys, self.n_trials, stand_in=False)

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
            out.reference_[code] = filled_up(mean_posture(trials), self.mean_[code])
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


def _less(trial, reference):
    return (trial - reference).astype(np.float32)


def _some(names):
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
