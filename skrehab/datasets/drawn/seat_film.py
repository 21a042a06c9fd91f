"""Draw synthetic patients on a stool: landmarks of a trial in, pictures of a whole person out."""

import numpy as np

from skrehab.datasets.drawn.ex_body import Body
from skrehab.datasets.drawn.ex_persons import draw_person, draw_set
from skrehab.datasets.drawn.ex_render import Clip, expose
from skrehab.datasets.drawn.ex_scene import Camera

_SOLE = 0.04  # metres from the floor to the lowest landmark of a foot
_TRUNK = 0.288  # share of the body height, as in skrehab.datasets._body
_WOOD = (214, 178, 126)  # colour of the stool
_GRAIN = 1.0  # of the sensor; more would make files larger


def draw_look(person, clip):
    """Draw what a person and a room look like.

    Parameters
    ----------
    person, clip : numpy.random.Generator
        Sources of randomness: of what belongs to the person, and of what is new in each clip.

    Returns
    -------
    dict
        For :func:`film_of`.
    """
    look = draw_person(person) | draw_set(clip) | {"grain": _GRAIN}
    # before a stool as dark as the trousers MediaPipe sees nobody
    look["furniture"][0] = (*look["furniture"][0][:4], _WOOD)
    return look


def film_of(points, look, size, seed):
    """Draw every frame of a trial.

    Parameters
    ----------
    points : ndarray of shape (n_frames, 33, 3)
        MediaPipe's world landmarks in metres, without gaps.
    look : dict
        From :func:`draw_look`.
    size : int
        Width and height in pixels.
    seed : int
        Of the sensor's noise.

    Returns
    -------
    ndarray of shape (n_frames, size, size, 3), dtype uint8
        RGB.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.datasets import make_rehab_trials
    >>> from skrehab.datasets.drawn.seat_film import draw_look, film_of
    >>> trial = make_rehab_trials(1, 1, "brush_hair", noise=0, missing=0, random_state=0).X[0]
    >>> look = draw_look(np.random.default_rng(0), np.random.default_rng(1))
    >>> film_of(trial[:2], look, 64, seed=0).shape
    (2, 64, 64, 3)
    """
    body, height = _body_of(points)
    look = look | {"body": {"height": height}}
    corners = np.concatenate([np.reshape(part, (-1, 3)) for part in body])
    around = [corners + [x, y, 0] for x in (-0.12, 0.12) for y in (-0.07, 0.1)]  # limbs are thick
    camera = Camera(look, np.concatenate(around), size * Clip.factor(size), np.zeros(2))
    drawer = Clip(look, camera, size, heading=0.0, has_bench=False)
    drawer.bench = _stool(body.pelvis.mean(axis=0), height)
    frames = np.empty((len(points), size, size, 3), dtype=np.uint8)
    for t, frame in enumerate(frames):
        frame[:] = drawer.frame(Body._make(part[t] for part in body), None, None, None)
    rng = np.random.default_rng(seed)
    stock = np.float32(look["grain"]) * rng.standard_normal(4 * frames[0].size, dtype=np.float32)
    return expose(frames, look, stock, rng.integers(3 * frames[0].size, size=len(frames)))


def _body_of(points):
    """Joints in the room's metres, x right, y up, z to the camera; and how tall the person is."""
    points = np.asarray(points, dtype=float) * [1, -1, -1]
    points = points - [0, points[:, 27:, 1].min() - _SOLE, 0]

    def pair(left):
        return points[:, [left, left + 1]]

    up = points[:, [2, 5]].mean(axis=1) - points[:, 9:11].mean(axis=1)  # from mouth to eyes
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    neck, pelvis, head = (pair(left).mean(axis=1) for left in (11, 23, 7))
    height = np.linalg.norm(neck - pelvis, axis=-1).mean() / _TRUNK
    return Body(
        face=points[:, :11],
        head=head,
        crown=head + 0.065 * height * up,
        neck=neck,
        waist=pelvis + 0.4 * (neck - pelvis),
        pelvis=pelvis,
        shoulders=pair(11),
        elbows=pair(13),
        wrists=pair(15),
        hands=0.5 * (pair(17) + pair(19)),
        hips=pair(23),
        knees=pair(25),
        ankles=pair(27),
        toes=pair(31),
    ), height


def _stool(pelvis, height):
    """Faces of a stool under a person: list of (corners (4, 3), brightness)."""
    x, y, z = 0.2, pelvis[1] - 0.053 * height, 0.18
    faces = [
        ([[-x, y, -z], [x, y, -z], [x, y, z], [-x, y, z]], 1.1),
        ([[-x, 0, z], [x, 0, z], [x, y, z], [-x, y, z]], 0.85),
        ([[-x, 0, -z], [-x, 0, z], [-x, y, z], [-x, y, -z]], 0.7),
        ([[x, 0, -z], [x, 0, z], [x, y, z], [x, y, -z]], 0.7),
    ]
    place = [pelvis[0], 0.0, pelvis[2] - 0.03]
    return [(np.array(corners) + place, shade) for corners, shade in faces]
