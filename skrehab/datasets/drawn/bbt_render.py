"""Draw the frames of a synthetic Box-and-Block test."""

import math

import numpy as np

from skrehab.datasets.drawn.bbt_scene import Camera, cube, draw_scene, path, tone


def render(clip, motion, body, size, rng):
    """Render one clip.

    Parameters
    ----------
    clip : dict
        From :func:`plan_clips`.
    motion : Motion
        What happens.
    body : Body
        Where every joint is.
    size : int
        Width and height of a frame in pixels.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_frames, size, size, 3), dtype uint8
        RGB frames.
    """
    from PIL import ImageDraw

    factor = 3 if size <= 128 else 2
    style = clip["style"]
    camera = Camera(style, size * factor)
    scene = draw_scene(clip, motion, camera, size * factor, rng)
    flat = type(body)(*map(camera.project, body))
    scale = float(camera.pixels(body.neck.mean(0)))  # pixels a metre, near enough for widths

    frames = np.empty((len(body.head), size, size, 3), dtype=np.uint8)
    for t, joints in enumerate(map(type(body)._make, zip(*flat))):
        canvas = scene.room.copy()
        artist = _Artist(ImageDraw.Draw(canvas), style, scale)
        artist.trunk(joints)
        artist.head(joints)
        for side in (0, 1):
            artist.upper_arm(joints, side)
        scene.table.onto(canvas)
        block = cube(camera, body.block[t], scene.angle) if motion.has_block else []
        block = [(outline, tone(scene.colour, k)) for outline, k in block]
        for side in (1 - motion.active, motion.active):
            artist.forearm(joints, side)
            artist.hand(joints, side, block if side == motion.active else [])
        scene.front.onto(canvas)
        frames[t] = np.asarray(canvas.reduce(factor))
    return _expose(frames, style, rng)


def _expose(frames, style, rng):
    """Brightness, tint and sensor noise."""
    gains = (style["gain"] * style["tint"]).astype(np.float32)
    # each frame takes its noise from some place in one stock: fresh noise costs more than drawing
    n = frames[0].size
    stock = np.float32(style["grain"]) * rng.standard_normal(4 * n, dtype=np.float32)
    for frame, start in zip(frames, rng.integers(3 * n, size=len(frames))):
        noisy = frame * gains + stock[start : start + n].reshape(frame.shape)
        frame[:] = np.clip(noisy, 0, 255, out=noisy)
    return frames


