"""Which limbs an objective may mask: those of the skeleton that the encoder reads."""

from skrehab.networks.pose_input import find_skeleton
from skrehab.skeletons import get_skeleton

from .tasks import OBJECTIVES

__all__ = ["limbs_to_mask"]


def limbs_to_mask(objective, n_landmarks, skeleton=None, common_skeleton=None):
    """Look up the limbs to draw from.

    Parameters
    ----------
    objective : str
        One of :data:`skrehab.pretraining.tasks.OBJECTIVES`.
    n_landmarks : int
        Landmarks of a trial.
    skeleton, common_skeleton : str or Skeleton, optional
        As of :class:`skrehab.PoseSequencePretrainer`.

    Returns
    -------
    list of list of int
        Landmarks of each limb; no limb where the objective masks none.

    Raises
    ------
    ValueError
        If limbs are to be masked and the skeleton is not known.

    Examples
    --------
    >>> from skrehab.pretraining.limbs import limbs_to_mask
    >>> len(limbs_to_mask("inpaint", 33)), limbs_to_mask("pace", 33)
    (4, [])
    """
    if "inpaint" not in OBJECTIVES[objective]:
        return []
    if common_skeleton is not None:
        skeleton = get_skeleton(common_skeleton)
    else:
        skeleton = find_skeleton(n_landmarks, skeleton)
    if skeleton is None:
        raise ValueError(
            f"objective={objective!r} masks limbs, and no skeleton is known by the number "
            f"of {n_landmarks} landmarks: pass skeleton=..., a name or a Skeleton, or choose "
            "another objective."
        )
    return [list(landmarks) for landmarks in skeleton.limbs.values()]
