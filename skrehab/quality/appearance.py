"""AppearanceFeatures: what a video network says of each successive clip of a video."""

import hashlib
import inspect
import os
import warnings
from numbers import Integral
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from skrehab import networks
from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab._surroundings import own_surroundings, ready
from skrehab.networks.weights import load_weights, read_weights
from skrehab.pose.reader import read_frames
from skrehab.training.clips import check_videos, prepare_clip
from skrehab.training.loop import seeded
from skrehab.trials import tag_trial_input

__all__ = ["AppearanceFeatures", "cut_clips"]


def cut_clips(frames, length=16, stride=16):
    """Cut a stream of frames into clips.

    Clips begin at the frames 0, `stride`, 2 `stride`, ... as long as they fit; what remains at the
    end is left out. A video shorter than one clip gives one, whose last frame is repeated.

    Parameters
    ----------
    frames : iterable of ndarray of shape (height, width, 3)
        Frames of one video.
    length : int, default=16
        Frames of a clip.
    stride : int, default=16
        Frames from the begin of one clip to the next.

    Yields
    ------
    ndarray of shape (length, height, width, 3)
        One clip; no more than one is held at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.quality.appearance import cut_clips
    >>> video = np.arange(7).reshape(7, 1, 1, 1)
    >>> [clip.ravel().tolist() for clip in cut_clips(video, length=3, stride=2)]
    [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    >>> [clip.ravel().tolist() for clip in cut_clips(video[:2], length=3)]
    [[0, 1, 1]]
    """
    held, wait, any_clip = [], 0, False
    for frame in frames:
        if wait:  # a stride longer than a clip leaves frames out
            wait -= 1
            continue
        held.append(frame)
        if len(held) == length:
            yield np.stack(held)
            any_clip = True
            wait = max(0, stride - length)
            held = held[stride:]
    if held and not any_clip:
        yield np.stack(held + [held[-1]] * (length - len(held)))


