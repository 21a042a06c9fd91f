"""Muscle groups, and the activities that MuscleMap keeps for the test of what is new."""

__all__ = ["MUSCLE_GROUPS", "NEW_ACTIVITIES", "plain_name"]

#: Twenty major groups, from the head to the feet. MuscleMap has twenty too, named in a figure only;
#: its reader takes the names from the user's own table.
MUSCLE_GROUPS = (
    "neck",
    "trapezius",
    "front deltoids",
    "rear deltoids",
    "chest",
    "upper back",
    "latissimus",
    "biceps",
    "triceps",
    "forearms",
    "abdominals",
    "obliques",
    "lower back",
    "hip flexors",
    "glutes",
    "hip abductors",
    "adductors",
    "quadriceps",
    "hamstrings",
    "calves",
)

#: The twenty of MuscleMap's 135 activities that no training clip shows (MuscleMap, section 3.3).
NEW_ACTIVITIES = (
    "hollow hold",
    "v-ups",
    "calf raise hold",
    "modified scissors",
    "scissors",
    "reverse crunches",
    "march twists",
    "hops on the spot",
    "up and down planks",
    "diamond push ups",
    "running",
    "plank jacks",
    "archer push ups",
    "front kicks",
    "triceps dip hold",
    "side plank rotation",
    "raised leg push ups",
    "reverse plank kicks",
    "circle push ups",
    "shoulder taps",
)


def plain_name(name):
    """Write a name in small letters with single blanks, so that spellings compare equal.

    Parameters
    ----------
    name : str
        Such as ``"Push-Ups"`` or ``"push_ups"``.

    Returns
    -------
    str
        Such as ``"push ups"``.

    Examples
    --------
    >>> from skrehab.muscles import plain_name
    >>> plain_name(" V-Ups ") == plain_name("v_ups")
    True
    """
    return " ".join(str(name).lower().replace("-", " ").replace("_", " ").split())
