"""Turn landmark positions into directions of bones: where each limb points, whatever its length.

A pure function on one trial with a thin transformer over it. Causal, without a reference frame, and
without the size of the body.
"""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval

from skrehab.preprocessing.movement import RunningAverage, moving_average
from skrehab.preprocessing.trial_steps import TrialTransformer
from skrehab.preprocessing.upright import how_upright, warn_of_turned_over, warn_of_z_up
from skrehab.skeletons import Skeleton, bone_skeleton, get_skeleton, guess_skeleton
from skrehab.trials import check_frame

__all__ = ["BoneVectors", "bone_directions", "bone_vectors"]

SHORTEST = 1e-6  # in units of the trials: below it, rounding decides where a bone points


def bone_vectors(frames, bones):
    """Subtract the start of each bone from its end.

    Parameters
    ----------
    frames : ndarray of shape (..., n_landmarks, n_coords)
        Positions; NaN where a landmark was lost.
    bones : sequence of ((int, ...), (int, ...))
        Landmarks at the start and at the end of each bone; the mean of several is one joint.

    Returns
    -------
    ndarray of shape (..., n_bones, n_coords)
        Vectors in the units of `frames`; NaN where a landmark that the bone needs was lost.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.bones import bone_vectors
    >>> bone_vectors(np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0]]), [((0, 1), (2,))])
    array([[0., 3.]])
    """
    start, end = (_joints(frames, [bone[side] for bone in bones]) for side in (0, 1))
    return end - start


def _joints(frames, joints):
    """Positions of joints, those of as many landmarks at once: live, one by one takes too long."""
    positions = [None] * len(joints)
    for size in {len(joint) for joint in joints}:
        places = [i for i, joint in enumerate(joints) if len(joint) == size]
        means = frames[..., [joints[i] for i in places], :].mean(axis=-2)
        for k, i in enumerate(places):
            positions[i] = means[..., k, :]
    return np.stack(positions, axis=-2)


def bone_directions(vectors):
    """Scale vectors to length 1.

    Parameters
    ----------
    vectors : ndarray of shape (..., n_bones, n_coords)
        Vectors.

    Returns
    -------
    ndarray of shape (..., n_bones, n_coords)
        Directions; NaN where a vector is NaN or shorter than a millionth of a unit, since it points
        nowhere. It is not the direction of the frame before: a limb would seem to rest.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.bones import bone_directions
    >>> bone_directions(np.array([[0.0, 3.0], [0.0, 0.0]]))
    array([[ 0.,  1.],
           [nan, nan]])
    """
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    return vectors / np.where(length > SHORTEST, length, np.nan)


