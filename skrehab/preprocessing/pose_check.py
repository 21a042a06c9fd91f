"""Hold the measures of trials against limits, and say which trials are bad."""

import warnings
from dataclasses import asdict, dataclass, fields

import numpy as np

from skrehab.preprocessing.pose_measures import pose_quality

__all__ = ["PoseLimits", "QualityReport", "check_pose_quality"]


@dataclass(frozen=True)
class PoseLimits:
    """From where on a pose is too bad.

    The defaults let pass what a patient who sits before a camera gives, with some lost frames, and
    stop what would teach a model nonsense. None of them is clinical: look at a few videos.

    Parameters
    ----------
    min_coverage : float, default=0.8
        Share of frames with a person.
    max_gap : float, default=1.0
        Seconds without a person.
    max_unclear : float, default=0.5
        Share of landmarks lost or hardly visible. Legs under a table are a third.
    max_jitter : float, default=0.03
        Trunk sizes.
    max_jumps : int, default=0
        Frames.
    max_swaps : float, default=0.05
        Share of frames with an exchange of left and right.
    max_person_changes : int, default=0
        Times.

    Examples
    --------
    >>> from skrehab.preprocessing import PoseLimits
    >>> PoseLimits(min_coverage=0.95).max_gap
    1.0
    """

    min_coverage: float = 0.8
    max_gap: float = 1.0
    max_unclear: float = 0.5
    max_jitter: float = 0.03
    max_jumps: int = 0
    max_swaps: float = 0.05
    max_person_changes: int = 0


@dataclass(frozen=True)
class QualityReport:
    """The trials' measures, and which of them are good.

    Parameters
    ----------
    rows : tuple of PoseQuality
        One a trial.
    limits : PoseLimits
        What they are held against.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import check_pose_quality
    >>> lost = np.full((30, 17, 2), np.nan)
    >>> lost[:3] = np.arange(34).reshape(17, 2)
    >>> seen = np.tile(lost[:1], (30, 1, 1))
    >>> report = check_pose_quality([seen, lost], on_bad="skip")
    >>> report.kept.tolist()
    [0]
    >>> print(report)
    trial  frames  seconds  coverage  gap, s  unclear  jitter  jumps  swaps  changes  verdict
    X[0]       30      1.0      1.00     0.0     0.00   0.000      0      0        0  good
    X[1]       30      1.0      0.10     0.9     0.00   0.000      0      0        0  bad
    """

    rows: tuple
    limits: PoseLimits

    @property
    def good(self):
        """Trials within all limits, as a boolean array of shape (n_trials,)."""
        return np.array([not row.problems(self.limits) for row in self.rows])

    @property
    def kept(self):
        """Indices of the good trials, to choose from X, y and groups alike."""
        return np.flatnonzero(self.good)

    def table(self):
        """Return the measures as rows, for a data frame or a CSV file.

        Returns
        -------
        list of dict
            The fields of :class:`PoseQuality`, and ``problems`` in words.
        """
        return [
            {**asdict(row), "problems": "; ".join(row.problems(self.limits))} for row in self.rows
        ]

    def __str__(self):
        head = ["trial", "frames", "seconds", "coverage", "gap, s", "unclear", "jitter", "jumps"]
        lines = [[*head, "swaps", "changes", "verdict"]]
        for row, good in zip(self.rows, self.good):
            lines.append(
                [
                    row.name,
                    str(row.n_frames),
                    f"{row.seconds:.1f}",
                    f"{row.coverage:.2f}",
                    f"{row.longest_gap:.1f}",
                    f"{row.unclear:.2f}",
                    f"{row.jitter:.3f}",
                    str(row.jumps),
                    str(row.swaps),
                    str(row.person_changes),
                    "good" if good else "bad",
                ]
            )
        widths = [max(map(len, column)) for column in zip(*lines)]
        ends = {0, len(widths) - 1}  # names and verdicts stand at the left
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i in ends else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths))
            ).rstrip()
            for line in lines
        )


def check_pose_quality(
    trials,
    *,
    limits=None,
    on_bad="warn",
    times=None,
    frame_rate=30.0,
    skeleton=None,
    names=None,
):
    """Measure the poses of trials and deal with the bad ones.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords), or of PoseTrack
        Trials; see :func:`pose_quality`.
    limits : PoseLimits, optional
        What is too much; by default ``PoseLimits()``.
    on_bad : {"warn", "raise", "skip"}, default="warn"
        "warn": one warning a bad trial, that names it. "raise": one error that names them all.
        "skip": nothing is said; choose the good ones by ``report.kept``, from y and groups, too.
    times : list of array-like of shape (n_frames_i,), optional
        Seconds. A PoseTrack brings its own.
    frame_rate : float, default=30.0
        Frames a second, where there are no times.
    skeleton : str or Skeleton, optional
        None guesses from the number of landmarks.
    names : list of str, optional
        What to call the trials; by default ``X[i]``, or a PoseTrack's source.

    Returns
    -------
    QualityReport
        The measures, and which trials are good.

    Raises
    ------
    ValueError
        If a trial cannot be measured, or, with ``on_bad="raise"``, is bad.

    See Also
    --------
    skrehab.GapFiller, skrehab.LeftRightRepair : What can be mended.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import check_pose_quality
    >>> seen = np.random.RandomState(0).randn(1, 33, 3).repeat(40, axis=0)
    >>> lost = seen.copy()
    >>> lost[10:35] = np.nan
    >>> X, y = [seen, lost, seen], np.array([0, 1, 1])
    >>> kept = check_pose_quality(X, on_bad="skip").kept
    >>> X, y = [X[i] for i in kept], y[kept]
    >>> y.tolist()
    [0, 1]
    """
    if on_bad not in ("warn", "raise", "skip"):
        raise ValueError(f"on_bad must be 'warn', 'raise' or 'skip', got {on_bad!r}.")
    limits = PoseLimits() if limits is None else limits
    _check_limits(limits)
    if not hasattr(trials, "__len__") or not len(trials):
        raise ValueError("trials holds no trial: at least one is needed.")
    for what, given in (("times", times), ("names", names)):
        if given is not None and len(given) != len(trials):
            raise ValueError(
                f"{what} must have one entry a trial: {len(trials)}, not {len(given)}."
            )
    rows = []
    for i, trial in enumerate(trials):
        rows.append(
            pose_quality(
                trial,
                times=None if times is None else times[i],
                frame_rate=frame_rate,
                skeleton=skeleton,
                name=str(names[i]) if names is not None else getattr(trial, "source", f"X[{i}]"),
            )
        )
    report = QualityReport(tuple(rows), limits)
    notes = [f"{row.name}: {', '.join(p)}" for row in rows if (p := row.problems(limits))]
    if notes and on_bad == "raise":
        raise ValueError(
            f"The pose is too bad in {len(notes)} of {len(rows)} trials: {'; '.join(notes)}."
        )
    if on_bad == "warn":
        for note in notes:
            warnings.warn(f"The pose is bad. {note}.", UserWarning, stacklevel=2)
    return report


def _check_limits(limits):
    if not isinstance(limits, PoseLimits):
        raise ValueError(f"limits must be a PoseLimits, got {type(limits).__name__}.")
    for field in fields(limits):
        value = getattr(limits, field.name)
        if not value >= 0:  # NaN too
            raise ValueError(f"{field.name} must be 0 or more, got {value!r}.")
