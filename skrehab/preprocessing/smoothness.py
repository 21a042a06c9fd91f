"""How smooth a movement is, from its speed: spectral arc length and log dimensionless jerk."""

import numpy as np

__all__ = ["count_speed_peaks", "log_dimensionless_jerk", "spectral_arc_length"]


def _check(speed, frame_rate):
    speed = np.asarray(speed, dtype=float)
    if speed.ndim == 0 or not np.isfinite(speed).all():
        raise ValueError("speed must be an array without NaN: fill lost frames first.")
    if not frame_rate > 0:
        raise ValueError(f"frame_rate must be above 0 frames a second, got {frame_rate!r}.")
    return speed


def spectral_arc_length(speed, frame_rate, *, max_frequency=10.0, threshold=0.05, padding=4):
    """Measure smoothness by the length of the speed's spectrum (SPARC).

    Parameters
    ----------
    speed : array-like of shape (n_frames, ...)
        Speed profiles along the first axis, not negative, in any unit.
    frame_rate : float
        Frames a second.
    max_frequency : float, default=10.0
        Where the spectrum is cut at the latest, in Hz.
    threshold : float, default=0.05
        Share of the spectrum's peak below which it is cut at both ends.
    padding : int, default=4
        Zeros appended, as powers of two over the length.

    Returns
    -------
    ndarray of shape (...)
        Negative numbers; nearer to zero is smoother: about -1.6 for one smooth reach, a unit or
        more lower for each hesitation. NaN where there is no speed at all, or one frame. It has no
        unit and does not change with the speed's scale.

    Raises
    ------
    ValueError
        If `speed` holds NaN, or the frame rate is not above 0.

    Notes
    -----
    With ``V`` the magnitude of the Fourier transform divided by its maximum, and ``w_c`` the last
    frequency up to `max_frequency` at which it reaches `threshold`, it is minus the length of the
    curve ``(w / w_c, V(w))`` for w from the first such frequency, here 0, to ``w_c``.

    References
    ----------
    Balasubramanian, Melendez-Calderon, Roby-Brami & Burdet 2015, J. NeuroEng. Rehabil. 12: 112,
    equations 8 and 9.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import spectral_arc_length
    >>> t = np.linspace(0, 1, 101)
    >>> one = 30 * t**2 * (1 - t) ** 2  # a minimum-jerk reach
    >>> spectral_arc_length(one, 100).round(2), spectral_arc_length([*one, *one], 100).round(2)
    (np.float64(-1.41), np.float64(-2.28))
    """
    speed = _check(speed, frame_rate)
    if len(speed) < 2:
        return np.full(speed.shape[1:], np.nan)[()]
    n_points = 2 ** (int(np.ceil(np.log2(len(speed)))) + padding)
    spectrum = np.abs(np.fft.fft(speed, n_points, axis=0))
    frequency = np.arange(n_points) * (frame_rate / n_points)
    kept = frequency <= max_frequency
    spectrum, frequency = spectrum[kept], frequency[kept]
    out = np.full(speed.shape[1:], np.nan)
    for place in np.ndindex(out.shape):
        curve = spectrum[(slice(None), *place)]
        if curve.max() <= 0:
            continue
        curve = curve / curve.max()
        above = np.flatnonzero(curve >= threshold)
        part = slice(above[0], above[-1] + 1)
        f, v = frequency[part], curve[part]
        if len(f) > 1:
            out[place] = -np.hypot(np.diff(f) / (f[-1] - f[0]), np.diff(v)).sum()
    return out[()]


def log_dimensionless_jerk(speed, frame_rate):
    """Measure smoothness by the jerk, made independent of duration and size (LDLJ).

    Parameters
    ----------
    speed : array-like of shape (n_frames, ...)
        Speed profiles along the first axis, in any unit.
    frame_rate : float
        Frames a second.

    Returns
    -------
    ndarray of shape (...)
        Nearer to zero, or above, is smoother; NaN where there are fewer than three frames, no speed
        or no jerk. It has no unit.

    Raises
    ------
    ValueError
        If `speed` holds NaN, or the frame rate is not above 0.

    Notes
    -----
    ``-ln(T**3 / v_peak**2 * integral of (d2v / dt2)**2 dt)`` over the duration T. Noise weighs
    with the fourth power of its frequency: smooth positions first.

    References
    ----------
    Balasubramanian, Melendez-Calderon, Roby-Brami & Burdet 2015, J. NeuroEng. Rehabil. 12: 112,
    equations 3 and 4; Hogan & Sternad 2009, J. Mot. Behav. 41: 529-534.

    Examples
    --------
    The speed of a minimum-jerk reach is 30 t^2 (1 - t)^2, with peak 1.875 and an integral of 720
    over its squared second derivative: -ln(720 / 1.875^2) = -5.32.

    >>> import numpy as np
    >>> from skrehab.preprocessing import log_dimensionless_jerk
    >>> t = np.linspace(0, 1, 1001)
    >>> log_dimensionless_jerk(30 * t**2 * (1 - t) ** 2, 1000).round(2)
    np.float64(-5.32)
    """
    speed = _check(speed, frame_rate)
    if len(speed) < 3:
        return np.full(speed.shape[1:], np.nan)[()]
    duration = len(speed) / frame_rate
    jerk = np.diff(speed, 2, axis=0) * frame_rate**2
    total = (jerk**2).sum(axis=0) / frame_rate
    with np.errstate(divide="ignore", invalid="ignore"):
        out = -np.log(duration**3 / speed.max(axis=0) ** 2 * total)
    return np.where(np.isfinite(out), out, np.nan)[()]


def count_speed_peaks(speed, *, share=0.1):
    """Count the peaks of a speed profile: one for a smooth reach, more for hesitations.

    Parameters
    ----------
    speed : array-like of shape (n_frames, ...)
        Speed profiles along the first axis.
    share : float, default=0.1
        A peak stands out from both its sides by this share of the highest speed.

    Returns
    -------
    ndarray of shape (...), dtype int
        Number of peaks; one at the very begin or end is none.

    Examples
    --------
    >>> from skrehab.preprocessing.smoothness import count_speed_peaks
    >>> count_speed_peaks([0, 1, 0, 2, 1.9, 2.1, 0]), count_speed_peaks([0, 0, 0])
    (np.int64(2), np.int64(0))
    """
    from scipy.signal import find_peaks

    speed = np.asarray(speed, dtype=float)
    out = np.zeros(speed.shape[1:], dtype=int)
    for place in np.ndindex(out.shape):
        one = speed[(slice(None), *place)]
        if len(one) and one.max() > 0:
            out[place] = len(find_peaks(one, prominence=share * one.max())[0])
    return out[()]
