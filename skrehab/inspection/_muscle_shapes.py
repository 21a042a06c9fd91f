"""Where muscle groups are on a body seen from the front and from behind.

Half outlines in a picture whose person is 8 high and whose middle is x = 0; the other half is the
mirror image. Corners are joined by a smooth curve.
"""

import numpy as np

HEAD = (0.0, 7.45, 0.36, 0.5)  # centre and radii

BODY = [
    (0.00, 7.10), (0.17, 7.05), (0.19, 6.88), (0.34, 6.74), (0.62, 6.63), (0.88, 6.50),
    (1.05, 6.25), (1.10, 5.90), (1.20, 5.45), (1.27, 5.05), (1.42, 4.75), (1.54, 4.35),
    (1.62, 3.95), (1.68, 3.70), (1.79, 3.45), (1.77, 3.12), (1.64, 3.02), (1.54, 3.30),
    (1.49, 3.72), (1.33, 4.15), (1.14, 4.70), (1.06, 5.00), (0.95, 5.35), (0.84, 5.72),
    (0.77, 5.35), (0.68, 4.92), (0.63, 4.60), (0.67, 4.28), (0.78, 3.95), (0.83, 3.55),
    (0.80, 3.00), (0.71, 2.45), (0.60, 2.05), (0.60, 1.80), (0.65, 1.45), (0.56, 0.92),
    (0.43, 0.48), (0.52, 0.20), (0.50, 0.04), (0.36, 0.00), (0.22, 0.04), (0.21, 0.22),
    (0.25, 0.48), (0.23, 0.95), (0.19, 1.45), (0.23, 1.88), (0.20, 2.15), (0.13, 2.80),
    (0.03, 3.42), (0.00, 3.46),
]  # fmt: skip

_FOREARM = [
    (1.15, 4.82), (1.28, 4.98), (1.41, 4.68), (1.52, 4.30), (1.60, 3.90), (1.52, 3.84),
    (1.36, 4.22),
]  # fmt: skip
_DELTOID = [
    (0.68, 6.55), (0.88, 6.45), (1.02, 6.22), (1.06, 5.92), (0.98, 5.76), (0.85, 6.02),
    (0.72, 6.30),
]  # fmt: skip

FRONT = {
    "neck": [[(0.05, 6.98), (0.15, 7.00), (0.17, 6.86), (0.11, 6.70), (0.04, 6.74)]],
    "trapezius": [[(0.22, 6.80), (0.40, 6.69), (0.62, 6.60), (0.48, 6.55), (0.24, 6.62)]],
    "front deltoids": [_DELTOID],
    "chest": [
        [
            (0.04, 6.44), (0.34, 6.50), (0.62, 6.40), (0.79, 6.05), (0.72, 5.80), (0.42, 5.64),
            (0.05, 5.74),
        ]
    ],
    "biceps": [
        [(0.90, 5.68), (1.03, 5.74), (1.14, 5.42), (1.17, 5.10), (1.09, 5.02), (0.98, 5.34)]
    ],
    "forearms": [_FOREARM],
    "abdominals": [
        [(0.03, 5.62), (0.28, 5.54), (0.33, 5.00), (0.31, 4.40), (0.20, 3.96), (0.03, 3.70)]
    ],
    "obliques": [
        [
            (0.37, 5.52), (0.70, 5.60), (0.67, 5.15), (0.57, 4.72), (0.58, 4.38), (0.38, 4.30),
            (0.40, 4.90),
        ]
    ],
    "hip flexors": [
        [
            (0.36, 4.20), (0.60, 4.28), (0.66, 4.00), (0.48, 3.76), (0.26, 3.60), (0.26, 3.90),
        ]
    ],
    "hip abductors": [[(0.73, 3.98), (0.80, 3.60), (0.78, 3.22), (0.70, 3.38), (0.66, 3.74)]],
    "adductors": [
        [
            (0.07, 3.38), (0.24, 3.50), (0.31, 3.02), (0.24, 2.50), (0.19, 2.50), (0.14, 2.90),
        ]
    ],
    "quadriceps": [
        [
            (0.34, 3.56), (0.58, 3.64), (0.71, 3.15), (0.66, 2.55), (0.55, 2.16), (0.32, 2.16),
            (0.29, 2.52), (0.37, 3.02),
        ]
    ],
    "calves": [
        [(0.57, 1.80), (0.62, 1.45), (0.53, 0.98), (0.51, 1.40)],
        [(0.25, 1.74), (0.22, 1.45), (0.26, 1.00), (0.30, 1.40)],
    ],
}  # fmt: skip

