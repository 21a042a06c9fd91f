"""Trials changed at random each time they are trained on, so that few patients teach more.

Each change leaves the labels right: another trial of the same person before or behind, a person who
stands turned, a camera or a body a little different, the other side, another pace.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from skrehab._parameters import keep_parameters
from skrehab.skeletons import Skeleton, get_skeleton
from skrehab.training.changes import SPATIAL, Changes
from skrehab.training.clip_changes import ClipChanges

__all__ = ["Augmentation"]


class Augmentation(BaseEstimator):
    """How trials are changed at random in training; nothing is by default.

    Give it, or a dict of its parameters, as ``augment=`` to :class:`VideoClassifier`,
    :class:`MultiLabelVideoClassifier`, :class:`MuscleGroupClassifier`, :class:`FrameTCN` or
    :class:`FrameMLP`. Changes are made anew for each batch, drawn from the estimator's
    ``random_state``, in the coordinates that `fit` is given: rotation and mirror need directions or
    positions that were not scaled, so use the estimator's ``standardize=True`` and no scaler in
    front. Of a trial with pictures and skeleton both are mirrored and cut alike.

    `crop` and `color` are for pictures; `splice`, `rotate`, `offset`, `stretch`, `jitter`, `turn`
    and `zoom` for poses; `mirror`, `swap`, `cut` and `time_jitter` for both. What a network has no
    use for is refused.

    Parameters
    ----------
    splice : float, default=0.0
        Probability that a piece of another trial of the same person (``groups``) and exercise
        comes before or behind. A video classifier takes pieces of trials with the normal label, and
        the trial keeps its own; a frame model takes those of any trial, all of it where labels
        change within, and labels go along. Off where `fit` is given no groups, and in the single
        frames of a FrameMLP.
    rotate : float, default=0.0
        Largest turn about the vertical in degrees, either way, one a trial.
    offset : float, default=0.0
        Standard deviation of one random offset a trial and coordinate, in standard deviations of
        that coordinate over the training frames.
    mirror : float, default=0.0
        Probability that left and right are exchanged; True means 0.5. Poses need `skeleton`; those
        of a flat one, in pixels, are turned over where they stand.
    stretch : float, default=0.0
        Standard deviation of the logarithm of the factor by which a trial becomes longer; frames
        are repeated or left out. 0.1 is about 10 %.
    cut : float, default=0.0
        Largest share of a trial's frames that are left out at its ends, both together.
    time_jitter : bool, default=False
        Take each frame of a clip at random from its stretch of the video instead of its middle; a
        clip with a fixed ``stride`` begins at random. Poses need a network that looks at a fixed
        number of frames; trials that are no longer than that stay as they are.
    crop : float, default=0.0
        Largest share of a picture's area that is cut away; what is left, of a shape between 3:4 and
        4:3 of the picture's, is scaled to the network's size. Papers have 0.2 to 0.92.
    color : float, default=0.0
        Brightness, contrast and saturation are multiplied by factors from 1 - `color` to 1 +
        `color`, the same in all frames of a clip.
    jitter : float, default=0.0
        Standard deviation of noise in each landmark and frame, in the unit of `offset`.
    turn : float, default=0.0
        Largest turn in the plane of x and y in degrees, either way, about a trial's middle.
    zoom : float, default=0.0
        Poses become up to this share larger or smaller, about a trial's middle.
    swap : list of (label, label), optional
        Labels of mirrored trials: ``[("left", "right")]`` exchanges the two wherever a trial is
        mirrored; of several labels a trial, numbers of columns.
    vertical : int, default=1
        Coordinate that points up or down; y in every skeleton of :mod:`skrehab.skeletons`.
    skeleton : str or Skeleton, optional
        Skeleton of the trials, such as ``"mediapipe33"``, or of their bones, such as
        ``"mediapipe33_bones"``.
    normal_label : label, optional
        Trial label of "no such motion". None means the first of the sorted labels where those are
        numbers; words need it if `splice` is on.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameTCN
    >>> from skrehab.training.augmentation import Augmentation
    >>> rng = np.random.RandomState(0)
    >>> X = [rng.randn(20, 5, 3) for _ in range(8)]
    >>> y = [rng.randint(2, size=20) for _ in X]
    >>> augment = Augmentation(splice=0.5, rotate=15, offset=0.3)
    >>> model = FrameTCN(augment=augment, max_epochs=1, random_state=0)
    >>> model.fit(X, y, groups=[0, 0, 0, 0, 1, 1, 1, 1]).predict(X)[0].shape
    (20,)
    """

    _parameter_constraints = {
        "splice": [Interval(Real, 0, 1, closed="both")],
        "rotate": [Interval(Real, 0, 180, closed="both")],
        "offset": [Interval(Real, 0, None, closed="left")],
        "mirror": ["boolean", Interval(Real, 0, 1, closed="both")],
        "stretch": [Interval(Real, 0, 1, closed="both")],
        "cut": [Interval(Real, 0, 1, closed="left")],
        "time_jitter": ["boolean"],
        "crop": [Interval(Real, 0, 1, closed="left")],
        "color": [Interval(Real, 0, 1, closed="both")],
        "jitter": [Interval(Real, 0, None, closed="left")],
        "turn": [Interval(Real, 0, 180, closed="both")],
        "zoom": [Interval(Real, 0, None, closed="left")],
        "swap": [list, tuple, None],
        "vertical": [Interval(Integral, 0, 2, closed="both")],
        "skeleton": [str, Skeleton, None],
        "normal_label": "no_validation",
    }

    def __init__(
        self,
        splice=0.0,
        rotate=0.0,
        offset=0.0,
        mirror=0.0,
        stretch=0.0,
        *,
        cut=0.0,
        time_jitter=False,
        crop=0.0,
        color=0.0,
        jitter=0.0,
        turn=0.0,
        zoom=0.0,
        swap=None,
        vertical=1,
        skeleton=None,
        normal_label=None,
    ):
        keep_parameters(self, locals())

    def changes(
        self, trials, partners=None, spread=1.0, whole=None, *, n_frames=None, classes=None
    ):
        """Prepare the changes of some training trials of poses.

        Parameters
        ----------
        trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            The trials.
        partners : list of ndarray of int, optional
            For each trial those whose pieces may be joined to it; None joins nothing.
        spread : float or ndarray of shape (n_landmarks, n_coords), default=1.0
            Unit of the offset.
        whole : ndarray of shape (n_trials,), dtype bool, optional
            Trials that are joined to others as they are, not in pieces.
        n_frames : int, optional
            Frames that the network looks at.
        classes : ndarray of shape (n_classes,), optional
            Labels, for `swap`.

        Returns
        -------
        Changes
            What changes batches.

        Raises
        ------
        ValueError
            If a parameter is out of range, or trials have no such axis or skeleton.
        """
        self._validate_params()
        n_landmarks, n_coords = trials[0].shape[1:]
        skeleton = None if self.skeleton is None else get_skeleton(self.skeleton)
        if skeleton is not None and skeleton.n_landmarks != n_landmarks:
            raise ValueError(
                f"augment: the trials have {n_landmarks} landmarks, skeleton {skeleton.name!r} has "
                f"{skeleton.n_landmarks}. Trials of BoneVectors have {skeleton.name + '_bones'!r}."
            )
        n_dims = min(n_coords, SPATIAL if skeleton is None else skeleton.n_dims)
        if self.rotate and n_dims < SPATIAL:
            raise ValueError(
                f"augment: rotate needs three coordinates in space, the trials have {n_dims}. "
                "Use rotate=0."
            )
        if self.mirror and skeleton is None:
            raise ValueError("augment: mirror needs a skeleton, to exchange left and right.")
        if self.turn and n_dims < 2:
            raise ValueError("augment: turn needs two coordinates in space. Use turn=0.")
        if self.time_jitter and not n_frames:
            raise ValueError(
                "augment: time_jitter needs a network that looks at a fixed number of frames "
                "(n_frames). Use stretch or cut here."
            )
        twins = self._twins(classes)
        return Changes(self, trials, partners, spread, skeleton, n_dims, whole, n_frames, twins)

    def clip_changes(self, n_frames, *, poses=None, classes=None):
        """Prepare the changes of clips of pictures.

        Parameters
        ----------
        n_frames : int
            Frames of a clip.
        poses : Changes, optional
            Changes of the skeletons beside the clips.
        classes : ndarray of shape (n_classes,), optional
            Labels, for `swap`.

        Returns
        -------
        ClipChanges
            What changes batches.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        self._validate_params()
        return ClipChanges(self, n_frames, poses=poses, twins=self._twins(classes))

    def _twins(self, classes):
        """Position of the mirrored label for each of the sorted labels; None exchanges nothing."""
        if self.swap is None:
            return None
        if classes is None:
            raise ValueError("augment: swap exchanges labels of trials, and there are none here.")
        places = {label: i for i, label in enumerate(np.asarray(classes).tolist())}
        twins = np.arange(len(places))
        for pair in self.swap:
            if isinstance(pair, str) or len(pair) != 2:
                raise ValueError(f"augment: swap must hold pairs of labels, got {pair!r}.")
            for label in pair:
                if label not in places:
                    raise ValueError(
                        f"augment: swap names {label!r}, which is not among the labels "
                        f"{list(places)}."
                    )
            one, other = (places[label] for label in pair)
            twins[one], twins[other] = other, one
        return twins

    def _normal(self, classes):
        """Label of normal trials, among the classes of trials."""
        if self.normal_label is not None:
            if self.normal_label not in classes:
                raise ValueError(
                    f"augment: normal_label={self.normal_label!r} is not among the labels "
                    f"{classes.tolist()}."
                )
            return self.normal_label
        if classes.dtype.kind not in "biuf":
            raise ValueError(
                "augment: normal_label is needed to splice trials with text labels: say which of "
                f"{classes.tolist()} means 'no such motion'."
            )
        return classes[0]
