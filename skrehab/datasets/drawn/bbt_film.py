"""Film one clip of a synthetic Box-and-Block test: frames, and key-points as reported."""

import numpy as np
from scipy.signal import lfilter

from skrehab.datasets.drawn.bbt_body import place_body
from skrehab.datasets.drawn.bbt_hands import BOX
from skrehab.datasets.drawn.bbt_motion import move
from skrehab.datasets.drawn.bbt_render import render
from skrehab.datasets.drawn.bbt_scene import Camera
from skrehab.datasets.drawn.clip import DrawnClip

_MOTION, _PICTURE, _KEYPOINTS = range(3)  # streams of random numbers of one clip

# How well COCO's 17 key-points are seen where nothing is in the way. Hips and legs are under the
# table, where an estimator guesses.
_SEEN = np.repeat([0.95, 0.93, 0.86, 0.93, 0.9, 0.92, 0.4, 0.22, 0.1], [1] + [2] * 8)


class LazyClip(DrawnClip):
    """A clip that is rendered whenever it is turned into an array."""

    def __repr__(self):
        return f"LazyClip{self.shape}"

    def __getitem__(self, index):
        return np.asarray(self)[index]

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("A lazy clip is rendered anew: it has no array that could be shared.")
        motion, body = _act(self.clip, self.n_frames, self.frame_rate)
        frames = render(self.clip, motion, body, self.size, _stream(self.clip, _PICTURE))
        return frames if dtype is None else frames.astype(dtype)

    def observe(self):
        """Report key-points.

        Returns
        -------
        poses : ndarray of shape (n_frames, 17, 3), dtype float32
            COCO's key-points: x and y in pixels, score.
        side : {"left", "right"}
            Hand that acts.
        activity : str
            What it does.
        """
        motion, body = _act(self.clip, self.n_frames, self.frame_rate)
        camera = Camera(self.clip["style"], self.size)
        rng = _stream(self.clip, _KEYPOINTS)
        poses = _keypoints(body, camera, self.size, self.frame_rate, rng)
        return poses, ("left", "right")[motion.active], motion.activity


def _stream(clip, which):
    """Random numbers of a clip, apart for movement, picture and key-points."""
    return np.random.default_rng([clip["seed"], which])


def _act(clip, n_frames, frame_rate):
    u = (np.arange(n_frames) + 0.5) / n_frames
    motion = move(clip, u, np.arange(n_frames) / frame_rate, _stream(clip, _MOTION))
    return motion, place_body(clip["style"], motion)


def _keypoints(body, camera, size, frame_rate, rng):
    """Project the joints, with errors that grow and scores that fall where something hides them."""
    joints = np.concatenate([body.face[:, :5], body.shoulders, body.elbows, body.wrists], axis=1)
    joints = np.concatenate([joints, body.legs], axis=1)
    flat = camera.project(joints)
    metre = float(camera.pixels(body.neck.mean(0)))
    seen = _SEEN * (1 - 0.85 * _hidden(flat, body, camera, metre))
    outside = ((flat < 0) | (flat > size)).any(-1)
    seen = np.where(outside, 0.3 * seen, seen)

    # errors and scores wander, forgetting themselves in about a sixth of a second
    memory = np.exp(-6 / frame_rate)
    wander = rng.normal(size=(len(flat), 17, 3))
    wander[1:] *= np.sqrt(1 - memory**2)
    wander = lfilter([1.0], [1.0, -memory], wander, axis=0)
    error = metre * (0.0035 + 0.06 * (1 - seen[..., None]) ** 2) * wander[..., :2]
    score = np.clip(seen + (0.02 + 0.06 * (1 - seen)) * wander[..., 2], 0.01, 0.99)
    flat = np.clip(flat + error, 0, size * (1 - 1e-6))  # estimators answer within the picture
    return np.concatenate([flat, score[..., None]], axis=-1).astype(np.float32)


def _hidden(flat, body, camera, metre):
    """How far each key-point is hidden, 0 to 1: by arms and hands, the head itself, the box."""
    hidden = np.zeros(flat.shape[:2])
    palms = camera.project(body.palms.mean(2))
    knuckles = camera.project(body.fingers[:, :, 1, 1])
    for side in (0, 1):
        elbow, wrist = flat[:, 7 + side], flat[:, 9 + side]
        others = [i for i in range(13) if i not in (7 + side, 9 + side)]
        for a, b in ((elbow, wrist), (wrist, palms[:, side]), (palms[:, side], knuckles[:, side])):
            distance = _distance(flat[:, others], a[:, None], b[:, None]) / metre
            cover = np.clip((0.055 - distance) / 0.03, 0, 1)
            hidden[:, others] = np.maximum(hidden[:, others], cover)
    # an ear turned away from the camera
    ears = body.face[:, 3:5] - body.head[:, None]
    away = (ears @ camera.axes[2]) / np.linalg.norm(ears, axis=-1)
    hidden[:, 3:5] = np.maximum(hidden[:, 3:5], np.clip(1.6 * away, 0, 1))
    # a wrist below the upper edge of the box's front wall
    edge = [[x, BOX["wall"], BOX["depth"]] for x in (-BOX["half"], BOX["half"])]
    left, right = camera.project(edge)
    for joint in (9, 10):
        x, y = flat[:, joint].T
        depth = np.interp(x, [left[0], right[0]], [left[1], right[1]], left=np.inf, right=np.inf)
        hidden[:, joint] = np.maximum(hidden[:, joint], y > depth)
    return hidden


def _distance(points, a, b):
    """Distance of points (T, n, 2) to the lines from a to b, (T, 1, 2) each, in pixels."""
    way = b - a
    share = ((points - a) * way).sum(-1) / np.maximum((way**2).sum(-1), 1e-9)
    nearest = a + np.clip(share, 0, 1)[..., None] * way
    return np.linalg.norm(points - nearest, axis=-1)
