"""From an estimator's `augment` to what changes its batches."""

import numpy as np

from skrehab.training.augmentation import Augmentation

__all__ = ["plan_changes", "plan_clip_changes"]

# what changes poses only, and pictures only; the rest changes both
OF_POSES = ("splice", "rotate", "offset", "stretch", "jitter", "turn", "zoom")
OF_PICTURES = ("crop", "color")


def plan_changes(
    augment,
    trials,
    *,
    groups=None,
    exercise=None,
    labels=None,
    spread=1.0,
    whole=None,
    n_frames=None,
    classes=None,
):
    """Prepare what `augment` of an estimator asks for.

    Parameters
    ----------
    augment : Augmentation, dict or None
        Which changes.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Training trials.
    groups, exercise : ndarray of shape (n_trials,), optional
        Patient and exercise of each trial.
    labels : ndarray of shape (n_trials,), optional
        Trial labels, where only normal trials may be joined to others.
    spread : float or ndarray of shape (n_landmarks, n_coords), default=1.0
        Unit of the offset.
    whole : ndarray of shape (n_trials,), dtype bool, optional
        Trials that are joined to others as they are, not in pieces.
    n_frames : int, optional
        Frames that the network looks at, for `time_jitter`.
    classes : ndarray of shape (n_classes,), optional
        Labels, for `swap`.

    Returns
    -------
    Changes or None
        What changes batches; None if nothing was asked for.

    Raises
    ------
    ValueError
        If a parameter is unknown or out of range, or does not fit the trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.plans import plan_changes
    >>> X = [np.zeros((5, 33, 3)), np.zeros((7, 33, 3))]
    >>> plan_changes({"splice": 1.0}, X, groups=np.array([1, 1])).partners
    [array([0, 1]), array([0, 1])]
    """
    augment = _as_augmentation(augment)
    if augment is None:
        return None
    _refuse(augment, OF_PICTURES, "changes pictures, and these are poses")
    partners = None
    if groups is not None and augment.splice:
        allowed = np.ones(len(trials), dtype=bool)
        if labels is not None:
            allowed = labels == augment._normal(np.unique(labels))
        person = np.unique(groups, return_inverse=True)[1]
        what = np.zeros_like(person)
        if exercise is not None:
            what = np.unique(exercise, return_inverse=True)[1]
        members = {}
        for i, key in enumerate(zip(person.tolist(), what.tolist())):
            members.setdefault(key, []).append(i)
        pools = {key: np.array([i for i in of if allowed[i]]) for key, of in members.items()}
        partners = [pools[key] for key in zip(person.tolist(), what.tolist())]
    how = {"n_frames": n_frames, "classes": classes}
    return augment.changes(trials, partners, spread, whole, **how)


def plan_clip_changes(augment, n_frames, *, poses=None, spread=1.0, pose_frames=None, classes=None):
    """Prepare what `augment` asks for where trials are clips of pictures, or have them.

    Parameters
    ----------
    augment : Augmentation, dict or None
        Which changes.
    n_frames : int
        Frames of a clip.
    poses : list of ndarray of shape (n_frames_i, n_landmarks, n_coords), optional
        Skeletons of the training trials beside their clips; None where there are clips only.
    spread : float or ndarray of shape (n_landmarks, n_coords), default=1.0
        Unit of the offset and the jitter of skeletons.
    pose_frames : int, optional
        Frames that the network looks at of a skeleton.
    classes : ndarray of shape (n_classes,), optional
        Labels, for `swap`.

    Returns
    -------
    ClipChanges or None
        What changes batches; None if nothing was asked for.

    Raises
    ------
    ValueError
        If a parameter is unknown or out of range, or does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.plans import plan_clip_changes
    >>> view = plan_clip_changes({"crop": 0.5}, 8).draw(np.random.RandomState(0))
    >>> [round(float(share), 2) for share in view.box]
    [0.12, 0.05, 0.8, 0.91]
    """
    augment = _as_augmentation(augment)
    if augment is None:
        return None
    if poses is None:
        _refuse(augment, OF_POSES, "changes poses, and these are pictures")
        return augment.clip_changes(n_frames, classes=classes)
    _refuse(augment, ("splice",), "joins trials, of which the pictures cannot be joined")
    changes = (
        augment.changes(poses, spread=spread, n_frames=pose_frames, classes=classes)
        if poses
        else None
    )
    return augment.clip_changes(n_frames, poses=changes, classes=classes)


def _as_augmentation(augment):
    """Take an Augmentation, or a dict of its parameters.

    Parameters
    ----------
    augment : Augmentation, dict or None
        As an estimator was given it.

    Returns
    -------
    Augmentation or None
        The same.

    Raises
    ------
    ValueError
        If a parameter is unknown.
    """
    if not isinstance(augment, dict):
        return augment
    known = sorted(Augmentation._get_param_names())
    unknown = sorted(set(augment) - set(known))
    if unknown:
        raise ValueError(f"augment has no parameter {unknown[0]!r}: known are {known}.")
    return Augmentation(**augment)


def _refuse(augment, names, why):
    """Refuse changes that would do nothing.

    Parameters
    ----------
    augment : Augmentation
        Which changes.
    names : sequence of str
        Parameters that must be off.
    why : str
        Why, as the end of "augment: <name> ...".

    Raises
    ------
    ValueError
        If one of them is on.
    """
    for name in names:
        if getattr(augment, name):
            raise ValueError(f"augment: {name} {why}. Use {name}=0.")