BACK = {
    "neck": [[(0.03, 7.02), (0.14, 7.02), (0.16, 6.88), (0.03, 6.82)]],
    "trapezius": [
        [
            (0.03, 6.76), (0.20, 6.80), (0.40, 6.69), (0.63, 6.58), (0.45, 6.36), (0.22, 6.02),
            (0.03, 5.45),
        ]
    ],
    "rear deltoids": [_DELTOID],
    "upper back": [
        [
            (0.26, 5.98), (0.50, 6.34), (0.68, 6.28), (0.82, 5.98), (0.74, 5.78), (0.46, 5.72),
            (0.16, 5.66),
        ]
    ],
    "latissimus": [
        [
            (0.13, 5.58), (0.46, 5.64), (0.76, 5.68), (0.71, 5.28), (0.58, 4.90), (0.30, 4.62),
            (0.15, 4.95),
        ]
    ],
    "lower back": [
        [
            (0.03, 5.30), (0.10, 5.20), (0.13, 4.85), (0.28, 4.52), (0.28, 4.20), (0.03, 4.06),
        ]
    ],
    "obliques": [[(0.36, 4.58), (0.58, 4.80), (0.60, 4.58), (0.62, 4.34), (0.34, 4.34)]],
    "triceps": [
        [(0.91, 5.72), (1.06, 5.84), (1.17, 5.45), (1.23, 5.10), (1.12, 4.98), (1.00, 5.32)]
    ],
    "forearms": [_FOREARM],
    "hip abductors": [[(0.34, 4.22), (0.64, 4.26), (0.77, 3.94), (0.72, 3.80), (0.50, 4.00)]],
    "glutes": [
        [
            (0.04, 3.98), (0.30, 4.10), (0.58, 3.88), (0.76, 3.62), (0.62, 3.34), (0.30, 3.28),
            (0.05, 3.42),
        ]
    ],
    "adductors": [[(0.07, 3.22), (0.15, 3.16), (0.21, 2.70), (0.17, 2.62), (0.14, 2.90)]],
    "hamstrings": [
        [
            (0.20, 3.18), (0.50, 3.22), (0.74, 3.26), (0.70, 2.70), (0.56, 2.20), (0.27, 2.20),
            (0.26, 2.70),
        ]
    ],
    "calves": [
        [(0.27, 1.92), (0.55, 1.92), (0.62, 1.50), (0.52, 0.98), (0.34, 0.90), (0.23, 1.42)]
    ],
}  # fmt: skip

# on which view a group is named
NAMED_ON_FRONT = (
    "neck", "front deltoids", "chest", "biceps", "forearms", "abdominals", "obliques",
    "hip flexors", "adductors", "quadriceps",
)  # fmt: skip
NAMED_ON_BACK = tuple(name for name in BACK if name not in NAMED_ON_FRONT)

# other names that people and data sets have for them; "deltoids" are both
OTHER_NAMES = {
    "pectorals": ("chest",),
    "pecs": ("chest",),
    "deltoids": ("front deltoids", "rear deltoids"),
    "shoulders": ("front deltoids", "rear deltoids"),
    "traps": ("trapezius",),
    "rhomboids": ("upper back",),
    "lats": ("latissimus",),
    "latissimus dorsi": ("latissimus",),
    "forearm": ("forearms",),
    "abs": ("abdominals",),
    "abdominis": ("abdominals",),
    "rectus abdominis": ("abdominals",),
    "oblique": ("obliques",),
    "erector spinae": ("lower back",),
    "hip flexor": ("hip flexors",),
    "gluteus": ("glutes",),
    "gluteus maximus": ("glutes",),
    "gluteus medius": ("hip abductors",),
    "abductors": ("hip abductors",),
    "outer thigh": ("hip abductors",),
    "adductor": ("adductors",),
    "inner thigh": ("adductors",),
    "quads": ("quadriceps",),
    "quadriceps femoris": ("quadriceps",),
    "hamstring": ("hamstrings",),
    "calf": ("calves",),
    "gastrocnemius": ("calves",),
}


def smooth_outline(corners):
    """Join corners by a closed smooth curve (Catmull-Rom), as vertices of cubic Bezier pieces.

    Parameters
    ----------
    corners : array-like of shape (n, 2)
        Corners in order.

    Returns
    -------
    ndarray of shape (3 n + 1, 2)
        A start, and two handles and an end for each piece.
    """
    points = np.asarray(corners, dtype=float)
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    tangent = (after - before) / 6
    pieces = np.stack([points + tangent, after - np.roll(tangent, -1, axis=0), after], axis=1)
    return np.concatenate([points[:1], pieces.reshape(-1, 2)])


def mirrored(corners):
    """The same outline on the other side of the body."""
    return [(-x, y) for x, y in corners]
