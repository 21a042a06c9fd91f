"""Who does the synthetic Box-and-Block test: looks, manner, room and camera, and the clips."""

import numpy as np

TARGET_NAMES = (
    "Grasping",
    "Non-task Movement",
    "Transport with Object",
    "Transport without Object",
)
GRASPING, NON_TASK, WITH_OBJECT, WITHOUT_OBJECT = range(4)

# The paper says that the first two classes have the most clips, not how many.
IMBALANCED = (0.34, 0.36, 0.18, 0.12)

SKINS = (
    (244, 208, 177),
    (231, 184, 149),
    (208, 157, 119),
    (172, 120, 84),
    (129, 85, 59),
    (92, 60, 43),
)
HAIRS = ((38, 28, 24), (80, 54, 36), (134, 98, 60), (150, 146, 142), (205, 202, 198))
# the four colours of the test's blocks
BLOCKS = ((206, 40, 38), (240, 196, 32), (32, 140, 62), (34, 82, 190))


def plan_clips(n_patients, clips_per_class, shares, rng):
    """List every clip with its patient, class and seed.

    Parameters
    ----------
    n_patients, clips_per_class : int
        Each patient has ``4 * clips_per_class`` clips.
    shares : ndarray of shape (4,) or None
        Share of each class over all clips; None gives each patient the same number of each.
    rng : numpy.random.RandomState
        Source of randomness.

    Returns
    -------
    list of dict
        One per clip, ordered by patient and class, with keys ``patient, style, target, seed``.
    """
    each = len(TARGET_NAMES) * clips_per_class
    targets = np.tile(np.repeat(np.arange(len(TARGET_NAMES)), clips_per_class), (n_patients, 1))
    if shares is not None:
        counts = _counts(shares, n_patients * each)
        shuffled = rng.permutation(np.repeat(np.arange(len(TARGET_NAMES)), counts))
        targets = np.sort(shuffled.reshape(n_patients, each), axis=1)
    width = max(2, len(str(n_patients)))
    plan = []
    for i in range(n_patients):
        style = _draw_style(np.random.default_rng(rng.randint(2**31 - 1)))
        plan += [
            {
                "patient": f"P{i + 1:0{width}d}",
                "style": style,
                "target": int(target),
                "seed": int(rng.randint(2**31 - 1)),
            }
            for target in targets[i]
        ]
    return plan


def _counts(shares, total):
    """Whole numbers in these shares which add up to `total`: the largest remainders round up.

    A class that is wanted at all has one clip at least.
    """
    exact = shares / shares.sum() * total
    counts = np.maximum(np.floor(exact), shares > 0).astype(int)
    while counts.sum() < total:
        counts[np.argmax(exact - counts)] += 1
    while counts.sum() > total:
        counts[np.argmax(np.where(counts > 1, counts - exact, -np.inf))] -= 1
    return counts


def _draw_style(rng):
    """One patient: body, manner of moving, looks, room, light and camera. Metres, radians."""
    size = float(np.clip(rng.normal(1.0, 0.07), 0.87, 1.14))
    severity = rng.beta(1.5, 2.0)  # 0 hardly affected, 1 severely
    skin = _vary(SKINS[rng.integers(len(SKINS))], 6, rng)
    return {
        # body, for a person of about 1.70 m times `size`
        "shoulder_height": 0.36 * size + rng.normal(0, 0.012),  # above the table top
        "shoulder_half": 0.185 * size * rng.uniform(0.94, 1.08),
        "waist_half": 0.145 * size * rng.uniform(0.85, 1.3),
        "upper_arm": 0.285 * size * rng.uniform(0.96, 1.04),
        "forearm": 0.255 * size * rng.uniform(0.96, 1.04),
        "hand": 1.08 * size * rng.uniform(0.94, 1.06),  # 1 is a hand of 0.18 m
        "head": 0.96 * size * rng.uniform(0.95, 1.05),
        "seat": rng.uniform(-0.36, -0.32),  # where the shoulders are in front of the box
        # manner
        "affected": int(rng.integers(2)),  # 0 left, 1 right
        "severity": severity,
        "pace": np.clip(rng.normal(0.9, 0.07) + 0.18 * severity, 0.75, 1.15),  # share of the clip
        "tremor": severity * rng.gamma(2.0) * 0.0016,
        "tremor_rate": rng.uniform(3.5, 6.0),
        "wander": 0.003 + 0.009 * severity * rng.uniform(0.3, 1.0),
        "lean": rng.uniform(0.0, 0.3) + 0.4 * severity,  # trunk's share of a far reach
        "hike": severity * rng.uniform(0.0, 0.045),  # shoulder lifted while reaching
        "elbow_out": rng.uniform(0.0, 0.7),
        "pronation": rng.uniform(0.35, 1.0),
        "lift": rng.uniform(0.02, 0.09),  # clearance over the partition
        "chin": rng.uniform(0.25, 0.5),
        "steadies": rng.random() < 0.35,  # the other hand holds the box
        # looks
        "skin": skin,
        "hair": _vary(HAIRS[rng.integers(len(HAIRS))], 8, rng),
        "hair_kind": ("short", "long", "bald")[rng.choice(3, p=[0.5, 0.35, 0.15])],
        "glasses": rng.random() < 0.35,
        "shirt": _muted(rng, (0.15, 0.95), unlike=np.mean(skin)),
        "sleeve": rng.choice([0.0, 0.75], p=[0.55, 0.45]),  # share of the forearm it covers
        "collar": rng.random() < 0.5,
        "trousers": _muted(rng, (0.1, 0.45)),
        # room, light, camera
        "wall": _muted(rng, (0.45, 0.95)),
        "furniture": [(*rng.uniform(0, 1, 4), _muted(rng, (0.2, 0.9))) for _ in range(4)],
        "table": _vary(((150, 112, 74), (196, 190, 180), (108, 84, 66))[rng.integers(3)], 10, rng),
        "box": _vary(((216, 182, 134), (186, 148, 102), (226, 212, 188))[rng.integers(3)], 8, rng),
        "chair": _muted(rng, (0.1, 0.5)),
        "gain": rng.uniform(0.78, 1.08),
        "tint": rng.normal(1.0, 0.03, 3),
        "light": rng.uniform(-1, 1),  # which side it comes from
        "yaw": np.deg2rad(rng.normal(0, 5)),
        "pitch": np.deg2rad(rng.uniform(20, 27)),
        "roll": np.deg2rad(rng.normal(0, 1.2)),
        "distance": rng.uniform(1.6, 2.1),
        "view": rng.uniform(0.96, 1.08),  # metres across the picture
        "aim": rng.normal(0, 0.015, 2),
        "grain": rng.uniform(1.5, 4.0),  # sensor noise, grey levels
    }


def _vary(colour, spread, rng):
    return tuple(np.clip(np.array(colour) + rng.normal(0, spread, 3), 0, 255).tolist())


def _muted(rng, brightness, unlike=None):
    """A colour without much of it, so that blocks stand out; not as bright as `unlike` either."""
    grey = 255 * rng.uniform(*brightness)
    if unlike is not None and abs(grey - unlike) < 50:
        grey += 100 if unlike < 128 else -100
    return tuple(np.clip(grey * (1 + rng.uniform(-0.22, 0.22, 3)), 0, 255).tolist())
