"""What is asked of a network that cannot go well: refused, or said before time is spent on it."""

import warnings

import numpy as np

from skrehab.networks.pose_input import find_skeleton
from skrehab.trials.padding import describe_padding

__all__ = ["check_choice", "warn_of_random_layers"]

FEW_CLIPS = 500
# learnt nothing in 400 steps on 1,200 clips of four classes, from drawn weights and at full size
_HUNGRY = ("mvit", "mvit_mct", "video_swin", "videomae", "hiera")
_SMALLER = {"width", "widths", "depths", "n_layers", "window"}  # settings of a network of one's own
_PIXELS = 20  # a body in metres, or scaled to its box, is nowhere near
_SAME = ({"ntu25", "kinect25"}, {"kinect20", "utkinect20"}, {"common15", "uwa3d15"})


def check_choice(spec, params, X, *, standardize=False, weights=None):
    """Refuse what destroys the poses, and warn of what is known not to learn.

    Parameters
    ----------
    spec : NetworkSpec
        The network's row.
    params : dict
        The network's own parameters.
    X : list
        Trials or videos to train on.
    standardize : bool, default=False
        Whether every landmark is scaled by itself before the network sees it.
    weights : path-like, optional
        Published weights to start from.

    Raises
    ------
    ValueError
        If landmarks that are scaled one by one would be converted to another skeleton: then their
        distances mean nothing any more.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.networks import get_spec
    >>> from skrehab.training.doubts import check_choice
    >>> try:
    ...     check_choice(get_spec("skateformer"), {}, [np.zeros((9, 33, 3))], standardize=True)
    ... except ValueError as error:
    ...     print(str(error)[:57])
    standardize=True scales each landmark by itself, and 'ska
    """
    if spec.input == "rgb":
        if spec.name in _HUNGRY and weights is None and not _SMALLER & set(params):
            _warn_of_few(spec.name, len(X))
        return
    if (padding := describe_padding(X)) is not None:
        warnings.warn(padding, UserWarning, stacklevel=4)
    if standardize:
        _refuse_conversion(spec, params, X[0].shape[1])
    if spec.name == "motionbert" and not params.get("normalize") and _in_pixels(X):
        warnings.warn(
            "'motionbert' is given coordinates in pixels, and takes them as they are: it expects "
            "them in [-1, 1]. Pass network_params={'normalize': True}.",
            UserWarning,
            stacklevel=4,
        )


def warn_of_random_layers(spec, module, freeze):
    """Say that layers stay as they were drawn; a class of one's own may bring its weights.

    Parameters
    ----------
    spec : NetworkSpec
        The network's row.
    module : torch.nn.Module
        The network, which was given no weights.
    freeze : tuple of str
        What the names of the arrays begin with that do not learn.

    Examples
    --------
    >>> from skrehab import networks
    >>> from skrehab.training.doubts import warn_of_random_layers
    >>> lstm = networks.build("lstm", n_landmarks=33, n_coords=3, n_outputs=1)
    >>> warn_of_random_layers(networks.get_spec("lstm"), lstm, ())
    """
    if not isinstance(spec.builder, str):
        return
    still = [
        name
        for name, one in module.named_parameters()
        if (not one.requires_grad or name.startswith(freeze))
        and not name.startswith(spec.untrained)
        and not name.endswith(("embed_tokens.weight", "mask_embedding"))
    ]
    if not still:
        return
    how = f"freeze={freeze!r}" if freeze else "its own tuning"
    cure = ", or freeze nothing."
    if spec.name == "moment":
        cure = (
            " (of MOMENT: model.safetensors of AutonLab/MOMENT-1-small, -base or -large, "
            "with head='new'), or network_params={'tuning': 'full'}."
        )
    warnings.warn(
        f"{spec.name!r} was given no weights, and by {how} {len(still)} of its arrays "
        f"(such as {still[0]!r}) do not learn: the rest is trained on random features. "
        f"Give weights=, the path of a published file{cure}",
        UserWarning,
        stacklevel=4,
    )


def _warn_of_few(name, n_clips):
    if n_clips < FEW_CLIPS:
        warnings.warn(
            f"{name!r} starts from drawn weights with {n_clips} clips: at this size it memorises "
            f"them or stays at chance. Give it published weights=..., or take 'r3d'; some "
            f"{FEW_CLIPS} clips are the least without.",
            UserWarning,
            stacklevel=5,
        )


def _refuse_conversion(spec, params, n_landmarks):
    target = params.get("target") or params.get("common_skeleton")
    if spec.skeleton != "any":
        target = target or spec.skeleton
    if params.get("mpose"):
        target = "mpose13"
    if target is None:
        return
    name = getattr(target, "name", target)
    source = find_skeleton(n_landmarks // params.get("n_persons", 1), params.get("skeleton"))
    known = {None if source is None else source.name, name}
    if len(known) == 1 or any(known <= same for same in _SAME):
        return
    raise ValueError(
        f"standardize=True scales each landmark by itself, and {spec.name!r} converts them to "
        f"{name}: that destroys the skeleton. Convert first (SkeletonConverter({name!r}) before "
        "this estimator) and scale after, or set standardize=False."
    )


def _in_pixels(X):
    return max(np.nanmax(np.abs(trial[..., :2]), initial=0.0) for trial in X) > _PIXELS
