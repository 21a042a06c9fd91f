"""Changes of clips of pictures, alone or beside a skeleton: one draw a trial, for both of them."""

import inspect
from numbers import Integral

import numpy as np
import torch

from skrehab.training.batching import Samples
from skrehab.training.changes import View, draw_window, sample_times, swap_targets

__all__ = [
    "ClipChanges",
    "ClipSamples",
    "check_views",
    "count_views",
    "frames_of",
    "view_of",
]

_ASPECT = np.log(4 / 3)  # a random cut is at most so much wider or higher than the picture


class ClipChanges:
    """What one set of training clips is shown as; see :meth:`Augmentation.clip_changes`.

    Parameters
    ----------
    how : Augmentation
        Which changes, and how strong.
    n_frames : int
        Frames of a clip.
    poses : Changes, optional
        Changes of the skeletons beside the clips.
    twins : ndarray of int, optional
        For each class (or column of labels) that of the mirrored trial.
    """

    def __init__(self, how, n_frames, *, poses=None, twins=None):
        self.how = how
        self.n_frames = n_frames
        self.poses = poses
        self.mirror = 0.5 if how.mirror is True else float(how.mirror)
        self.twins = None if twins is None else torch.as_tensor(twins)

    def draw(self, rng):
        """Draw how one trial is shown.

        Parameters
        ----------
        rng : numpy.random.RandomState
            Source of randomness.

        Returns
        -------
        View
            The view.
        """
        how = self.how
        view = {}
        if how.cut:
            view["window"] = draw_window(how.cut, rng)
        if how.time_jitter:
            view["at"] = rng.rand(self.n_frames)
        if how.crop:
            view["box"] = _draw_box(how.crop, rng)
        if self.mirror:
            view["flip"] = bool(rng.rand() < self.mirror)
        if how.color:
            low = max(0.0, 1 - how.color)
            view["colors"] = tuple(rng.uniform(low, 1 + how.color, size=3).tolist())
        return View(**view)

    def pose(self, trial, view, rng):
        """Change the skeleton of a trial as its pictures are.

        Parameters
        ----------
        trial : ndarray of shape (n_frames, n_landmarks, n_coords)
            The skeleton; NaN where nothing is.
        view : View
            How its pictures are shown.
        rng : numpy.random.RandomState
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_frames, n_landmarks, n_coords), dtype float32
            The skeleton.
        """
        if self.poses is None:
            return trial
        [rows] = self.poses.rows([np.arange(len(trial))], [0], rng, window=view.window)
        x = torch.from_numpy(np.asarray(trial, dtype=np.float32)[rows])[None]
        x, _ = self.poses.move(x, rng, np.array([view.flip]))
        return self.poses.shift(x, rng)[0].numpy()


def _draw_box(crop, rng):
    """Draw a cut of a picture, as shares of its height and width."""
    area, ratio = 1 - crop * rng.rand(), np.exp(_ASPECT * (2 * rng.rand() - 1))
    height, width = min(1.0, np.sqrt(area / ratio)), min(1.0, np.sqrt(area * ratio))
    return (1 - height) * rng.rand(), (1 - width) * rng.rand(), height, width


class ClipSamples(Samples):
    """Clips, or dicts of clip and skeleton, changed anew each time they are trained on.

    Parameters
    ----------
    inputs, targets, weights, collate
        As of :class:`skrehab.training.batching.Samples`; `collate` takes ``views=``.
    changes : ClipChanges
        How they are changed.
    """

    draws = True

    def __init__(self, inputs, targets, weights, collate, changes):
        super().__init__(inputs, targets, weights, collate)
        self.changes = changes

    def batch(self, index, seed):
        """Put some samples into a batch.

        Parameters
        ----------
        index : torch.Tensor of int
            Positions of the samples.
        seed : int
            Seed of the changes.

        Returns
        -------
        inputs : dict of str to torch.Tensor
            What the module takes.
        target_and_weight : tuple of torch.Tensor
            What the loss takes.
        """
        rng = np.random.RandomState(seed)
        items = [self.inputs[i] for i in index]
        views = [self.changes.draw(rng) for _ in items]
        for k, (item, view) in enumerate(zip(items, views)):
            if isinstance(item, dict) and item["pose"] is not None:
                items[k] = item | {"pose": self.changes.pose(item["pose"], view, rng)}
        mirrored = np.array([view.flip for view in views])
        targets = swap_targets(self.targets[index], mirrored, self.changes.twins)
        return self.collate(items, views=views), (targets, self.weights[index])


