"""Film one synthetic exercise clip: frames on demand, and key-points as reported."""

import numpy as np
from scipy.signal import lfilter

from skrehab.datasets._body import SIDES
from skrehab.datasets.drawn.clip import DrawnClip
from skrehab.datasets.drawn.ex_body import place_body
from skrehab.datasets.drawn.ex_floor import FLOOR_MOVES
from skrehab.datasets.drawn.ex_motion import beat, move_standing
from skrehab.datasets.drawn.ex_persons import draw_set
from skrehab.datasets.drawn.ex_render import Clip, expose
from skrehab.datasets.drawn.ex_scene import Camera, anchors

_MOTION, _PICTURE, _KEYPOINTS, _SET = range(4)  # streams of random numbers of one clip

# COCO's 17 from MediaPipe's face landmarks, then joints left and right
_FACE = [0, 2, 5, 7, 8]


class ExerciseClip(DrawnClip):
    """A clip whose frames are drawn when they are asked for."""

    def __repr__(self):
        return f"ExerciseClip({self.clip['activity'].name!r}, {self.shape})"

    def __getitem__(self, index):
        """Draw only the frames that are asked for."""
        if isinstance(index, tuple):
            frames = self[index[0]]
            return frames[index[1:]] if frames.ndim == 3 else frames[(slice(None), *index[1:])]
        chosen = np.arange(self.n_frames)[index]
        frames = self._draw(np.atleast_1d(chosen))
        return frames if np.ndim(chosen) else frames[0]

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("A lazy clip is drawn anew: it has no array that could be shared.")
        frames = self._draw(np.arange(self.n_frames))
        return frames if dtype is None else frames.astype(dtype)

    def _draw(self, chosen):
        style, activity = _style(self.clip), self.clip["activity"]
        body, film = _act(self.clip, self.n_frames, self.frame_rate)
        camera = _camera(style, body, film, self.size * Clip.factor(self.size))
        drawer = Clip(style, camera, self.size, film["heading"], activity.name == "triceps dips")
        rng = np.random.default_rng([self.clip["seed"], _PICTURE])
        n = self.size * self.size * 3
        stock = np.float32(style["grain"]) * rng.standard_normal(4 * n, dtype=np.float32)
        starts = rng.integers(3 * n, size=self.n_frames)

        hands_to, leg_to = (_turn(end, film["heading"]) for end in film["anchors"])
        leg_to = None if leg_to is None else (leg_to, film["moving"])
        across = [0.0, 0, 1] if activity.upper in ("rest", "side raise") else [1.0, 0, 0]
        dumbbells = _turn(np.array(across), film["heading"])
        dumbbells = dumbbells if activity.resists == "dumbbells" else None
        # a frame that is repeated is drawn once
        unique, back = np.unique(chosen, return_inverse=True)
        frames = np.empty((len(unique), self.size, self.size, 3), dtype=np.uint8)
        for frame, t in zip(frames, unique):
            joints = type(body)._make(part[t] for part in body)
            frame[:] = drawer.frame(joints, hands_to, leg_to, dumbbells)
        return expose(frames, style, stock, starts[unique])[back]

    def observe(self):
        """Report key-points.

        Returns
        -------
        ndarray of shape (n_frames, 17, 3), dtype float32
            COCO's key-points: x and y in pixels, score.
        """
        body, film = _act(self.clip, self.n_frames, self.frame_rate)
        camera = _camera(_style(self.clip), body, film, self.size)
        rng = np.random.default_rng([self.clip["seed"], _KEYPOINTS])
        return _keypoints(body, camera, self.size, self.frame_rate, rng)


def _style(clip):
    """The person, and what is drawn anew for each clip; not kept, since clips are many."""
    return clip["style"] | draw_set(np.random.default_rng([clip["seed"], _SET]))


def _turn(point, heading):
    """Points (..., 3) of the person's axes in the room's, or None."""
    if point is None:
        return None
    c, s = np.cos(heading), np.sin(heading)
    return point @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


def _act(clip, n_frames, frame_rate):
    """Joints in the room's metres, and what else the clip needs.

    What is drawn does not depend on what resists: the same seed moves alike.
    """
    style, activity = clip["style"], clip["activity"]
    rng = np.random.default_rng([clip["seed"], _MOTION])
    seconds = np.arange(n_frames) / frame_rate
    rate = 0.55 * style["pace"] * rng.uniform(0.85, 1.2)
    quick = {"hop": 1.5, "march": 1.5}.get(activity.lower, 1.0)
    quick *= {"mountain climbers": 1.7, "bicycle crunches": 1.4}.get(activity.name, 1.0)
    rhythm = beat(seconds, rate * quick, rng.uniform(0, 1), int(rng.integers(2)))
    manner = style | {"range": style["range"] * rng.uniform(0.93, 1.05)}
    on_floor = activity.lower == "floor"
    angle = rng.uniform(35, 90) if on_floor else abs(rng.normal(0, 38))
    if activity.name == "side lying leg raises":
        angle = rng.uniform(0, 35)
    if activity.lower == "leg back":  # from the front nobody sees which way a leg swings
        angle = max(angle, 25)
    heading = np.deg2rad(min(angle, 90)) * rng.choice([-1, 1])
    shift = rng.uniform(-1, 1, 2)
    sway = _sway(seconds, 0.006, rng)
    move_rng = np.random.default_rng([clip["seed"], _MOTION, 1])
    if on_floor:
        posture = FLOOR_MOVES[activity.name](style["body"], rhythm, manner, move_rng)
    else:
        posture = move_standing(activity, style["body"], rhythm, manner, move_rng)
        posture = posture._replace(pelvis=posture.pelvis + sway * [1, 0, 1])
    body = place_body(style["body"], posture)
    if on_floor:  # the middle of a lying body is in the middle of the room
        middle = 0.5 * (body.neck + body.ankles.mean(axis=1)).mean(axis=0) * [1, 0, 1]
        if activity.name == "triceps dips":
            middle = np.zeros(3)
        body = type(body)._make(part - middle for part in body)
    body = type(body)._make(_turn(part, heading) for part in body)
    moving = _moving_leg(clip)
    return body, {
        "heading": heading,
        "shift": shift,
        "moving": moving,
        "anchors": anchors(activity, style["body"]["height"], SIDES[moving]),
    }


