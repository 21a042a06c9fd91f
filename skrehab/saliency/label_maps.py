"""Where a fitted classifier looked in one trial for one label, whatever kind of network it has."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrehab._surroundings import own_surroundings, ready
from skrehab.saliency.class_activation import grad_cam, token_attention, token_joints
from skrehab.training.modalities import check_modalities

__all__ = ["LabelMap", "label_map"]

METHODS = ("grad_cam", "tokens", "joints")


@dataclass(frozen=True)
class LabelMap:
    """A map of one trial for one label.

    Parameters
    ----------
    values : ndarray of shape (n_frames, height, width) or (n_frames, n_landmarks)
        How much each place spoke for the label, the strongest 1: pixels of the clip, or landmarks
        of the trial.
    frames : ndarray of shape (n_frames, height, width, 3), dtype uint8, or None
        The clip as the network saw it, scaled and cropped; None for a map of landmarks.
    label : int or class
        Column of y, or the class of a single-label classifier.
    method : {"grad_cam", "tokens", "joints"}
        How it was computed.
    """

    values: np.ndarray
    frames: np.ndarray | None
    label: object
    method: str


@own_surroundings()
def label_map(estimator, trial, label, *, method="grad_cam", layer=None):
    """Compute where a fitted classifier looked in one trial for one label.

    Parameters
    ----------
    estimator : MuscleGroupClassifier, MultiLabelVideoClassifier or VideoClassifier
        Fitted.
    trial : object
        One trial, as the estimator takes it: a video, a pose sequence, or a dict of both.
    label : int or class
        Column of y; of a :class:`VideoClassifier`, one of its ``classes_``. With two classes the
        network has one logit, which speaks for the second class and against the first.
    method : {"grad_cam", "tokens", "joints"}, default="grad_cam"
        :func:`~skrehab.saliency.class_activation.grad_cam` of any RGB network;
        :func:`~skrehab.saliency.class_activation.token_attention` of the RGB branch's tokens;
        :func:`~skrehab.saliency.class_activation.token_joints` of the skeleton branch's.
    layer : str, optional
        Layer of Grad-CAM.

    Returns
    -------
    LabelMap
        The map, and for RGB the frames it lies over.

    Raises
    ------
    ValueError
        If the method needs a modality that the classifier or the trial does not have, a kind of
        network that it is not, or there is no such label.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import MultiLabelVideoClassifier
    >>> from skrehab.saliency.label_maps import label_map
    >>> X = [np.full((8, 32, 32, 3), 60 * i, np.uint8) for i in range(4)]
    >>> model = MultiLabelVideoClassifier(
    ...     "c2d",
    ...     network_params={"width": 4, "depths": (1, 1, 1, 1), "image_size": 64},
    ...     max_epochs=1,
    ...     random_state=0,
    ... )
    >>> found = label_map(model.fit(X, [[0, 1], [1, 0], [0, 1], [1, 1]]), X[0], 1)
    >>> found.values.shape, found.frames.shape
    ((8, 64, 64), (8, 64, 64, 3))
    """
    check_is_fitted(estimator)
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, got {method!r}.")
    column, sign = _logit_of(estimator, label)
    if layer is not None and method != "grad_cam":
        raise ValueError(f"layer={layer!r} is for method='grad_cam', not {method!r}.")
    module = ready(estimator.module_, estimator.device)
    inputs, branches = _inputs(estimator, module, trial)
    branch = "pose" if method == "joints" else "rgb"
    if inputs[branch] is None:
        raise ValueError(
            f"method={method!r} needs {branch.replace('rgb', 'RGB')}, which the trial lacks or "
            f"this {type(estimator).__name__} does not look at."
        )
    if method == "joints":
        x, lengths = inputs["pose"]
        values = token_joints(module, x, lengths, label=column, logits=branches["pose"])
        return LabelMap(values[0].cpu().numpy(), None, label, method)
    clip, logits = inputs["rgb"], branches["rgb"]
    if sign < 0:
        logits = lambda clip: -branches["rgb"](clip)  # noqa: E731
    if method == "tokens":
        values = token_attention(module, clip, column, logits=logits)
    else:
        values = grad_cam(module, clip, column, layer=layer, logits=logits)
    return LabelMap(values[0].cpu().numpy(), _picture(clip[0], module.clip), label, method)


def _logit_of(estimator, label):
    """Which logit speaks for a label, and whether for it or, of two classes, against it."""
    if hasattr(estimator, "n_labels_"):
        n_labels = estimator.n_labels_
        is_whole = isinstance(label, (int, np.integer)) and not isinstance(label, bool)
        if not is_whole or not 0 <= label < n_labels:
            raise ValueError(f"label must be a column of y, 0 to {n_labels - 1}, got {label!r}.")
        return int(label), 1
    classes = estimator.classes_.tolist()
    if label not in classes:
        raise ValueError(f"label must be one of the classes {classes}, got {label!r}.")
    place = classes.index(label)
    return (0, 2 * place - 1) if len(classes) == 2 else (place, 1)


def _inputs(estimator, module, trial):
    """What each branch is shown, None where it is nothing, and how to get its logits."""
    if hasattr(estimator, "stage_"):  # two branches, which answer as in their last stage
        trials = check_modalities(
            [trial],
            estimator._modalities,
            n_landmarks=estimator.n_landmarks_,
            n_coords=estimator.n_coords_,
            name="trial",
        )
        batch = {k: v.to(estimator.device) for k, v in estimator._collate(trials).items()}
        stage = estimator.stage_
        return {
            "rgb": batch.get("rgb"),
            "pose": (batch["pose"], batch["lengths"]) if "pose" in batch else None,
        }, {
            "rgb": lambda clip: module(clip, stage=stage)["rgb"],
            "pose": lambda x, lengths: module(pose=x, lengths=lengths, stage=stage)["pose"],
        }
    batch = estimator._collate(estimator._check_X([trial]))
    batch = {k: v.to(estimator.device) for k, v in batch.items()}
    if estimator.n_landmarks_ is None:
        return {"rgb": batch["x"], "pose": None}, {"rgb": module}
    return {"rgb": None, "pose": (batch["x"], batch["lengths"])}, {"pose": module}


def _picture(clip, recipe):
    """Turn a normalised clip (3, n_frames, height, width) back into pictures."""
    mean, std = (clip.new_tensor(v).reshape(3, 1, 1, 1) for v in (recipe.mean, recipe.std))
    if recipe.motion is not None:  # from -1 to 1: grey is what does not move
        mean, std = 0.5, std / 2
    pictures = (255 * (clip * std + mean)).round().clamp(0, 255)
    return pictures.permute(1, 2, 3, 0).cpu().numpy().astype(np.uint8)