class AppearanceFeatures(TransformerMixin, BaseEstimator):
    """Turn videos into features of their successive clips, by a network trained elsewhere.

    Parameters
    ----------
    network : str or type, default="c3d"
        A network over RGB clips, such as ``"c3d"``, ``"i3d"`` or ``"r3d"``; see
        :func:`skrehab.networks.list_networks`.
    layer : str, optional
        Layer whose activations are taken, where the network lets one choose: ``"fc6"`` or
        ``"fc7"`` of C3D. None is fc6 for C3D, as in the paper, and else what the classifier sees.
    clip_length : int, default=16
        Frames of a clip; see :func:`cut_clips`.
    stride : int, default=16
        Frames from the begin of one clip to the next.
    network_params : dict, optional
        Parameters of the network; ``n_frames`` is `clip_length`.
    weights : str or path-like, optional
        The network's weights; see :func:`skrehab.networks.weights.read_weights`. Without any the
        features are those of a network that has learned nothing, and a warning says so.
    weights_sha256 : str, optional
        SHA-256 of the file; a pickled one is only read if it is given or known.
    memory : str, path-like or joblib.Memory, optional
        Where to keep features, found again by the content of video and weights. No label enters.
    batch_size : int, default=8
        Clips in a batch.
    device : str, default="cpu"
        Torch device.
    random_state : int, RandomState or None, default=None
        Seed of weights that do not come from a file.

    Attributes
    ----------
    module_ : torch.nn.Module
        The network.
    weights_report_ : skrehab.networks.weights.LoadReport or None
        Which arrays came from `weights`.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, section 4.1: fc6 of C3D, 4096 features for each 16 frames.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrehab import AppearanceFeatures
    >>> videos = [np.zeros((n, 40, 60, 3), np.uint8) for n in (40, 9)]
    >>> sizes = {"widths": (2, 2, 4, 4, 4), "dense_width": 8, "image_size": 32}
    >>> features = AppearanceFeatures(network_params=sizes, random_state=0)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # it has learned nothing
    ...     [one.shape for one in features.fit_transform(videos)]
    [(2, 8), (1, 8)]
    """

    _parameter_constraints = {
        "network": [str, type],
        "layer": [str, None],
        "clip_length": [Interval(Integral, 1, None, closed="left")],
        "stride": [Interval(Integral, 1, None, closed="left")],
        "network_params": [dict, None],
        "weights": [str, os.PathLike, None],
        "weights_sha256": [str, None],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        network="c3d",
        *,
        layer=None,
        clip_length=16,
        stride=16,
        network_params=None,
        weights=None,
        weights_sha256=None,
        memory=None,
        batch_size=8,
        device="cpu",
        random_state=None,
    ):
        keep_parameters(self, locals())

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Build the network and load its weights; nothing is learned from X.

        Parameters
        ----------
        X : list
            Videos, as in `transform`.
        y : None
            Ignored.

        Returns
        -------
        AppearanceFeatures
            The transformer itself.

        Raises
        ------
        ValueError
            If the network does not look at clips, or has no such layer.
        """
        _videos(X)
        spec = networks.get_spec(self.network)
        if spec.input != "rgb":
            raise ValueError(f"AppearanceFeatures needs a network over RGB; {spec.name} is not.")
        random_state = check_random_state(self.random_state)
        with seeded(random_state, self.device):
            module = self._build_module()
        layers = inspect.signature(module.features).parameters
        if self.layer is not None and "layer" not in layers:
            raise ValueError(f"{spec.name} has no choice of layer: layer must be None.")
        self.weights_report_ = None
        if self.weights is None:
            warnings.warn(
                f"AppearanceFeatures: {spec.name} without weights has learned nothing; its "
                "features are random functions of the pictures. Pass weights=...",
                stacklevel=3,  # past scikit-learn's wrapper of fit
            )
        else:
            state = read_weights(self.weights, sha256=self.weights_sha256)
            self.weights_report_ = load_weights(module, state, "new", spec.head, spec.ends)
        self.module_ = module.eval()
        return self

    def _build_module(self):
        """Build the network; also used when a model is loaded."""
        params = {"n_frames": self.clip_length, **(self.network_params or {})}
        return networks.build(self.network, n_outputs=1, **params)

    @own_surroundings()
    def transform(self, X):
        """Compute the features of every clip.

        Parameters
        ----------
        X : list
            Paths, uint8 RGB arrays ``(n_frames_i, height, width, 3)``, or dicts of two modalities
            ``{"rgb": path or array, "pose": ...}``.

        Returns
        -------
        list of ndarray of shape (n_clips_i, n_features), dtype float32, or list of dict
            Features; dicts come back as ``{"pose": ..., "appearance": features}``, which is what
            :class:`skrehab.QualityRegressor` takes.

        Raises
        ------
        VideoError
            If a file cannot be decoded; the message names it.
        """
        check_is_fitted(self, "module_")
        videos = _videos(X)
        ready(self.module_, self.device)
        how = (self.clip_length, self.stride, self._layer(), self.batch_size, self.device)
        if self.memory is None:
            features = [_features(self.module_, video, *how) for video in videos]
        else:
            memory = self.memory
            memory = memory if hasattr(memory, "cache") else joblib.Memory(memory, verbose=0)
            cached = memory.cache(_cached, ignore=["module", "video", "batch_size", "device"])
            weights = {k: v.cpu().numpy() for k, v in self.module_.state_dict().items()}
            network = f"{self.module_!r} {self.module_.clip} {joblib.hash(weights)}"
            features = [
                cached(self.module_, video, _content(video), network, *how) for video in videos
            ]
        if not _as_dicts(X):
            return features
        rest = [{k: v for k, v in item.items() if k != "rgb"} for item in X]
        return [{**item, "appearance": one} for item, one in zip(rest, features)]

    def _layer(self):
        if self.layer is not None:
            return self.layer
        return "fc6" if hasattr(self.module_, "fc6") else None

    def __sklearn_tags__(self):
        tags = tag_trial_input(super().__sklearn_tags__())
        tags.requires_fit = True
        return tags


def _as_dicts(X):
    return hasattr(X, "__len__") and len(X) > 0 and isinstance(next(iter(X)), dict)


def _videos(X):
    if not _as_dicts(X):
        return check_videos(X)
    for i, item in enumerate(X):
        if not isinstance(item, dict) or item.get("rgb") is None:
            what = sorted(item) if isinstance(item, dict) else type(item).__name__
            raise ValueError(f"X[{i}] must be a dict with 'rgb', a video; got {what}.")
    return check_videos([item["rgb"] for item in X], name="rgb of X")


def _content(video):
    """Name a video by its bytes, so that a copy is known and a change is seen."""
    if isinstance(video, np.ndarray):
        return joblib.hash(video)
    with Path(video).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cached(module, video, content, network, length, stride, layer, batch_size, device):
    """`content` and `network` stand for video and module in the cache's key."""
    return _features(module, video, length, stride, layer, batch_size, device)


def _features(module, video, length, stride, layer, batch_size, device):
    """Features of one video's clips, (n_clips, n_features); the video is read once, in order."""
    if isinstance(video, np.ndarray):
        frames = video
    else:
        frames = (frame for _, frame in read_frames(video))
    chosen = {} if layer is None else {"layer": layer}
    rows, batch = [], []

    def flush():
        x = torch.stack(batch).to(device)
        rows.append(module.features(x, **chosen).float().cpu().numpy())
        batch.clear()

    with torch.inference_mode():
        for clip in cut_clips(frames, length, stride):
            batch.append(prepare_clip(clip, module.clip))
            if len(batch) == batch_size:
                flush()
        if batch:
            flush()
    return np.concatenate(rows)