def _moving_leg(clip):
    """The leg that moves where one does: the first number that its movement draws."""
    again = np.random.default_rng([clip["seed"], _MOTION, 1])
    return int(again.spawn(2)[0].integers(2))


def _camera(style, body, film, size):
    points = np.concatenate([np.reshape(part, (-1, 3)) for part in body])
    # what has a thickness: head, hands with their weights, soles
    around = np.concatenate([points + [dx, dy, 0] for dx in (-0.1, 0.1) for dy in (-0.07, 0.08)])
    return Camera(style, around, size, film["shift"])


def _sway(seconds, size, rng):
    """Smooth wandering in three directions with about this standard deviation."""
    rates = rng.uniform(0.1, 0.6, (3, 3))
    phases = rng.uniform(0, 2 * np.pi, (3, 3))
    waves = np.sin(2 * np.pi * rates * seconds[:, None, None] + phases)
    return size * np.sqrt(2 / 3) * waves.sum(axis=1)


def _keypoints(body, camera, size, frame_rate, rng):
    """Project the joints, with errors that grow and scores that fall where something hides them."""
    joints = [body.face[:, _FACE], body.shoulders, body.elbows, body.wrists]
    joints = np.concatenate([*joints, body.hips, body.knees, body.ankles], axis=1)
    flat, depth = camera.project(joints)
    metre = camera.focal / float(depth.mean())
    # faces turned away, and limbs behind the trunk
    away = ((body.face[:, 0] - body.head) @ camera.axes[2]) / np.linalg.norm(
        body.face[:, 0] - body.head, axis=-1
    )
    hidden = np.zeros(flat.shape[:2])
    hidden[:, :3] = np.clip(1.5 * away, 0, 1)[:, None]
    ears = body.face[:, 7:9] - body.head[:, None]
    ears = (ears @ camera.axes[2]) / np.linalg.norm(ears, axis=-1)
    hidden[:, 3:5] = np.clip(1.4 * ears, 0, 1)
    for a, b, radius in _covers(body):
        hidden = np.maximum(hidden, _in_front(camera, flat, depth, a, b, radius))
    seen = 0.95 * (1 - 0.8 * hidden)

    # errors and scores wander, forgetting themselves in about a sixth of a second
    memory = np.exp(-6 / frame_rate)
    wander = rng.normal(size=(len(flat), 17, 3))
    wander[1:] *= np.sqrt(1 - memory**2)
    wander = lfilter([1.0], [1.0, -memory], wander, axis=0)
    error = metre * (0.008 + 0.07 * (1 - seen[..., None]) ** 2) * wander[..., :2]
    score = np.clip(seen + (0.02 + 0.06 * (1 - seen)) * wander[..., 2], 0.01, 0.99)
    flat = np.clip(flat + error, 0, size * (1 - 1e-6))  # estimators answer within the picture
    return np.concatenate([flat, score[..., None]], axis=-1).astype(np.float32)


def _covers(body):
    """Parts that hide others: ends and radius in metres."""
    yield body.neck, body.pelvis, 0.12
    yield body.head, body.crown, 0.08
    for side in (0, 1):
        yield body.shoulders[:, side], body.elbows[:, side], 0.035
        yield body.elbows[:, side], body.hands[:, side], 0.03
        yield body.hips[:, side], body.knees[:, side], 0.06
        yield body.knees[:, side], body.ankles[:, side], 0.04


def _in_front(camera, flat, depth, a, b, radius):
    """How far a part hides each key-point, 0 to 1: it is in the way and clearly nearer."""
    (start, near), (end, far) = camera.project(a), camera.project(b)
    way = (end - start)[:, None]
    share = ((flat - start[:, None]) * way).sum(-1) / np.maximum((way**2).sum(-1), 1e-9)
    share = np.clip(share, 0, 1)
    distance = np.linalg.norm(flat - start[:, None] - share[..., None] * way, axis=-1)
    at = near[:, None] + share * (far - near)[:, None]
    in_way = np.clip(1.5 - distance / (radius * camera.focal / at), 0, 1)
    return in_way * np.clip((depth - at - 0.06) / 0.08, 0, 1)
