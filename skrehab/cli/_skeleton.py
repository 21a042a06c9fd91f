"""Which skeleton the trials of a manifest have: what their files say goes before their number."""

from skrehab.datasets._pose_files import numbered
from skrehab.skeletons import get_skeleton, guess_skeleton

__all__ = ["skeleton_of"]


def skeleton_of(asked, data):
    """Choose the skeleton of a pipeline, and refuse one that the files contradict.

    Parameters
    ----------
    asked : str
        A skeleton's name, "auto" or "none".
    data : sklearn.utils.Bunch
        As from :func:`skrehab.datasets.load_manifest`.

    Returns
    -------
    str or None
        For :func:`skrehab.recipes.recommended`.

    Raises
    ------
    ValueError
        If the files name their landmarks, and a skeleton of other landmarks is asked for, or would
        be guessed from their number.
    """
    if asked == "none":
        return None
    names = data.get("landmarks")
    if names is None or numbered(names):
        return asked
    if asked == "auto" and data.skeleton is not None:
        return data.skeleton
    if asked == "auto":
        guessed = guess_skeleton(len(names), data.X[0].shape[2]).name  # or it says why not
        raise ValueError(
            f"The files call their landmarks {_first(names)}, as no registered skeleton does. As "
            f"many has {guessed!r}: {_first(get_skeleton(guessed).landmarks)}. If they stand in "
            f"that order, say so with --skeleton {guessed}; else take --skeleton none."
        )
    own = get_skeleton(data.skeleton).landmarks if data.skeleton else None
    if own is not None and own != get_skeleton(asked).landmarks:
        raise ValueError(
            f"--skeleton {asked}: the files name the landmarks of {data.skeleton!r}, "
            f"{_first(own)}; those of {asked!r} are {_first(get_skeleton(asked).landmarks)}."
        )
    return asked


def _first(names):
    return ", ".join(map(str, names[:3])) + (", ..." if len(names) > 3 else "")