class BoneVectors(TrialTransformer):
    """Describe each frame by the directions of the bones of limbs and trunk.

    Each bone is the vector from one joint to the next, averaged over the last frames in which both
    were seen, and scaled to length 1. It needs no first frame, knows no body size, and uses no
    later frame, so that offline and live results are the same. Only bones of limbs and trunk:
    eyes, mouth, fingers and toes are so short that their direction is noise.

    Parameters
    ----------
    skeleton : str, Skeleton, "auto" or None, default="mediapipe33"
        Whose ``limb_bones`` are taken; see :mod:`skrehab.skeletons`. ``"auto"`` takes the
        registered skeleton with as many landmarks as the trials, see
        :func:`skrehab.skeletons.guess_skeleton`. None needs `bones`.
    window : int, default=5
        Frames in the moving average, this one and those before; 1 switches it off.
    bones : sequence of (int or tuple, int or tuple), optional
        Other bones, as columns of the landmarks at their start and end; several stand for their
        mean.

    Attributes
    ----------
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.
    upright_ : float
        1 or -1 where the trunk points along y, or against it, in most trials; 0 where nothing
        tells. Later trials in which it points the other way bring a warning.

    Notes
    -----
    A score or visibility after the spatial coordinates is dropped: the third coordinate of a flat
    skeleton, the fourth of any.

    A bone is NaN where no frame of the window shows both of its joints, and where it is shorter
    than a millionth of a unit.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import BoneVectors
    >>> X = [np.random.RandomState(0).randn(20, 33, 3)]
    >>> bones = BoneVectors("mediapipe33")
    >>> bones.fit_transform(X)[0].shape
    (20, 16, 3)
    >>> bones.get_feature_names_out()[12]
    'mid_hip_to_mid_shoulder'
    """

    _parameter_constraints = {
        "skeleton": [str, Skeleton, None],
        "window": [Interval(Integral, 1, None, closed="left")],
        "bones": ["array-like", None],
    }

    def __init__(self, skeleton="mediapipe33", *, window=5, bones=None):
        self.skeleton = skeleton
        self.window = window
        self.bones = bones

    def _learn(self, X):
        n_landmarks, n_coords = X[0].shape[1:]
        self.n_landmarks_, self.n_coords_ = n_landmarks, n_coords
        skeleton = self._whole
        if skeleton is not None:
            if n_landmarks != skeleton.n_landmarks:
                raise ValueError(
                    f"X[0] has {n_landmarks} landmarks, skeleton {skeleton.name!r} has "
                    f"{skeleton.n_landmarks}. Pass the trials' own skeleton, or skeleton=None and "
                    "bones=[(start, end), ...]."
                )
        if n_coords not in (2, 3, 4):
            raise ValueError(
                f"X[0] has {n_coords} coordinates a landmark: a direction needs 2 or 3, and one "
                "more may be a score."
            )
        _check_bones(self._bones(), n_landmarks)
        super()._learn(X)
        warn_of_z_up(X, skeleton)
        self.upright_ = how_upright(X, skeleton)

    def _check(self, X):
        X = super()._check(X)
        warn_of_turned_over(X, self._whole, self.upright_)
        return X

    @property
    def _whole(self):
        """Skeleton of the landmarks; None if only bones were given."""
        if self.skeleton == "auto":
            return guess_skeleton(self.n_landmarks_, self.n_coords_)
        return None if self.skeleton is None else get_skeleton(self.skeleton)

    def _bones(self):
        if self.bones is not None:
            return tuple(tuple(_joint(end) for end in bone) for bone in self.bones)
        if self.skeleton is None:
            raise ValueError("BoneVectors needs a skeleton, or bones=[(start, end), ...].")
        bone_skeleton(self._whole)  # says so if the skeleton has no list of bones
        return self._whole.limb_bones

    @property
    def _n_dims(self):
        n_dims = 3 if self.skeleton is None else self._whole.n_dims
        return min(n_dims, self.n_coords_)

    def _transform_one(self, trial):
        vectors = bone_vectors(trial[..., : self._n_dims].astype(float), self._bones())
        smooth = moving_average(vectors, self.window, causal=True)
        return bone_directions(smooth).astype(np.float32)

    def get_feature_names_out(self, input_features=None):
        """Name the bones in the order of the result's second axis.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str of shape (n_bones,), dtype object
            Such as ``left_shoulder_to_elbow``; bones given by column are numbered.
        """
        if self.bones is None:
            return np.array(self.bone_skeleton_.landmarks, dtype=object)
        return np.array([f"bone{i}" for i in range(len(self.bones))], dtype=object)

    @property
    def bone_skeleton_(self):
        """Skeleton whose landmarks are the bones, for Displays; None if `bones` were given."""
        return None if self.bones is not None else bone_skeleton(self._whole)

    def _start_stream(self):
        return _BoneStream(self._shape, self._n_dims, self._bones(), self.window)


def _joint(landmarks):
    return tuple(int(i) for i in np.atleast_1d(landmarks))


def _check_bones(bones, n_landmarks):
    if not bones:
        raise ValueError("bones holds no bone: give [(start, end), ...].")
    for i, bone in enumerate(bones):
        if len(bone) != 2 or not all(bone) or set(bone[0]) == set(bone[1]):
            raise ValueError(f"bones[{i}] must be (start, end), two different joints; got {bone}.")
        wrong = [k for joint in bone for k in joint if not 0 <= k < n_landmarks]
        if wrong:
            raise ValueError(
                f"bones[{i}] names landmark {wrong[0]}: X has {n_landmarks}, numbered from 0."
            )


class _BoneStream:
    """Do what `transform` does, to the bit, one frame at a time."""

    def __init__(self, shape, n_dims, bones, window):
        self.shape, self.n_dims, self.window = shape, n_dims, window
        self.bones = bones
        self.reset()

    def reset(self):
        self.average = RunningAverage(self.window, (len(self.bones), self.n_dims))

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        vectors = bone_vectors(frame[:, : self.n_dims].astype(float), self.bones)
        return bone_directions(self.average.push(vectors)).astype(np.float32)
