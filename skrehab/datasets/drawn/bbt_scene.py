"""The camera of a synthetic Box-and-Block test, and the parts of its picture that stay as they are.

Drawing is done on a picture some times larger than wanted and reduced in the end, which smooths
the edges. Layers: the room, then the person's trunk, then the table with the back of the box, then
arms, then whatever of the box is in front of the hand.
"""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skrehab.datasets.drawn.bbt_hands import BLOCK, BOX, PILE
from skrehab.datasets.drawn.bbt_patients import BLOCKS, GRASPING

# faces of a cube by corner numbers (x, y, z bits), and their outward axes and signs
_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
_FACES = (
    ([0, 1, 3, 2], 0, -1),
    ([4, 6, 7, 5], 0, 1),
    ([2, 3, 7, 6], 1, 1),  # nobody sees the lower face
    ([0, 2, 6, 4], 2, -1),
    ([1, 5, 7, 3], 2, 1),
)


class Camera:
    """A pinhole camera in front of the table, above it, looking down at the person and the box.

    Parameters
    ----------
    style : dict
        The patient, who brings the camera's place along.
    size : int
        Width and height of the picture in pixels.
    """

    def __init__(self, style, size):
        yaw, pitch, roll = style["yaw"], style["pitch"], style["roll"]
        aim = np.array([style["aim"][0], 0.245 + style["aim"][1], -0.1])
        back = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        self.place = aim + style["distance"] * back
        right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
        up = np.cross(back, right)
        c, s = np.cos(roll), np.sin(roll)
        self.axes = np.stack([c * right + s * up, c * up - s * right, -back])
        self.focal = size * style["distance"] / style["view"]
        self.middle = size / 2

    def project(self, points):
        """Map points (..., 3) in metres to the picture (..., 2): x to the right, y down."""
        x, y, depth = np.moveaxis((np.asarray(points) - self.place) @ self.axes.T, -1, 0)
        scale = self.focal / depth
        return np.stack([self.middle + scale * x, self.middle - scale * y], axis=-1)

    def pixels(self, points):
        """Pixels a metre at these points, (...)."""
        return self.focal / ((np.asarray(points) - self.place) @ self.axes[2])


@lru_cache(maxsize=4096)
def tone(colour, k=1.0):
    """A colour made darker or lighter."""
    return tuple(int(min(max(c * k, 0), 255)) for c in colour)


def path(points):
    """Points (n, 2) as Pillow wants them."""
    return np.asarray(points).ravel().tolist()


class Layer(NamedTuple):
    """A picture and where it covers what is behind it."""

    picture: object  # PIL.Image.Image, and so is the mask
    mask: object
    corner: tuple = (0, 0)

    def cropped(self):
        """The same layer without its empty margins."""
        box = self.mask.getbbox()
        return Layer(self.picture.crop(box), self.mask.crop(box), box[:2])

    def onto(self, canvas):
        """Paste this layer."""
        canvas.paste(self.picture, self.corner, self.mask)


class _Pencil:
    """Draws on a layer, in three dimensions."""

    def __init__(self, camera, size):
        from PIL import Image, ImageDraw

        self.camera = camera
        self.layer = Layer(Image.new("RGB", (size, size)), Image.new("L", (size, size)))
        self.colour, self.cover = (ImageDraw.Draw(part) for part in self.layer[:2])

    def polygon(self, points, colour):
        flat = path(self.camera.project(points))
        self.colour.polygon(flat, fill=colour)
        self.cover.polygon(flat, fill=255)

    def panel(self, low, high, colour):
        """A rectangle between two corners that share one coordinate."""
        low, high = np.array(low, float), np.array(high, float)
        i = int(np.flatnonzero(low != high)[0])
        corners = np.stack([low, low, high, high])
        corners[1, i], corners[3, i] = high[i], low[i]
        self.polygon(corners, colour)

    def block(self, centre, angle, colour):
        for outline, shade in cube(self.camera, centre, angle):
            self.colour.polygon(outline, fill=tone(colour, shade))
            self.cover.polygon(outline, fill=255)


