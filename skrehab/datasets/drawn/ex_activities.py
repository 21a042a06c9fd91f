"""The activities of synthetic exercise clips, and which muscle groups each of them needs.

Standing activities are put together: what the legs do, what the arms or the trunk do, and what
resists. The movement tells half of the muscles: forearms that go up and down need the biceps
against dumbbells, and the triceps against a band that comes from above.
"""

from typing import NamedTuple

import numpy as np

from skrehab.muscles import MUSCLE_GROUPS

# what the legs do -> muscle groups
LOWER = {
    "stand": "",
    "squat": "quadriceps, glutes",
    "lunge": "quadriceps, glutes, hamstrings",
    "side lunge": "quadriceps, glutes, adductors",
    "hinge": "hamstrings, glutes, lower back",
    "calf raise": "calves",
    "march": "hip flexors, abdominals",
    "hop": "calves, quadriceps",
    "leg side": "hip abductors",
    "leg back": "glutes, hamstrings",
}

# what arms or trunk do -> what resists -> muscle groups
UPPER = {
    "rest": {"none": "", "dumbbells": "forearms, trapezius"},
    "elbows": {
        "dumbbells": "biceps, forearms",
        "band above": "triceps, forearms",
    },
    "side raise": {
        "dumbbells": "front deltoids, rear deltoids, trapezius, forearms",
        "band above": "latissimus, upper back, forearms",
    },
    "front raise": {
        "dumbbells": "front deltoids, forearms",
        "band above": "latissimus, abdominals, forearms",
    },
    "press": {
        "dumbbells": "front deltoids, triceps, trapezius, forearms",
        "band above": "latissimus, biceps, forearms",
    },
    "push": {
        "band behind": "chest, triceps, front deltoids, forearms",
        "band ahead": "upper back, biceps, rear deltoids, forearms",
    },
    "fly": {
        "band behind": "chest, front deltoids, forearms",
        "band ahead": "upper back, rear deltoids, forearms",
    },
    "head": {"none": "neck"},
    "side bend": {"none": "obliques", "dumbbells": "obliques, forearms"},
    "twist": {"none": "obliques, abdominals", "band ahead": "obliques, abdominals, forearms"},
}

# the same leg movement with a band at the ankle
LEG_BAND = {
    ("leg side", "band inside"): "hip abductors",
    ("leg side", "band outside"): "adductors",
    ("leg back", "band ahead"): "glutes, hamstrings, lower back",
    ("leg back", "band behind"): "hip flexors, quadriceps",
}

FLOOR = {
    "push ups": "chest, triceps, front deltoids, abdominals",
    "shoulder taps": "abdominals, obliques, front deltoids",
    "mountain climbers": "abdominals, hip flexors, front deltoids",
    "triceps dips": "triceps, front deltoids",
    "glute bridges": "glutes, hamstrings, lower back",
    "crunches": "abdominals, neck",
    "lying leg raises": "abdominals, hip flexors",
    "bicycle crunches": "abdominals, obliques, hip flexors, neck",
    "supermans": "lower back, glutes, upper back",
    "side lying leg raises": "hip abductors, obliques",
    "donkey kicks": "glutes, hamstrings",
    "bird dogs": "lower back, glutes, rear deltoids",
}


class Activity(NamedTuple):
    """One kind of exercise."""

    name: str
    lower: str  # of LOWER, or "floor"
    upper: str  # of UPPER, or of FLOOR
    resists: str  # what resists the arms
    leg_band: str  # what resists the leg, or "none"
    is_new: bool  # kept from training

    @property
    def muscles(self):
        """Names of the muscle groups."""
        if self.lower == "floor":
            return _names(FLOOR[self.name])
        legs = LOWER[self.lower]
        if self.leg_band != "none":
            legs = LEG_BAND[self.lower, self.leg_band]
        return _names(legs) + _names(UPPER[self.upper][self.resists])

    @property
    def labels(self):
        """Muscle groups as 0 and 1, in the order of ``MUSCLE_GROUPS``."""
        return np.isin(MUSCLE_GROUPS, self.muscles).astype(int)


def _names(listed):
    return tuple(name for name in listed.split(", ") if name)


# name: legs, arms, what resists the arms[, what resists the leg]; * marks what is new
_STANDING = """
squats: squat, rest, none
dumbbell squats: squat, rest, dumbbells
lunges: lunge, rest, none
side lunges: side lunge, rest, none
good mornings: hinge, rest, none
deadlifts: hinge, rest, dumbbells
calf raises: calf raise, rest, none
marching: march, rest, none
hops on the spot*: hop, rest, none
leg abductions*: leg side, rest, none
band abductions: leg side, rest, none, band inside
band adductions: leg side, rest, none, band outside
leg kickbacks: leg back, rest, none
band kickbacks*: leg back, rest, none, band ahead
band leg swings: leg back, rest, none, band behind
biceps curls: stand, elbows, dumbbells
band pushdowns: stand, elbows, band above
lateral raises: stand, side raise, dumbbells
side pulldowns: stand, side raise, band above
front raises: stand, front raise, dumbbells
straight arm pulldowns: stand, front raise, band above
overhead presses: stand, press, dumbbells
lat pulldowns: stand, press, band above
band chest presses: stand, push, band behind
band rows: stand, push, band ahead
band chest flies: stand, fly, band behind
band reverse flies: stand, fly, band ahead
neck circles: stand, head, none
side bends: stand, side bend, none
loaded side bends: stand, side bend, dumbbells
standing twists: stand, twist, none
band twists: stand, twist, band ahead
squat presses*: squat, press, dumbbells
squat pulldowns*: squat, press, band above
squat rows: squat, push, band ahead
squat curls: squat, elbows, dumbbells
lunge curls*: lunge, elbows, dumbbells
lunge twists: lunge, twist, none
lunge raises: lunge, front raise, dumbbells
calf raise presses: calf raise, press, dumbbells
calf raise pushdowns*: calf raise, elbows, band above
march twists*: march, twist, none
march curls: march, elbows, dumbbells
side lunge raises: side lunge, side raise, dumbbells
side lunge presses*: side lunge, push, band behind
hinge rows*: hinge, push, band ahead
hop raises: hop, side raise, dumbbells
"""
_NEW_ON_THE_FLOOR = ("shoulder taps", "bicycle crunches", "bird dogs")


def _read():
    found = []
    for line in _STANDING.split("\n"):
        name, _, parts = line.partition(": ")
        if not parts:
            continue
        lower, upper, resists, *band = parts.split(", ")
        is_new = name.endswith("*")
        leg_band = band[0] if band else "none"
        found.append(Activity(name.rstrip("*"), lower, upper, resists, leg_band, is_new))
    for name in FLOOR:
        found.append(Activity(name, "floor", name, "none", "none", name in _NEW_ON_THE_FLOOR))
    return {activity.name: activity for activity in found}


ACTIVITIES = _read()
