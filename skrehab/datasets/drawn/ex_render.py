"""Draw the frames of a synthetic exercise clip: limbs as rounded bodies, the farthest first."""

import math

import numpy as np

from skrehab.datasets.drawn.bbt_scene import path, tone
from skrehab.datasets.drawn.ex_scene import bench, draw_mat, draw_room


class Clip:
    """What does not change within a clip, ready to draw any of its frames.

    Parameters
    ----------
    style : dict
        The person.
    camera : Camera
        A camera whose picture has `size` pixels times :meth:`factor`.
    size : int
        Width and height of a frame in pixels.
    heading : float
        Where the person faces, radians; 0 is the camera.
    has_bench : bool
        Whether a bench stands behind the person.
    """

    def __init__(self, style, camera, size, heading, has_bench):
        from PIL import ImageDraw

        self.style, self.camera, self.size = style, camera, size
        self.room = draw_room(style, camera, size * self.factor(size))
        draw_mat(ImageDraw.Draw(self.room), style, camera, heading)
        self.bench = bench(heading) if has_bench else []
        length = math.hypot(style["light"], 1.0)
        self.light = (style["light"] / length, -1.0 / length)

    @staticmethod
    def factor(size):
        """How many times larger pictures are drawn than wanted, to smooth their edges."""
        return 3 if size <= 128 else 2

    def frame(self, body, hands_to, leg_to, dumbbells):
        """Draw one frame.

        Parameters
        ----------
        body : Body
            Joints of this frame in the room's metres.
        hands_to : ndarray of shape (3,) or None
            Where a band comes from that both hands hold.
        leg_to : tuple of (ndarray of shape (3,), int) or None
            Where a band comes from, and the side whose ankle it is tied to.
        dumbbells : ndarray of shape (3,) or None
            Which way dumbbells point in both hands.

        Returns
        -------
        ndarray of shape (size, size, 3), dtype uint8
            The picture.
        """
        from PIL import ImageDraw

        canvas = self.room.copy()
        self.draw = ImageDraw.Draw(canvas)
        self._shadow(body)
        parts = [*self._trunk(body), *self._head(body)]
        for side in (0, 1):
            parts += self._arm(body, side) + self._leg(body, side)
        gear = self.style["gear"]
        if hands_to is not None:
            parts += [self._band(hand, hands_to, gear) for hand in body.hands]
        if leg_to is not None:
            parts.append(self._band(body.ankles[leg_to[1]], leg_to[0], gear))
        if dumbbells is not None:
            for hand in body.hands:
                parts += self._dumbbell(hand, dumbbells, gear)
        parts += [self._face(corners, shade) for corners, shade in self.bench]
        for _, draw in sorted(parts, key=lambda part: -part[0]):
            draw()
        return np.asarray(canvas.reduce(self.factor(self.size)))

    # --- shapes -----------------------------------------------------------------------------------
    def _limb(self, a, b, start, end, colour, nearer=0.0, rim=0.8):
        """A tapering limb with half widths in metres, lighter on the light's side."""
        flat, depth = self.camera.project(np.stack([a, b]))
        scale = self.camera.focal / depth

        def draw():
            for k, shift, share in ((rim, 0.0, 1.0), (1.0, 0.25, 0.68)):
                ends = []
                for (x, y), radius in zip(flat.tolist(), (start * scale[0], end * scale[1])):
                    dx, dy = (shift * radius * part for part in self.light)
                    ends.append((x + dx, y + dy, share * radius))
                self._capsule(*ends, tone(colour, k))

        return float(depth.mean()) - nearer, draw

    def _capsule(self, a, b, colour):
        (ax, ay, p), (bx, by, q) = a, b
        length = max(math.hypot(bx - ax, by - ay), 1e-6)
        nx, ny = (ay - by) / length, (bx - ax) / length
        outline = [ax + p * nx, ay + p * ny, bx + q * nx, by + q * ny]
        outline += [bx - q * nx, by - q * ny, ax - p * nx, ay - p * ny]
        self.draw.polygon(outline, fill=colour)
        self.draw.ellipse([ax - p, ay - p, ax + p, ay + p], fill=colour)
        self.draw.ellipse([bx - q, by - q, bx + q, by + q], fill=colour)

    def _face(self, corners, shade):
        flat, depth = self.camera.project(corners)
        colour = tone(self.style["furniture"][0][4], shade)
        return float(depth.mean()), lambda: self.draw.polygon(path(flat), fill=colour)

    def _shadow(self, body):
        """Soft dark spots on the floor under hands, feet, pelvis and chest."""
        for points, radius in (
            (body.hands, 0.05),
            (body.toes, 0.07),
            (body.ankles, 0.07),
            (body.pelvis[None], 0.17),
            (body.neck[None], 0.15),
        ):
            for x, y, z in points:
                wide = radius * (1 + 0.3 * y)
                ring = np.linspace(0, 2 * np.pi, 13)[:-1]
                corners = np.stack([np.cos(ring), 0 * ring, np.sin(ring)], axis=-1)
                flat = self.camera.project(wide * corners + [x, 0, z])[0]
                self.draw.polygon(path(flat), fill=tone(self.style["mat"], 0.72))

    # --- the person -------------------------------------------------------------------------------
    def _trunk(self, body):
        style, k = self.style, 0.06 * self.style["body"]["height"] * self.style["stout"]
        shirt, trousers = tone(style["shirt"], 0.95), tone(style["trousers"], 0.95)
        chest = 0.35 * body.waist + 0.65 * body.neck
        parts = [
            self._limb(body.waist, body.pelvis, 1.0 * k, 1.02 * k, shirt, 0.002),
            self._limb(body.hips[0], body.hips[1], 0.85 * k, 0.85 * k, trousers, 0.004),
            self._limb(*body.shoulders, 0.45 * k, 0.45 * k, shirt, 0.001, rim=0.9),
            self._limb(chest, body.waist, 1.1 * k, 1.0 * k, shirt, 0.008, rim=0.94),
        ]
        for shoulder, hip in zip(body.shoulders, body.hips):
            low = 0.6 * body.waist + 0.4 * hip
            inner = 0.82 * shoulder + 0.18 * chest
            parts.append(self._limb(inner, low, 0.55 * k, 0.75 * k, shirt, 0.003, rim=0.86))
        return parts

    def _head(self, body):
        style, h = self.style, self.style["body"]["height"]
        skin, hair = style["skin"], style["hair"]
        nose, eyes = body.face[0], body.face[[2, 5]]
        middle = 0.55 * body.head + 0.45 * (0.5 * (nose + body.head))
        parts = [
            self._limb(body.neck, body.head, 0.03 * h, 0.03 * h, tone(skin, 0.88)),
            self._limb(
                body.head + 0.3 * (body.crown - body.head), middle, 0.048 * h, 0.05 * h, skin, 0.01
            ),
        ]
        if style["hair_kind"] != "bald":
            back = body.head - 0.25 * (nose - body.head)
            top = body.head + 0.55 * (body.crown - body.head)
            low = back
            if style["hair_kind"] == "long":
                low = back + 0.75 * (body.neck - body.head)
            parts.append(self._limb(top, low, 0.054 * h, 0.05 * h, tone(hair, 0.95)))
            front = top + 0.2 * (nose - body.head)
            parts.append(self._limb(top, front, 0.05 * h, 0.032 * h, tone(hair), 0.012))
        to_camera = (nose - body.head) @ self.camera.axes[2] < 0
        if to_camera:
            for eye in eyes:
                parts.append(self._limb(eye, eye, 0.0065 * h, 0.0065 * h, tone(skin, 0.3), 0.05))
            parts.append(self._limb(nose, nose, 0.008 * h, 0.008 * h, tone(skin, 0.8), 0.05))
        return parts

    def _arm(self, body, side):
        style, h = self.style, self.style["body"]["height"]
        shoulder, elbow = body.shoulders[side], body.elbows[side]
        wrist, hand = body.wrists[side], body.hands[side]
        skin, shirt = style["skin"], style["shirt"]
        parts = [
            self._limb(shoulder, elbow, 0.028 * h, 0.023 * h, skin),
            self._limb(elbow, wrist, 0.023 * h, 0.016 * h, skin),
            self._limb(wrist, hand, 0.017 * h, 0.021 * h, tone(skin, 0.95)),
        ]
        share = max(style["sleeve"], 0.12)
        end = shoulder + share * (elbow - shoulder)
        parts.append(self._limb(shoulder, end, 0.033 * h, 0.03 * h, shirt, 0.005))
        return parts

    def _leg(self, body, side):
        style, h = self.style, self.style["body"]["height"]
        hip, knee = body.hips[side], body.knees[side]
        ankle, toe = body.ankles[side], body.toes[side]
        skin, trousers = style["skin"], tone(style["trousers"])
        lower = skin if style["shorts"] else trousers
        heel = ankle - 0.3 * (toe - ankle)
        heel = heel - [0, min(0.02 * h, max(heel[1] - 0.02, 0)), 0]
        parts = [
            self._limb(hip, knee, 0.048 * h * style["stout"] ** 0.5, 0.034 * h, lower),
            self._limb(knee, ankle, 0.033 * h, 0.022 * h, lower),
            self._limb(heel, toe, 0.022 * h, 0.018 * h, tone(style["shoes"])),
        ]
        if style["shorts"]:
            end = hip + 0.6 * (knee - hip)
            parts.append(self._limb(hip, end, 0.053 * h, 0.046 * h, trousers, 0.005))
        return parts

    # --- gear -------------------------------------------------------------------------------------
    def _band(self, hand, anchor, colour):
        flat, depth = self.camera.project(np.stack([hand, anchor]))
        wide = max(1, round(0.022 * self.camera.focal / depth[0]))

        def draw():
            self.draw.line(path(flat), fill=tone(colour, 0.7), width=wide + 2)
            self.draw.line(path(flat), fill=tone(colour), width=wide)

        return float(depth[0]) - 0.03, draw

    def _dumbbell(self, hand, axis, colour):
        bar = 0.085 * axis
        parts = [self._limb(hand - bar, hand + bar, 0.014, 0.014, (60, 60, 66), 0.05)]
        for end in (-1, 1):
            near, far = hand + end * 0.075 * axis, hand + end * 0.125 * axis
            parts.append(self._limb(near, far, 0.058, 0.058, tone(colour), 0.055))
        return parts


def expose(frames, style, stock, starts):
    """Brightness, tint and sensor noise, in place.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, size, size, 3), dtype uint8
        Pictures as drawn.
    style : dict
        The person, who brings light and camera along.
    stock : ndarray of shape (n,), dtype float32
        Noise to cut from, longer than a picture.
    starts : ndarray of int of shape (n_frames,)
        Where each frame's noise begins in it.

    Returns
    -------
    ndarray of shape (n_frames, size, size, 3), dtype uint8
        The same pictures.
    """
    gains = (style["gain"] * style["tint"]).astype(np.float32)
    for frame, start in zip(frames, starts):
        noisy = frame * gains + stock[start : start + frame.size].reshape(frame.shape)
        frame[:] = np.clip(noisy, 0, 255, out=noisy)
    return frames
