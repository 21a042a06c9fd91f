"""Stages of training a network of two branches: each branch alone, then both together."""

from skrehab.preprocessing import LandmarkScaler
from skrehab.training.modalities import MODALITIES
from skrehab.training.plans import plan_clip_changes

__all__ = ["keep_branches", "plan_stages", "plan_trial_changes"]

# parts of the network that a branch alone does not need
_NOT_ALONE = {
    "rgb": ("pose", "pose_widen", "pose_head", "pose_fusion", "rgb_fusion", "distillation"),
    "pose": ("rgb", "pose_fusion", "rgb_fusion", "distillation"),
}


def plan_stages(trials, modality, stage1_epochs, stage2_epochs):
    """Say which branches are trained when, and for how long.

    Parameters
    ----------
    trials : list of dict
        As from :func:`skrehab.training.modalities.check_modalities`.
    modality : {"both", "rgb", "pose"}
        What is looked at.
    stage1_epochs, stage2_epochs : int
        Epochs of each stage; a stage of none is left out.

    Returns
    -------
    list of (int, tuple of str, int)
        Stage, branches and epochs of each part of the training.

    Raises
    ------
    ValueError
        If no trial has a modality that is looked at, or there is no epoch.

    Examples
    --------
    >>> from skrehab.fusion.stages import plan_stages
    >>> trials = [{"rgb": "clip.mp4", "pose": None}, {"rgb": None, "pose": [[0.0, 0.0]]}]
    >>> plan_stages(trials, "both", 80, 40)
    [(1, ('rgb',), 80), (1, ('pose',), 80), (2, ('rgb', 'pose'), 40)]
    >>> plan_stages(trials, "pose", 80, 40)
    [(1, ('pose',), 80)]
    """
    looked_at = MODALITIES if modality == "both" else (modality,)
    for one in looked_at:
        if all(trial[one] is None for trial in trials):
            raise ValueError(
                f"No trial has {one}: give some, or choose another modality than {modality!r}."
            )
    stages = [(1, (one,), stage1_epochs) for one in looked_at if stage1_epochs]
    if modality == "both" and stage2_epochs:
        stages.append((2, MODALITIES, stage2_epochs))
    if not stages:
        epochs = f"stage1_epochs={stage1_epochs}, stage2_epochs={stage2_epochs}"
        raise ValueError(f"There is no epoch to train with modality={modality!r}, {epochs}.")
    return stages


def keep_branches(network, modality):
    """Take out of a network, in place, what one branch alone does not need.

    Parameters
    ----------
    network : skrehab.networks.two_stream.transm3e.TransM3E
        The network.
    modality : {"both", "rgb", "pose"}
        What is looked at; with both nothing is taken out.

    Returns
    -------
    skrehab.networks.two_stream.transm3e.TransM3E
        The network, in which parts that are not needed are None.

    Examples
    --------
    >>> from skrehab.fusion.stages import keep_branches
    >>> from skrehab.networks.two_stream.transm3e import TransM3E
    >>> network = TransM3E(3, size="tiny", widths=(8, 16), depths=(1, 1), image_size=32)
    >>> keep_branches(network, "pose").rgb is None
    True
    """
    for part in _NOT_ALONE.get(modality, ()):
        setattr(network, part, None)
    return network


def plan_trial_changes(augment, trials, network, classes):
    """Prepare how trials of clip and skeleton are changed in training.

    Parameters
    ----------
    augment : Augmentation, dict or None
        Which changes.
    trials : list of dict
        Training trials, whose skeletons are not scaled yet.
    network : skrehab.networks.two_stream.transm3e.TransM3E
        The network, for the frames that it looks at.
    classes : ndarray of shape (n_labels,)
        Columns of y, for labels that mirrors exchange.

    Returns
    -------
    skrehab.training.clip_changes.ClipChanges or None
        What changes batches; None if nothing was asked for.

    Raises
    ------
    ValueError
        If a parameter is unknown or out of range, or does not fit the trials.
    """
    if augment is None:
        return None
    poses = [trial["pose"] for trial in trials if trial["pose"] is not None]
    return plan_clip_changes(
        augment,
        network.clip.n_frames,
        poses=poses or None,
        spread=LandmarkScaler(center=True).fit(poses).scale_ if poses else 1.0,
        pose_frames=getattr(network.pose, "n_frames", None),
        classes=classes,
    )
