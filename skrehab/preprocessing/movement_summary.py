"""MovementSummary: one row of numbers a trial, for any model of scikit-learn."""

from numbers import Real

import numpy as np
from scipy.signal import butter, filtfilt
from sklearn.base import TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skrehab.preprocessing.measures import measure_skeleton
from skrehab.preprocessing.smoothness import (
    count_speed_peaks,
    log_dimensionless_jerk,
    spectral_arc_length,
)
from skrehab.preprocessing.trial_steps import TrialTransformer
from skrehab.skeletons import Skeleton, get_skeleton

__all__ = ["MovementSummary", "fill_all", "low_pass"]

KINDS = ("range", "path", "mean_speed", "peak_speed", "sparc", "ldlj", "peaks")
OF_PAIRS = ("path", "peak_speed")  # what left and right are compared by
SUFFIX = "_measures"


def fill_all(trial):
    """Fill every gap by a straight line, and both ends by the nearest value.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        Positions.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords), dtype float64
        The same without NaN, but where a coordinate was never seen.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.movement_summary import fill_all
    >>> fill_all(np.array([np.nan, 1, np.nan, 3]).reshape(4, 1, 1)).ravel()
    array([1., 1., 2., 3.])
    """
    out = trial.astype(float)
    lost = np.isnan(out)
    frames = np.arange(len(out))
    for place in np.argwhere(lost.any(axis=0) & ~lost.all(axis=0)):
        column = (slice(None), *place)
        seen = ~lost[column]
        out[column] = np.interp(frames, frames[seen], out[column][seen])
    return out


def low_pass(trial, frame_rate, cutoff):
    """Filter each coordinate forwards and backwards, so that nothing is delayed.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, ...)
        Positions without NaN.
    frame_rate : float
        Frames a second.
    cutoff : float
        Hz, of a Butterworth filter of second order, run twice.

    Returns
    -------
    ndarray of shape (n_frames, ...)
        The filtered trial; as it is where it has fewer than ten frames, or `cutoff` is not below
        half the frame rate.

    References
    ----------
    Winter 2009, Biomechanics and Motor Control of Human Movement, 4th ed., section 3.4.4.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.movement_summary import low_pass
    >>> shaky = np.sin(2 * np.pi * 14 * np.arange(90) / 30)
    >>> float(np.abs(low_pass(shaky, 30, 6)[10:-10]).max()) < 0.05
    True
    """
    if len(trial) < 10 or cutoff >= frame_rate / 2:
        return trial
    return filtfilt(*butter(2, cutoff / (frame_rate / 2)), trial, axis=0)


