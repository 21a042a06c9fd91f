"""Tasks that a pose sequence sets by itself: pure functions on one trial, before any padding.

A sequence is slowed, masked or shuffled, and a network is asked by how much, what was there, or in
which order. No label is needed.
"""

from dataclasses import dataclass

import numpy as np

__all__ = [
    "OBJECTIVES",
    "View",
    "mask_limb",
    "resample",
    "shuffle_segments",
    "slow_down",
    "view",
]

#: Tasks of each objective; the first six are those of Tables 1 and 2 of Nekoui & Cheng 2021.
OBJECTIVES = {
    "pace+inpaint": ("pace", "inpaint"),
    "pace": ("pace",),
    "inpaint": ("inpaint",),
    "reconstruct": ("reconstruct",),
    "predict_motion": ("predict_motion",),
    "order": ("order",),
    "pace+reconstruct": ("pace", "reconstruct"),
    "pace+predict_motion": ("pace", "predict_motion"),
}


def resample(trial, n_frames):
    """Stretch or shrink a trial to a number of frames, by linear interpolation.

    Frame i stands for the stretch of time from i to i + 1, so that a trial of m frames runs at
    exactly m / n_frames of its speed afterwards; before the middle of the first and after that of
    the last frame the pose is held.

    Parameters
    ----------
    trial : ndarray of shape (n_frames_before, n_landmarks, n_coords)
        One trial.
    n_frames : int
        Frames wanted.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        The trial in that many frames; its own values where nothing changes.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.tasks import resample
    >>> resample(np.arange(3.0).reshape(3, 1, 1), 6).ravel()
    array([0.  , 0.25, 0.75, 1.25, 1.75, 2.  ])
    """
    last = len(trial) - 1
    place = np.clip((np.arange(n_frames) + 0.5) * len(trial) / n_frames - 0.5, 0, last)
    before = np.floor(place).astype(int)
    share = (place - before).astype(trial.dtype)[:, None, None]
    return trial[before] * (1 - share) + trial[np.minimum(before + 1, last)] * share


def _n_kept(n_frames, share):
    """Count the frames that are stretched back to a whole trial: floor(n_frames * share)."""
    return max(1, int(n_frames * share + 1e-9))  # 0.29 * 100 is a little less than 29


def slow_down(trial, share, start=0):
    """Slow a trial: take a share of its frames, consecutive ones, and stretch them over all of it.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial, not padded: padding would be stretched too.
    share : float
        Pace, in (0, 1]; 1 changes nothing.
    start : int, default=0
        First frame taken, 0 to ``n_frames - floor(n_frames * share)``.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        The slowed trial.

    Raises
    ------
    ValueError
        If the frames taken would reach beyond the trial.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, section 3.1: "samples [T x p] consecutive frames from S [...] repeat
    the sampled frames or use their linear interpolation. Here, we use the second".

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.tasks import slow_down
    >>> slow_down(np.arange(10.0).reshape(10, 1, 1), 0.6, start=2).ravel()
    array([2. , 2.4, 3. , 3.6, 4.2, 4.8, 5.4, 6. , 6.6, 7. ])
    """
    kept = _n_kept(len(trial), share)
    if not 0 <= start <= len(trial) - kept:
        raise ValueError(
            f"{kept} of {len(trial)} frames are taken: start must be 0 to {len(trial) - kept}, "
            f"got {start}."
        )
    return resample(trial[start : start + kept], len(trial))


def mask_limb(trial, landmarks):
    """Set landmarks to zero in all frames.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial, scaled so that zero is the middle.
    landmarks : sequence of int
        Landmarks of the limb, as in ``Skeleton.limbs``.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        A masked copy.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, section 3.1: "all of the frames in the sequence would be masked in
    the same way", so that no neighbouring frame gives the answer away.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.tasks import mask_limb
    >>> mask_limb(np.ones((2, 4, 1)), (1, 2))[..., 0]
    array([[1., 0., 0., 1.],
           [1., 0., 0., 1.]])
    """
    masked = trial.copy()
    masked[:, list(landmarks)] = 0
    return masked


