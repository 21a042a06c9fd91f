"""Camera, room and gear of synthetic exercise clips."""

import numpy as np

from skrehab.datasets.drawn.bbt_scene import path, tone
from skrehab.datasets.drawn.ex_floor import BENCH

_ROOM = 2.2  # metres from the person to the wall behind


class Camera:
    """A pinhole camera that looks slightly down at a person and has all of them in the picture.

    Parameters
    ----------
    style : dict
        The person, who brings pitch, distance and margin along.
    points : ndarray of shape (n, 3)
        What must be in the picture, in the room's metres.
    size : int
        Width and height of the picture in pixels.
    shift : ndarray of shape (2,)
        Where the person is in the picture, -1 to 1, as far as the margin allows.
    """

    def __init__(self, style, points, size, shift):
        pitch = style["pitch"]
        self.axes = np.array(
            [
                [1.0, 0.0, 0.0],
                [0.0, np.cos(pitch), -np.sin(pitch)],
                [0.0, -np.sin(pitch), -np.cos(pitch)],
            ]
        )
        low, high = points.min(axis=0), points.max(axis=0)
        self.place = 0.5 * (low + high) - style["distance"] * self.axes[2]
        flat = self._flat(points)[0]
        low, high = flat.min(axis=0), flat.max(axis=0)
        extent = max((high - low).max(), 0.25)
        self.focal = size / (style["margin"] * extent)
        free = 0.5 * (1 - (high - low) / (style["margin"] * extent))
        self.middle = size * (0.5 + 0.7 * free * shift) - self.focal * 0.5 * (low + high)

    def _flat(self, points):
        x, y, depth = np.moveaxis((np.asarray(points) - self.place) @ self.axes.T, -1, 0)
        return np.stack([x / depth, -y / depth], axis=-1), depth

    def project(self, points):
        """Map points (..., 3) to the picture (..., 2), and say how far they are (...)."""
        flat, depth = self._flat(points)
        return self.middle + self.focal * flat, depth


def draw_room(style, camera, size):
    """Draw wall, floor, mat and furniture.

    Parameters
    ----------
    style : dict
        The person's room.
    camera : Camera
        The camera.
    size : int
        Width and height in pixels.

    Returns
    -------
    PIL.Image.Image
        The room.
    """
    from PIL import Image, ImageDraw

    ramp = np.linspace(-1, 1, size)
    light = 1 + 0.1 * style["light"] * ramp[None, :] - 0.08 * ramp[:, None]
    wall = np.clip(light[..., None] * np.array(style["wall"]), 0, 255).astype(np.uint8)
    room = Image.fromarray(wall)
    draw = ImageDraw.Draw(room)

    def quad(corners, colour):
        draw.polygon(path(camera.project(np.array(corners, float))[0]), fill=colour)

    def panel(x, y, width, height, colour, z=-_ROOM):
        quad([[x, y, z], [x + width, y, z], [x + width, y + height, z], [x, y + height, z]], colour)

    for left, up, width, height, colour in style["furniture"]:
        x, hangs = -2.4 + 4.2 * left, up > 0.45
        width, height = 0.3 + 0.7 * width, 0.25 + 0.75 * height
        y = 0.7 + 1.1 * up if hangs else 0.0
        panel(x - 0.02, y, width + 0.04, height + 0.03, tone(colour, 0.6))
        panel(x, y, width, height, tone(colour, 0.92))
    near = camera.place[2] - 0.4
    quad(
        [[-9, 0, -_ROOM], [9, 0, -_ROOM], [9, 0, near], [-9, 0, near]],
        tone(style["floor"], 0.9),
    )
    panel(-9, 0, 18, 0.07, tone(style["wall"], 0.7))
    return room


def draw_mat(draw, style, camera, heading):
    """Draw the mat under the person, turned as the person is."""
    c, s = np.cos(heading), np.sin(heading)
    corners = np.array([[x, 0, z] for x, z in ((-0.4, -1), (0.4, -1), (0.4, 1), (-0.4, 1))])
    turned = corners @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    draw.polygon(path(camera.project(turned)[0]), fill=tone(style["mat"]))


def bench(heading):
    """Faces of the bench for dips in the room's metres: list of (corners (4, 3), brightness)."""
    c, s = np.cos(heading), np.sin(heading)
    turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    x, y, low, high = 0.42, 1.68 * BENCH, -0.3, 0.06
    faces = [
        ([[-x, y, low], [x, y, low], [x, y, high], [-x, y, high]], 1.1),
        ([[-x, 0, high], [x, 0, high], [x, y, high], [-x, y, high]], 0.85),
        ([[-x, 0, low], [-x, 0, high], [-x, y, high], [-x, y, low]], 0.7),
        ([[x, 0, low], [x, 0, high], [x, y, high], [x, y, low]], 0.7),
        ([[-x, 0, low], [x, 0, low], [x, y, low], [-x, y, low]], 0.6),
    ]
    return [(np.array(corners) @ turn, shade) for corners, shade in faces]


def anchors(activity, height, side):
    """Where bands are fixed, in the person's axes: (for the hands, for one ankle), each or None.

    Parameters
    ----------
    activity : Activity
        What is done.
    height : float
        The person's height.
    side : {1, -1}
        The leg that moves.

    Returns
    -------
    hands, leg : ndarray of shape (3,) or None
        Points of the room.
    """
    ends = {
        "band above": np.array([0.0, 1.35, 0.25]),
        "band ahead": np.array([0.0, 0.66, 1.05]),
        "band behind": np.array([0.0, 0.74, -0.95]),
    }
    legs = {
        "band inside": np.array([-0.75 * side, 0.05, 0.0]),
        "band outside": np.array([0.85 * side, 0.05, 0.0]),
        "band ahead": np.array([0.05 * side, 0.05, 0.85]),
        "band behind": np.array([0.05 * side, 0.05, -0.85]),
    }
    hands, leg = ends.get(activity.resists), legs.get(activity.leg_band)
    return (
        None if hands is None else hands * height,
        None if leg is None else leg * height,
    )