def count_views(views, spec, estimator):
    """Count off the views whose answers are averaged in prediction.

    Parameters
    ----------
    views : int or (int, int)
        Views in time; and, of pictures, cuts along their longer side.
    spec : NetworkSpec
        The network that looks.
    estimator : estimator
        Its ``step`` and ``network_params``.

    Returns
    -------
    list of View
        The views; of one alone the middle.

    Raises
    ------
    ValueError
        If a number is below 1, or the network has no such views.

    References
    ----------
    Feichtenhofer et al., "SlowFast Networks for Video Recognition", ICCV 2019, section 4: ten
    clips spread over the video, three cuts along the longer side of the picture.

    Examples
    --------
    >>> from skrehab import VideoClassifier
    >>> from skrehab.networks import get_spec
    >>> from skrehab.training.clip_changes import count_views
    >>> views = count_views((2, 3), get_spec("r3d"), VideoClassifier("r3d"))
    >>> [(view.at, view.where) for view in views][:4]
    [(0.25, 0.0), (0.25, 0.5), (0.25, 1.0), (0.75, 0.0)]
    """
    listed, pair = check_views(views), _pair(views)
    if spec.input != "rgb" and pair != (1, 1):
        what = None
        if pair[1] > 1:
            what = "has no pictures to cut: give one number"
        elif frames_of(spec, estimator.network_params or {}) is None:
            what = "reads every frame, in one view"
        elif getattr(estimator, "step", 1) != 1:
            what = f"averages the phases of step={estimator.step!r} already"
        if what:
            raise ValueError(f"views={views!r}: {estimator.network!r} {what}. Use views=1.")
    return listed


def check_views(views):
    """Spread views evenly over a trial's time and along the longer side of its pictures.

    Parameters
    ----------
    views : int or (int, int)
        How many.

    Returns
    -------
    list of View
        The views, from the first to the last.

    Raises
    ------
    ValueError
        If a number is below 1.
    """
    pair = _pair(views)
    if len(pair) != 2 or not all(isinstance(one, Integral) and one >= 1 for one in pair):
        raise ValueError(f"views must be a number from 1 on, or two such, got {views!r}.")
    n_times, n_places = pair
    places = [0.5] if n_places == 1 else np.linspace(0, 1, n_places).tolist()
    times = [(i + 0.5) / n_times for i in range(n_times)]
    return [View(at=at, where=where) for at in times for where in places]


def _pair(views):
    return tuple(views) if isinstance(views, (tuple, list)) else (views, 1)


def frames_of(spec, params):
    """Tell how many frames of a pose a network looks at, whatever the length of the trial.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    params : dict
        Its parameters.

    Returns
    -------
    int or None
        The number; None if it reads every frame.

    Examples
    --------
    >>> from skrehab.networks import get_spec
    >>> from skrehab.training.clip_changes import frames_of
    >>> frames_of(get_spec("act"), {}), frames_of(get_spec("lstm"), {})
    (30, None)
    """
    if "n_frames" in params:
        n_frames = params["n_frames"]
    else:
        stated = inspect.signature(spec.load()).parameters.get("n_frames")
        n_frames = None if stated is None else stated.default
    return n_frames if isinstance(n_frames, Integral) else None


def view_of(trial, n_frames, at):
    """Take the frames of one view of a pose; a trial that is no longer stays as it is.

    Parameters
    ----------
    trial : ndarray of shape (length, n_landmarks, n_coords)
        The trial.
    n_frames : int
        Frames that the network looks at.
    at : float
        Where in its stretch each is taken.

    Returns
    -------
    ndarray of shape (min(length, n_frames), n_landmarks, n_coords)
        The view.
    """
    if len(trial) <= n_frames:
        return trial
    return trial[sample_times(len(trial), n_frames, at)]
