"""Which part of the body each landmark belongs to, head to feet."""

from skrehab.skeletons.skeleton import get_skeleton

__all__ = ["PARTS", "body_parts"]

# In the order in which a person is drawn; "other" is where nothing is known.
PARTS = ("head", "left arm", "right arm", "trunk", "left leg", "right leg", "other")

_OF_THE_HEAD = ("nose", "eye", "ear", "mouth", "head", "neck")


def body_parts(skeleton):
    """Say which part of the body each landmark, bone or measure belongs to.

    Parameters
    ----------
    skeleton : str or Skeleton
        Which; that of bones or measures will do, too.

    Returns
    -------
    list of str
        One of ``PARTS`` for each landmark.

    Examples
    --------
    >>> from skrehab.skeletons import body_parts
    >>> body_parts("mediapipe33")[:2], body_parts("mediapipe33")[15], body_parts("mediapipe33")[24]
    (['head', 'head'], 'left arm', 'right leg')
    """
    skeleton = get_skeleton(skeleton)
    of_limb = {i: limb.replace("_", " ") for limb, whole in skeleton.limbs.items() for i in whole}
    parts = []
    for i, name in enumerate(skeleton.landmarks):
        head = any(word in name for word in _OF_THE_HEAD)
        parts.append(of_limb.get(i, "head" if head else "trunk"))
    return parts
