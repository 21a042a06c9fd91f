"""Synthetic Box-and-Block test: RGB clips and key-points of four classes, as StrokeVision-Bench."""

from collections.abc import Mapping

import numpy as np
from sklearn.utils import check_random_state

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._sizes import check_frame_rate, check_whole
from skrehab.datasets.drawn.bbt_film import LazyClip
from skrehab.datasets.drawn.bbt_patients import IMBALANCED, TARGET_NAMES, plan_clips

__all__ = ["make_bbt_clips"]

_DESCR = """\
Synthetic Box-and-Block test after StrokeVision-Bench
-----------------------------------------------------
Nobody was filmed: every frame is drawn. A seated person moves blocks between the two compartments
of a box, or does something else, in clips of one action each:

  Grasping                  the hand goes down among the blocks, closes on one, lifts it slightly
  Non-task Movement         rests, scratches the head, shifts the trunk, reaches elsewhere, rubs the
                            other arm, gestures, touches the face
  Transport with Object     the hand takes a block over the partition, and may drop it in the end
  Transport without Object  the same path with an empty hand, open or closed

Both transports are drawn from one distribution of movements, so key-points cannot tell them apart
at all, the picture can: in reality key-points tell a little. Either hand acts, in either direction.
Patients differ in size, speed, tremor, steadiness, help by the trunk and the shoulder, skin, hair,
clothes, room, light and camera. One hand of each is more affected.

Key-points are COCO's 17 in pixels: x = 0 is the picture's left edge, and pixel i covers i to i + 1.
Errors wander; they are larger, and scores lower, where something hides a key-point. Hips and legs
are under the table. Blocks have edges of 4 cm instead of 2.5, to be seen in small pictures.

After StrokeVision-Bench, arXiv 2509.07994, whose clips are not public.
"""


def make_bbt_clips(
    n_patients=6,
    clips_per_class=4,
    *,
    n_frames=30,
    image_size=64,
    frame_rate=30.0,
    class_weights=None,
    lazy=False,
    random_state=None,
):
    """Render a synthetic Box-and-Block test: RGB clips, key-points and four classes.

    It stands in for StrokeVision-Bench, whose clips are not public: see ``DESCR`` of the result for
    what is in it. A clip takes about 40 ms at 64 pixels.

    Parameters
    ----------
    n_patients : int, default=6
        Number of patients.
    clips_per_class : int, default=4
        Clips of each class per patient, so a patient has four times as many.
    n_frames : int, default=30
        Frames of each clip.
    image_size : int, default=64
        Width and height in pixels, at least 16. The same seed shows the same at any size.
    frame_rate : float, default=30.0
        Frames per second; it sets the rates of tremor, scratching and falling. A clip shows one
        action whatever its length.
    class_weights : None, "imbalanced", mapping or sequence of float, default=None
        Share of each class among all ``4 * n_patients * clips_per_class`` clips: by class name (a
        name left out has weight 0), or in the order of ``target_names``. ``"imbalanced"`` is
        0.34, 0.36, 0.18, 0.12: that grasping and non-task movement have the most clips is all that
        is known of the real data. None gives every patient the same number of each.
    lazy : bool, default=False
        Do not render now: ``videos`` are objects with ``shape``, ``dtype`` and length that render
        the same frames each time ``numpy.asarray`` or an index asks for them. They pickle small.
        For large pictures: 1,000 clips of 224 pixels take 4.5 GB.
    random_state : int, RandomState instance or None, default=None
        Seed. The same seed gives the same bytes, lazy or not.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_clips`` clips ordered by patient and class:

        * ``videos``: list of uint8 arrays (n_frames, image_size, image_size, 3), RGB;
        * ``poses``: list of float32 arrays (n_frames, 17, 3): x and y in pixels, score in [0, 1];
        * ``target``: str array (n_clips,), class names; ``target_names``: the four of them;
        * ``patients``: str array (n_clips,), ``"P01"`` and so on; ``groups`` is the same array;
        * ``side``: str array (n_clips,), hand that acts, ``"left"`` or ``"right"``;
        * ``activity``: str array (n_clips,), what is done in a non-task clip;
        * ``frame_rate``: float; ``skeleton``: ``"coco17"``; ``DESCR``: str.

    Raises
    ------
    ValueError
        If a parameter is out of range, or a class weight is not for one of the classes.

    See Also
    --------
    load_strokevision_bench : Read the real clips from one's own copy.

    References
    ----------
    "StrokeVision-Bench: A Multimodal Video and 2D Pose Benchmark for Tracking Stroke Recovery",
    arXiv 2509.07994. Mathiowetz, Volland, Kashman and Weber, "Adult Norms for the Box and Block
    Test of Manual Dexterity", Am J Occup Ther 39 (1985), 386-391.

    Examples
    --------
    >>> from skrehab.datasets import make_bbt_clips
    >>> data = make_bbt_clips(n_patients=2, clips_per_class=1, n_frames=8, random_state=0)
    >>> data.videos[0].shape, data.poses[0].shape, len(data.videos)
    ((8, 64, 64, 3), (8, 17, 3), 8)
    >>> data.target[:4].tolist()
    ['Grasping', 'Non-task Movement', 'Transport with Object', 'Transport without Object']
    """
    check_whole(1, n_patients=n_patients, clips_per_class=clips_per_class, n_frames=n_frames)
    check_whole(16, image_size=image_size)
    check_frame_rate(frame_rate)
    shares = _check_weights(class_weights)

    plan = plan_clips(n_patients, clips_per_class, shares, check_random_state(random_state))
    videos = [LazyClip(clip, int(n_frames), int(image_size), float(frame_rate)) for clip in plan]
    poses, sides, activities = zip(*(video.observe() for video in videos))
    patients = np.array([clip["patient"] for clip in plan])
    return TrialsBunch(
        videos=videos if lazy else [np.asarray(video) for video in videos],
        poses=list(poses),
        target=np.array(TARGET_NAMES)[[clip["target"] for clip in plan]],
        target_names=list(TARGET_NAMES),
        patients=patients,
        groups=patients,
        side=np.array(sides),
        activity=np.array(activities),
        frame_rate=float(frame_rate),
        skeleton="coco17",
        DESCR=_DESCR,
    )


def _check_weights(weights):
    """Shares of the four classes, or None."""
    if weights is None:
        return None
    if isinstance(weights, str):
        if weights != "imbalanced":
            raise ValueError(
                f"class_weights must be None, 'imbalanced', a mapping of class names or four "
                f"numbers, got {weights!r}."
            )
        weights = IMBALANCED
    if isinstance(weights, Mapping):
        unknown = [name for name in weights if name not in TARGET_NAMES]
        if unknown:
            raise ValueError(
                f"class_weights: there is no class {unknown[0]!r}; there are {list(TARGET_NAMES)}."
            )
        weights = [weights.get(name, 0.0) for name in TARGET_NAMES]
    shares = np.asarray(weights, dtype=float)
    if shares.shape != (len(TARGET_NAMES),) or not np.isfinite(shares).all():
        raise ValueError(f"class_weights must be four finite numbers, got {weights!r}.")
    if (shares < 0).any() or shares.sum() <= 0:
        raise ValueError(f"class_weights must be >= 0 and not all 0, got {weights!r}.")
    return shares