def shuffle_segments(trial, n_segments, rng):
    """Cut a trial into segments of equal length and put them in another order.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial.
    n_segments : int
        Segments; with fewer frames than that, some of them are empty.
    rng : numpy.random.Generator
        Source of the order.

    Returns
    -------
    shuffled : ndarray of shape (n_frames, n_landmarks, n_coords)
        The same frames, those of a segment together.
    places : ndarray of shape (n_frames,), dtype int64
        For each frame, which segment of the trial it belonged to, 0 to ``n_segments - 1``.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, section 4.2, "order rec.": 25 segments.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.tasks import shuffle_segments
    >>> walk = np.arange(6.0).reshape(6, 1, 1)
    >>> shuffled, places = shuffle_segments(walk, 3, np.random.default_rng(0))
    >>> shuffled.ravel(), places
    (array([2., 3., 4., 5., 0., 1.]), array([1, 1, 2, 2, 0, 0]))
    """
    segment = np.arange(len(trial)) * n_segments // len(trial)
    rank = rng.permutation(n_segments)  # where each segment goes
    order = np.argsort(rank[segment], kind="stable")
    return trial[order], segment[order]


@dataclass(frozen=True)
class View:
    """What the networks get to see of one trial, and what they are asked.

    Parameters
    ----------
    seen : ndarray of shape (n_seen, n_landmarks, n_coords)
        What the encoder reads.
    given : ndarray of shape (n_frames, n_landmarks, n_coords)
        What the decoder is given, frame by frame.
    target : ndarray of shape (n_frames, n_landmarks, n_coords)
        What it should give back.
    pace : int
        How much the trial was slowed: index into the paces.
    places : ndarray of shape (n_frames,) or None
        Where each frame belongs, if the segments were shuffled.
    """

    seen: np.ndarray
    given: np.ndarray
    target: np.ndarray
    pace: int = 0
    places: np.ndarray | None = None


def view(trial, objective, rng, *, paces=(0.6, 0.7, 0.8, 0.9, 1.0), limbs=(), n_segments=25):
    """Set the tasks of an objective on one trial.

    With pace among the tasks the trial is slowed first, and everything else is asked of the slowed
    one; without it, it keeps its pace.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial, scaled to [-1, 1], nothing lost (0 instead), not padded.
    objective : str
        One of :data:`OBJECTIVES`. ``pace``: say how much it was slowed. ``inpaint``: give back one
        limb, masked in all frames. ``reconstruct``: give back everything from the encoder's final
        states alone. ``predict_motion``: the same for the second half, of which the encoder sees
        nothing either. ``order``: say where each shuffled segment belongs.
    rng : numpy.random.Generator
        Source of pace, first frame, limb and order.
    paces : sequence of float
        Paces to draw from, each in (0, 1].
    limbs : sequence of sequence of int
        Limbs to draw from.
    n_segments : int, default=25
        Segments that ``order`` shuffles.

    Returns
    -------
    View
        Inputs and targets.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, sections 3.1 and 4.2 (Table 2).

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.tasks import view
    >>> rng = np.random.default_rng(0)
    >>> one = view(np.ones((10, 15, 3)), "pace+inpaint", rng, limbs=[(3, 4, 5), (6, 7, 8)])
    >>> one.pace, (one.given == 0).all(axis=(0, 2)).nonzero()[0]
    (4, array([6, 7, 8]))
    """
    tasks = OBJECTIVES[objective]
    pace, places = 0, None
    if "pace" in tasks:
        pace = int(rng.integers(len(paces)))
        start = rng.integers(len(trial) - _n_kept(len(trial), paces[pace]) + 1)
        trial = slow_down(trial, paces[pace], start)
    seen = given = trial
    if "inpaint" in tasks:
        given = mask_limb(trial, limbs[rng.integers(len(limbs))])
    elif "reconstruct" in tasks:
        given = np.zeros_like(trial)
    elif "predict_motion" in tasks:
        seen = trial[: (len(trial) + 1) // 2]
        given = trial.copy()
        given[len(seen) :] = 0
    elif "order" in tasks:
        seen, places = shuffle_segments(trial, n_segments, rng)
        given = seen
    return View(seen, given, trial, pace, places)