class MovementSummary(TrialTransformer, auto_wrap_output_keys=("transform",)):
    """Describe each trial by one row: how far, how long, how fast, how smooth, how symmetric.

    Takes landmarks, or the measures of :class:`skrehab.KinematicMeasures`, and gives what any
    scikit-learn model takes. It needs the whole trial: it does not run live.

    Parameters
    ----------
    skeleton : str, Skeleton or None, default=None
        Names the columns, drops a score and pairs left and right. ``"mediapipe33_measures"`` is the
        skeleton of KinematicMeasures of mediapipe33, and so for the others. None numbers the
        landmarks, takes three coordinates of four, and compares no sides.
    frame_rate : float, default=30.0
        Frames a second of the trials.
    cutoff : float or None, default=6.0
        Cut-off of the filter that positions pass first, see :func:`low_pass`; None leaves it out.
    landmarks : sequence of (str or int), optional
        The landmarks to describe, by name or column; None takes all.

    Attributes
    ----------
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.

    Notes
    -----
    The first column is the duration in seconds. Each landmark has its *range* (length of the
    diagonal of the box it moves in), *path*, *mean_speed* and *peak_speed* (95th percentile) in the
    units of X, *sparc* and *ldlj* (:func:`~skrehab.preprocessing.spectral_arc_length`,
    :func:`~skrehab.preprocessing.log_dimensionless_jerk`), and the number of *peaks* of its speed
    (that stand out by a tenth of the highest). Each pair has the symmetry of its paths and of its
    peak speeds, ``(left - right) / (left + right)``: 0 if both do the same, 1 if only the left one
    moves (half of Robinson's symmetry index).

    Lost frames are filled by straight lines first. NaN is left where nothing can be said: a
    landmark never seen, the smoothness of what does not move. Put ``SimpleImputer()`` behind it for
    models that take none.

    References
    ----------
    Robinson, Herzog & Nigg 1987, J. Manip. Physiol. Ther. 10: 172-176.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrehab import KinematicMeasures, MovementSummary
    >>> from skrehab.datasets import make_rehab_trials
    >>> data = make_rehab_trials(2, 1, random_state=0)
    >>> rows = make_pipeline(
    ...     KinematicMeasures("mediapipe33", frame_rate=data.frame_rate),
    ...     MovementSummary("mediapipe33_measures", frame_rate=data.frame_rate),
    ... )
    >>> rows.fit_transform(data.X).shape == (len(data.X), 1 + 27 * 7 + 9 * 2)
    True
    >>> rows.get_feature_names_out()[:3]
    array(['duration', 'trunk_lean_forward_range', 'trunk_lean_forward_path'],
          dtype=object)
    """

    _parameter_constraints = {
        "skeleton": [str, Skeleton, None],
        "frame_rate": [Interval(Real, 0, None, closed="neither")],
        "cutoff": [Interval(Real, 0, None, closed="neither"), None],
        "landmarks": ["array-like", None],
    }

    set_output = TransformerMixin.set_output  # of tables

    def __init__(self, skeleton=None, *, frame_rate=30.0, cutoff=6.0, landmarks=None):
        self.skeleton = skeleton
        self.frame_rate = frame_rate
        self.cutoff = cutoff
        self.landmarks = landmarks

    def _learn(self, X):
        n_landmarks = X[0].shape[1]
        skeleton = self._whole
        if skeleton is not None and skeleton.n_landmarks != n_landmarks:
            raise ValueError(
                f"X[0] has {n_landmarks} landmarks, skeleton {skeleton.name!r} has "
                f"{skeleton.n_landmarks}. Pass the trials' own skeleton, or None."
            )
        super()._learn(X)
        self._columns()

    @property
    def _whole(self):
        if isinstance(self.skeleton, str) and self.skeleton.endswith(SUFFIX):
            return measure_skeleton(self.skeleton.removesuffix(SUFFIX))
        return None if self.skeleton is None else get_skeleton(self.skeleton)

    def _columns(self):
        """Columns of the landmarks that are described."""
        if self.landmarks is None:
            return list(range(self.n_landmarks_))
        skeleton, found = self._whole, []
        for one in self.landmarks:
            if isinstance(one, str):
                if skeleton is None:
                    raise ValueError(f"landmarks holds the name {one!r}: pass a skeleton too.")
                one = skeleton.index(one)
            if not 0 <= one < self.n_landmarks_:
                raise ValueError(
                    f"landmarks holds {one}: X has {self.n_landmarks_}, numbered from 0."
                )
            found.append(int(one))
        return found

    def _pairs(self, columns):
        """Places, among the columns, of left and right."""
        pairs = () if self._whole is None else self._whole.pairs
        return [(columns.index(a), columns.index(b)) for a, b in pairs if {a, b} <= set(columns)]

    def transform(self, X):
        """Describe each trial.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials with the landmarks and coordinates seen in fit.

        Returns
        -------
        ndarray of shape (n_trials, n_features), dtype float64
            One row a trial, its columns as :meth:`get_feature_names_out` says.
        """
        return np.stack([self._transform_one(trial) for trial in self._check(X)])

    def _transform_one(self, trial):
        columns = self._columns()
        n_dims = min(3 if self._whole is None else self._whole.n_dims, trial.shape[2])
        places = fill_all(trial[:, columns, :n_dims])
        never = np.isnan(places).any(axis=(0, 2))
        places[:, never] = 0
        if self.cutoff is not None:
            places = low_pass(places, self.frame_rate, self.cutoff)
        step = np.linalg.norm(np.diff(places, axis=0), axis=2)
        speed = step * self.frame_rate
        if not len(speed):
            speed = np.zeros((1, len(columns)))
        rows = {
            "range": np.linalg.norm(np.ptp(places, axis=0), axis=1),
            "path": step.sum(axis=0),
            "mean_speed": speed.mean(axis=0),
            "peak_speed": np.percentile(speed, 95, axis=0),
            "sparc": spectral_arc_length(speed, self.frame_rate),
            "ldlj": log_dimensionless_jerk(speed, self.frame_rate),
            "peaks": count_speed_peaks(speed).astype(float),
        }
        table = np.stack([rows[kind] for kind in KINDS], axis=1)
        table[never] = np.nan
        out = [[len(trial) / self.frame_rate], table.ravel()]
        for a, b in self._pairs(columns):
            left, right = (table[i, [KINDS.index(kind) for kind in OF_PAIRS]] for i in (a, b))
            with np.errstate(invalid="ignore"):
                out.append((left - right) / (left + right))
        return np.concatenate(out)

    def get_feature_names_out(self, input_features=None):
        """Name the columns.

        Parameters
        ----------
        input_features : array-like of str of shape (n_landmarks,), optional
            Names of the landmarks, where no skeleton gives them.

        Returns
        -------
        ndarray of str of shape (n_features,), dtype object
            Such as ``left_wrist_peak_speed``.
        """
        check_is_fitted(self)
        columns, whole = self._columns(), self._whole
        if whole is not None:
            input_features = whole.landmarks
        elif input_features is None:
            input_features = [f"landmark{i}" for i in range(self.n_landmarks_)]
        names = ["duration"]
        names += [f"{input_features[i]}_{kind}" for i in columns for kind in KINDS]
        for a, _ in self._pairs(columns):
            twin = input_features[columns[a]]
            for word in ("left_", "_left"):
                twin = twin.replace(word, "")
            names += [f"{twin}_{kind}_symmetry" for kind in OF_PAIRS]
        return np.array(names, dtype=object)

    def _start_stream(self):
        raise ValueError(
            "MovementSummary describes whole trials: it does not run live. Use KinematicMeasures "
            "and a frame model."
        )
