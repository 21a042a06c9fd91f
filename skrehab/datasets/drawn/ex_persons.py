"""Who exercises in synthetic clips, and in which clothes and room; and the list of clips."""

import numpy as np

from skrehab.datasets._body import draw_body
from skrehab.datasets.drawn.bbt_patients import HAIRS, SKINS, _muted, _vary

# bands and weights are bright: no wall or shirt is
BRIGHT = ((226, 44, 40), (250, 190, 20), (30, 150, 70), (30, 100, 220), (150, 50, 170))


def plan_clips(n_persons, clips_per_activity, activities, rng):
    """List every clip.

    Parameters
    ----------
    n_persons, clips_per_activity : int
        Each person does each activity so many times.
    activities : list of Activity
        What is done.
    rng : numpy.random.RandomState
        Source of randomness.

    Returns
    -------
    list of dict
        One per clip, ordered by person and activity, with keys ``person, style, activity, seed``.
    """
    width = max(2, len(str(n_persons)))
    plan = []
    for i in range(n_persons):
        style = draw_person(np.random.default_rng(rng.randint(2**31 - 1)))
        seeds = rng.randint(2**31 - 1, size=(len(activities), clips_per_activity))
        plan += [
            {
                "person": f"P{i + 1:0{width}d}",
                "style": style,
                "activity": activity,
                "seed": int(seed),
            }
            for activity, row in zip(activities, seeds)
            for seed in row
        ]
    return plan


def draw_person(rng):
    """One person: body and manner, skin and hair. Metres, radians, seconds."""
    return {
        "body": draw_body(rng),
        "stout": rng.uniform(0.9, 1.25),  # girth
        "range": rng.uniform(0.85, 1.05),  # share of the full movement
        "pace": rng.uniform(0.8, 1.25),
        "skin": _vary(SKINS[rng.integers(len(SKINS))], 6, rng),
        "hair": _vary(HAIRS[rng.integers(len(HAIRS))], 8, rng),
        "hair_kind": ("short", "long", "bald")[rng.choice(3, p=[0.5, 0.35, 0.15])],
        "sleeve": rng.choice([0.0, 0.55, 1.0], p=[0.3, 0.5, 0.2]),  # share of the upper arm
        "shorts": rng.random() < 0.4,
    }


def draw_set(rng):
    """Draw what is new in every clip: clothes, gear, room, light and camera.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict
        Colours and places, in metres and radians.
    """
    wall = _muted(rng, (0.5, 0.97))
    return {
        # clothes stand out from the wall
        "shirt": _muted(rng, (0.1, 0.85), unlike=np.mean(wall)),
        "trousers": _muted(rng, (0.1, 0.7), unlike=np.mean(wall)),
        "shoes": _muted(rng, (0.1, 0.95)),
        "gear": BRIGHT[rng.integers(len(BRIGHT))],
        "wall": wall,
        "floor": _muted(rng, (0.3, 0.7)),
        "mat": _muted(rng, (0.15, 0.85)),
        "furniture": [(*rng.uniform(0, 1, 4), _muted(rng, (0.2, 0.9))) for _ in range(4)],
        "light": rng.uniform(-1, 1),
        "gain": rng.uniform(0.8, 1.08),
        "tint": rng.normal(1.0, 0.03, 3),
        "grain": rng.uniform(1.5, 4.0),
        "pitch": np.deg2rad(rng.uniform(4, 16)),  # camera looks down
        "distance": rng.uniform(3.2, 5.0),
        "margin": rng.uniform(1.02, 1.15),  # picture around the person
    }