def cube(camera, centre, angle):
    """Draw-ready visible faces of a block turned about the vertical: outline and brightness."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    corners = camera.project(centre + 0.5 * BLOCK * _CORNERS @ turn.T)
    to_camera = (camera.place - centre) @ turn  # in the block's own axes
    faces = []
    for indices, axis, sign in _FACES:
        if sign * to_camera[axis] > 0.5 * BLOCK:
            shade = 1.15 if axis == 1 else 0.78 + 0.14 * float(sign * turn[2, axis])
            faces.append((path(corners[indices]), shade))
    return faces


class Scene(NamedTuple):
    """Everything of a clip that does not move, and the colour and angle of the block in play."""

    room: object  # PIL.Image.Image
    table: Layer
    front: Layer
    colour: tuple
    angle: float


def draw_scene(clip, motion, camera, size, rng):
    """Draw what does not move.

    Parameters
    ----------
    clip : dict
        From :func:`plan_clips`.
    motion : Motion
        The clip's movement: the block in play is not drawn, and makes room around itself.
    camera : Camera
        The camera.
    size : int
        Width and height of the layers.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Scene
        Layers.
    """
    style = clip["style"]
    blocks = _scatter(clip, motion, rng)
    table, front = _Pencil(camera, size), _Pencil(camera, size)
    _draw_table(table, style)
    behind = [block for block in blocks if block[0][2] <= motion.depth + 0.01]
    for centre, angle, colour in behind:
        table.block(centre, angle, colour)
    _draw_partition(table, style)
    for centre, angle, colour in blocks[len(behind) :]:
        front.block(centre, angle, colour)
    _draw_front(front, style)
    colour = tone(BLOCKS[rng.integers(len(BLOCKS))], rng.uniform(0.9, 1.1))
    room = _draw_room(style, camera, size)
    angle = rng.uniform(0, np.pi)
    return Scene(room, table.layer.cropped(), front.layer.cropped(), colour, angle)


def _scatter(clip, motion, rng):
    """Blocks in both compartments, (centre, angle, colour), from the back to the front."""
    crowded = np.sign(motion.block[0, 0]) or rng.choice([-1.0, 1.0])  # where the hand starts
    step, blocks = BLOCK * 1.08, []
    columns = 0.035 + step * np.arange(5)
    rows = -0.095 + step * np.arange(5)
    for side in (-1.0, 1.0):
        share = 0.9 if side == crowded else rng.uniform(0.05, 0.5)
        for layer in (0, 1):
            for z in rows:
                for x in columns:
                    place = [x + rng.normal(0, 0.006), 0, z + rng.normal(0, 0.006)]
                    height = 0.5 * BLOCK + (PILE - 0.5 * BLOCK) * layer * rng.uniform(0.5, 1)
                    angle, pick = rng.uniform(0, np.pi), rng.integers(len(BLOCKS))
                    shade = rng.uniform(0.88, 1.08)
                    if rng.random() > share * (0.5 if layer else 1):
                        continue
                    centre = np.array([side * place[0], height, place[2]])
                    gap = np.abs(centre - motion.block[0]).max()
                    if clip["target"] == GRASPING and layer and gap < 1.1 * BLOCK:
                        continue
                    blocks.append((centre, angle, tone(BLOCKS[pick], shade)))
    return sorted(blocks, key=lambda block: (block[0][2], block[0][1]))


def _draw_room(style, camera, size):
    """Wall with light from one side, furniture, chair and legs."""
    from PIL import Image, ImageDraw

    ramp = np.linspace(-1, 1, size)
    light = 1 + 0.12 * style["light"] * ramp[None, :] - 0.1 * ramp[:, None]
    wall = np.clip(light[..., None] * np.array(style["wall"]), 0, 255).astype(np.uint8)
    room = Image.fromarray(wall)
    draw = ImageDraw.Draw(room)
    for left, top, width, height, colour in style["furniture"]:
        x, y = (1.1 * left - 0.15) * size, 0.55 * top * size
        box = [x, y, x + (0.08 + 0.25 * width) * size, y + (0.06 + 0.25 * height) * size]
        draw.rectangle(box, fill=tone(colour, 0.9), outline=tone(colour, 0.65), width=size // 96)

    def quad(points, colour):
        draw.polygon(path(camera.project(points)), fill=colour)

    seat = style["seat"] - 0.1
    top = style["shoulder_height"] - 0.04
    quad(
        [[x, y, seat] for x, y in ((-0.2, -0.3), (-0.22, top), (0.22, top), (0.2, -0.3))],
        tone(style["chair"]),
    )
    floor = [[x, -0.5, z] for x, z in ((-2, -0.6), (2, -0.6), (2, 0.6), (-2, 0.6))]
    quad(floor, tone(style["wall"], 0.35))
    hip, knee = style["shoulder_height"] - 0.56, style["seat"] + 0.42
    for side in (-1, 1):  # thigh and shank: x, y, z and half the width of their ends
        ends = ((0.12, hip, seat, 0.08), (0.144, hip - 0.03, knee, 0.06))
        ends += ((0.132, hip - 0.45, knee, 0.05),)
        for upper, lower in pairwise(ends):
            corners = [
                [side * x + sign * w, y, z]
                for (x, y, z, w), signs in ((upper, (-1, 1)), (lower, (1, -1)))
                for sign in signs
            ]
            quad(corners, tone(style["trousers"], 0.8))
    return room


def _draw_table(pencil, style):
    """Table top, and the box without its front wall."""
    wood, half, depth, wall = style["box"], BOX["half"], BOX["depth"], BOX["wall"]
    pencil.panel([-0.62, 0, -0.2], [0.62, 0, 0.3], tone(style["table"]))
    pencil.panel([-0.62, -0.03, 0.3], [0.62, 0, 0.3], tone(style["table"], 0.7))
    shadow = 0.03 * style["light"]
    pencil.panel(
        [-half - shadow, 0, -depth], [half - shadow, 0, depth + 0.02], tone(style["table"], 0.75)
    )
    pencil.panel([-half, 0.004, -depth], [half, 0.004, depth], tone(wood, 0.62))
    pencil.panel([-half, 0, -depth], [half, wall, -depth], tone(wood, 0.8))
    pencil.panel([-half, wall, -depth - 0.01], [half, wall, -depth], tone(wood, 1.1))
    for x in (-half, half):
        pencil.panel([x, 0, -depth], [x, wall, depth], tone(wood, 0.72))
        pencil.panel([x - 0.006, wall, -depth], [x + 0.006, wall, depth], tone(wood, 1.1))


def _draw_partition(pencil, style):
    high, depth = BOX["partition"], BOX["depth"]
    for x in (-0.006, 0.006):
        pencil.panel([x, 0, -depth], [x, high, depth], tone(style["box"], 0.7))
    pencil.panel([-0.006, high, -depth], [0.006, high, depth], tone(style["box"], 1.15))


def _draw_front(pencil, style):
    half, depth, wall = BOX["half"], BOX["depth"], BOX["wall"]
    pencil.panel([-half, 0, depth], [half, wall, depth], tone(style["box"], 0.95))
    pencil.panel([-half, wall, depth - 0.008], [half, wall, depth], tone(style["box"], 1.12))
    # the partition's near edge, which no hand in the box can cover
    pencil.panel([-0.006, wall, depth], [0.006, BOX["partition"], depth], tone(style["box"], 0.9))