class _Artist:
    """Draws one person into one picture; joints are in pixels."""

    def __init__(self, draw, style, scale):
        self.draw, self.style, self.scale = draw, style, scale
        length = math.hypot(style["light"], 1.0)
        self.light = (style["light"] / length, -1.0 / length)

    def disc(self, centre, radius, colour):
        x, y = centre
        self.draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)

    def limb(self, a, b, widths, colour):
        """A rounded, tapering limb (half widths in metres), lighter on the light's side."""
        (ax, ay), (bx, by) = a, b
        length = max(math.hypot(bx - ax, by - ay), 1e-6)
        nx, ny = (ay - by) / length, (bx - ax) / length
        start, end = (self.scale * width for width in widths)
        dx, dy = self.light
        for k, shift, share in ((0.78, 0.0, 1.0), (1.0, 0.25, 0.68)):
            shade, r, q = tone(colour, k), share * start, share * end
            x, y, u, v = (
                ax + shift * start * dx,
                ay + shift * start * dy,
                bx + shift * end * dx,
                by + shift * end * dy,
            )
            self.draw.polygon(
                [
                    x + r * nx,
                    y + r * ny,
                    u + q * nx,
                    v + q * ny,
                    u - q * nx,
                    v - q * ny,
                    x - r * nx,
                    y - r * ny,
                ],
                fill=shade,
            )
            self.draw.ellipse([x - r, y - r, x + r, y + r], fill=shade)
            self.draw.ellipse([u - q, v - q, u + q, v + q], fill=shade)

    def trunk(self, joints):
        style, m = self.style, self.scale
        left, right = joints.shoulders
        waist = joints.legs[:2].mean(0)
        half = style["waist_half"] * m
        shirt = tone(style["shirt"], 0.9)
        inward = 0.25 * (joints.neck - 0.5 * (left + right))
        outline = [
            left + inward,
            left + [0.035 * m, 0.06 * m],
            waist + [half, 0],
            waist - [half, 0],
            right + [-0.035 * m, 0.06 * m],
            right + inward,
        ]
        self.draw.polygon(path([joints.neck, *outline]), fill=shirt)
        for shoulder in (left, right):
            self.disc(shoulder, 0.055 * m, shirt)
        self.draw.polygon(
            path(
                [
                    joints.neck + [0.05 * m, 0.02 * m],
                    left,
                    right,
                    joints.neck + [-0.05 * m, 0.02 * m],
                ]
            ),
            fill=shirt,
        )

    def head(self, joints):
        style, m = self.style, self.scale * self.style["head"]
        skin, hair = style["skin"], style["hair"]
        nose, left_eye, right_eye, left_ear, right_ear, left_lip, right_lip, *_ = joints.face
        neck, (x, y) = joints.neck, joints.head
        if style["hair_kind"] == "long":
            box = [x - 0.1 * m, y - 0.1 * m, x + 0.1 * m, y + 0.16 * m]
            self.draw.rounded_rectangle(box, 0.06 * m, fill=tone(hair, 0.75))
        self.limb(neck + [0, 0.02 * m], (x, y + 0.05 * m), (0.05, 0.048), tone(skin, 0.84))
        if style["collar"]:
            low = neck + [0, 0.075 * m]
            corners = [neck - [0.055 * m, 0], low, neck + [0.055 * m, 0]]
            self.draw.polygon(path(corners), fill=tone(skin, 0.9))
        for ear in (left_ear, right_ear):
            self.disc(ear, 0.02 * m, tone(skin, 0.85))
        if style["hair_kind"] != "bald":
            box = [x - 0.09 * m, y - 0.125 * m, x + 0.09 * m, y + 0.08 * m]
            self.draw.ellipse(box, fill=tone(hair))
        # the face turns with the nose, less far, and shows the hair above it
        x, y = x + 0.25 * (nose[0] - x), y + 0.35 * (nose[1] - y)
        box = [x - 0.076 * m, y - 0.095 * m, x + 0.076 * m, y + 0.1 * m]
        self.draw.ellipse(box, fill=tone(skin, 0.97))

        thick = max(1, round(0.01 * m))
        for eye in (left_eye, right_eye):
            self.disc(eye, 0.01 * m, tone(skin, 0.3))
            brow = path([eye + [-0.019 * m, -0.023 * m], eye + [0.019 * m, -0.023 * m]])
            self.draw.line(brow, fill=tone(hair, 0.75), width=thick)
            if style["glasses"]:
                r = 0.025 * m
                self.draw.ellipse(
                    [*(eye - r), *(eye + r)], outline=(30, 30, 34), width=max(1, thick // 2)
                )
        self.limb(0.5 * (left_eye + right_eye), nose, (0.006, 0.012), tone(skin, 0.88))
        lips = tone((0.75 * skin[0], 0.45 * skin[1], 0.45 * skin[2]))
        self.draw.line(path([left_lip, right_lip]), fill=lips, width=thick)

    def upper_arm(self, joints, side):
        self.limb(joints.shoulders[side], joints.elbows[side], (0.055, 0.044), self.style["shirt"])

    def forearm(self, joints, side):
        elbow, wrist = joints.elbows[side], joints.wrists[side]
        self.limb(elbow, wrist, (0.04, 0.028), self.style["skin"])
        share = self.style["sleeve"]
        end = elbow + max(share, 0.08) * (wrist - elbow)
        self.limb(elbow, end, (0.047, 0.047 - 0.01 * share), self.style["shirt"])

    def hand(self, joints, side, block):
        """Fingers, the block that they hold, the thumb before it."""
        skin, m = self.style["skin"], self.scale * self.style["hand"]
        palm, fingers, thumb = joints.palms[side], joints.fingers[side], joints.thumbs[side]
        self._digits(fingers[::-1], 0.0125 * m, 0.72)
        self.draw.polygon(path(palm), fill=tone(skin, 0.92))
        for a, b in zip(palm, np.roll(palm, -1, axis=0)):
            self.draw.line(path([a, b]), fill=tone(skin, 0.92), width=max(1, int(0.022 * m)))
        self._digits(fingers[::-1], 0.0085 * m, 0.98)
        for points, colour in block:
            self.draw.polygon(points, fill=colour)
        self._digits([thumb], 0.013 * m, 0.72)
        self._digits([thumb], 0.009 * m, 1.04)

    def _digits(self, digits, radius, k):
        colour = tone(self.style["skin"], k)
        for digit in digits:
            self.draw.line(path(digit), fill=colour, width=max(1, round(2 * radius)), joint="curve")
            self.disc(digit[0], radius, colour)
            self.disc(digit[-1], radius, colour)
