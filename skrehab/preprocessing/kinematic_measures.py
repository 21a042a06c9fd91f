"""KinematicMeasures: from landmarks to angles, heights and speeds with names and units."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skrehab.preprocessing.measures import (
    find_joints,
    list_measures,
    measure_frames,
    measure_skeleton,
)
from skrehab.preprocessing.movement import RunningAverage, moving_average
from skrehab.preprocessing.trial_steps import TrialTransformer
from skrehab.preprocessing.upright import warn_of_z_up
from skrehab.skeletons import Skeleton, get_skeleton, guess_skeleton
from skrehab.trials import check_frame

__all__ = ["KinematicMeasures"]

PERSON = np.array([1.0, -1.0, -1.0])  # a camera's axes, as the person who faces it has them


class KinematicMeasures(TrialTransformer):
    r"""Describe each frame by measures that a clinician knows.

    Joints are averaged over the last frames in which they were seen, then measured. No later frame
    enters, so that offline and live results are the same. The result is X like any other, with one
    landmark a measure and one coordinate: networks, saliency maps and reports speak its names.

    Parameters
    ----------
    skeleton : str, Skeleton or "auto", default="mediapipe33"
        Skeleton of the trials; ``"auto"`` takes the registered one that has their shape.
    frame_rate : float, default=30.0
        Frames a second of the trials, for speeds.
    window : int, default=5
        Frames in the moving average, this one and those before; 1 switches it off.

    Attributes
    ----------
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.

    Notes
    -----
    Let *u* be up (gravity, by the skeleton's axes: the camera stands upright), *l* the horizontal
    part of the line from the right to the left hip, and *f* = *l* x *u* the way the pelvis faces;
    *t* the direction from between the hips to between the shoulders, *l'* the part of the line from
    the right to the left shoulder at right angles to *t*, *f'* = *l'* x *t*; *a* the direction from
    shoulder to elbow. All of length 1; angles in degrees.

    ===================== ==========================================================================
    measure               definition
    ===================== ==========================================================================
    trunk_lean_forward    atan2(t.f, t.u): 0 upright, positive to the front
    trunk_lean_sideways   asin(t.l): positive to the person's left
    trunk_rotation        atan2(l.f', l.l'): of the shoulders against the pelvis, positive to the
                          left. These three are the angles of OpenSim's lumbar joint (rotations
                          about z, x, y; extension, bending and rotation, whose signs are -, -, +)
    shoulder_tilt         asin of the direction between the shoulders along t: positive if the left
                          one is higher on the trunk
    head_tilt_forward     atan2(h.f', h.t), h from between the shoulders to between the ears
    head_tilt_sideways    asin(h.l'): positive to the left
    \*_shoulder_elevation height of the shoulder over the hips along t, in percent of the distance
                          between the shoulders: it rises with a shrug. Compare it within a person
    \*_shoulder_flexion   atan2(a.f', -a.t), from -90 (back) to 270: OpenSim's arm_flex. Noise where
                          the arm points straight to the side
    \*_shoulder_abduction asin(a.l'), outwards: minus OpenSim's arm_add
    \*_arm_elevation      angle between the arm and the trunk downwards, 0 to 180 (ISB)
    \*_elbow_flexion      angle between upper arm and forearm, 0 straight: OpenSim's elbow_flex
    \*_knee_flexion       angle between thigh and shank, 0 straight: minus OpenSim's knee_angle
    \*_hand_height        height of the wrist over the hips
    \*_hand_to_head       distance of the wrist to the mouth; to the nose or head if none is seen
    \*_hand_speed         distance of the wrist from the frame before, times `frame_rate`
    \*_asymmetry          left minus right of arm_elevation, elbow_flexion and hand_speed
    ===================== ==========================================================================

    Lengths are in the unit of X (``m`` or ``px``), speeds in that a second; :attr:`units_` says
    which. Flat skeletons give what a picture shows, as projected: neither lean forward nor rotation
    nor flexion nor abduction, and arm, elbow and knee angles of the projection.

    A measure is NaN where a joint it needs was lost in all frames of the window; a speed also in
    the first frame. The shoulder is one joint: where the shoulder blade is not seen, an arm's angle
    is that of the arm against the trunk, not against the blade.

    References
    ----------
    Wu et al. 2005, J. Biomech. 38: 981-992, section 2.4 (humerothoracic elevation); Seth et al.
    2018, PLoS Comput. Biol. 14: e1006223 (OpenSim); Rajagopal et al. 2016, IEEE Trans. Biomed. Eng.
    63: 2068-2079 (coordinates of lumbar joint, arm, elbow_flex, knee_angle).

    Examples
    --------
    >>> from skrehab import KinematicMeasures
    >>> from skrehab.datasets import make_rehab_trials
    >>> data = make_rehab_trials(2, 1, random_state=0)
    >>> measures = KinematicMeasures("mediapipe33", frame_rate=data.frame_rate)
    >>> out = measures.fit_transform(data.X)[0]
    >>> out.shape == (len(data.X[0]), 27, 1)
    True
    >>> measures.get_feature_names_out()[:2], measures.units_[:2]
    (array(['trunk_lean_forward', 'trunk_lean_sideways'], dtype=object), ['deg', 'deg'])
    """

    _parameter_constraints = {
        "skeleton": [str, Skeleton],
        "frame_rate": [Interval(Real, 0, None, closed="neither")],
        "window": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, skeleton="mediapipe33", *, frame_rate=30.0, window=5):
        self.skeleton = skeleton
        self.frame_rate = frame_rate
        self.window = window

    def _learn(self, X):
        n_landmarks, n_coords = X[0].shape[1:]
        skeleton = _whole(self.skeleton, n_landmarks, n_coords)
        if n_landmarks != skeleton.n_landmarks:
            raise ValueError(
                f"X[0] has {n_landmarks} landmarks, skeleton {skeleton.name!r} has "
                f"{skeleton.n_landmarks}. Pass the trials' own skeleton, or 'auto'."
            )
        if n_coords < skeleton.n_dims:
            raise ValueError(
                f"X[0] has {n_coords} coordinates a landmark, skeleton {skeleton.name!r} needs "
                f"{skeleton.n_dims}."
            )
        list_measures(skeleton)  # says so if it has no trunk
        super()._learn(X)
        warn_of_z_up(X, skeleton)

    @property
    def _skeleton(self):
        return _whole(self.skeleton, self.n_landmarks_, self.n_coords_)

    def _measurer(self):
        return _Measurer(self._skeleton, self.frame_rate)

    def _transform_one(self, trial):
        measurer = self._measurer()
        smooth = moving_average(measurer.places(trial), self.window, causal=True)
        return measurer.measure(smooth, np.concatenate([np.nan * smooth[:1], smooth[:-1]]))

    def get_feature_names_out(self, input_features=None):
        """Name the measures in the order of the result's second axis.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str of shape (n_measures,), dtype object
            Such as ``trunk_lean_forward``.
        """
        return np.array(self.measure_skeleton_.landmarks, dtype=object)

    @property
    def measure_skeleton_(self):
        """Skeleton whose landmarks are the measures, for Displays and reports."""
        return measure_skeleton(self._skeleton)

    @property
    def units_(self):
        """Unit of each measure: ``deg``, ``%``, ``m`` or ``px``, and a length a second."""
        skeleton = self._skeleton
        length = "px" if skeleton.units.startswith("pixels") else "m"
        return [row.unit.replace("length", length) for row in list_measures(skeleton)]

    def _start_stream(self):
        return _MeasureStream(self._shape, self._measurer(), self.window)


def _whole(skeleton, n_landmarks, n_coords):
    return guess_skeleton(n_landmarks, n_coords) if skeleton == "auto" else get_skeleton(skeleton)


class _Measurer:
    """Joints of a skeleton in the person's axes, and their measures."""

    def __init__(self, skeleton, frame_rate):
        self.joints = find_joints(skeleton)
        self.names = [row.name for row in list_measures(skeleton)]
        self.signs = np.array(skeleton.directions) * PERSON[: skeleton.n_dims]
        self.frame_rate = frame_rate

    def places(self, frames):
        """Give joints by their place: (..., n_joints, n_dims)."""
        frames = frames[..., : len(self.signs)].astype(float) * self.signs
        return np.stack(
            [sum(frames[..., i, :] for i in at) / len(at) for at in self.joints.values()], axis=-2
        )

    def measure(self, places, before):
        """Measure frames, those before them at hand."""
        now, then = (
            {name: array[..., k, :] for k, name in enumerate(self.joints)}
            for array in (places, before)
        )
        out = measure_frames(now, self.names, before=then, frame_rate=self.frame_rate)
        return out.astype(np.float32)[..., None]


class _MeasureStream:
    """Do what `transform` does, one frame at a time."""

    def __init__(self, shape, measurer, window):
        self.shape, self.measurer, self.window = shape, measurer, window
        self.reset()

    def reset(self):
        shape = (len(self.measurer.joints), len(self.measurer.signs))
        self.average = RunningAverage(self.window, shape)
        self.before = np.full(shape, np.nan)

    def push(self, frame, timestamp):
        places = self.average.push(self.measurer.places(check_frame(frame, self.shape)))
        before, self.before = self.before, places
        return self.measurer.measure(places, before)
