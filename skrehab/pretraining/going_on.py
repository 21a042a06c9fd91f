"""From one stage of learning to the next: what an encoder can go on from, what it takes along."""

import json
from pathlib import Path

from skrehab._optional import require
from skrehab._written import written

__all__ = ["check_goes_on", "take_over", "write_encoder"]


def check_goes_on(pretrainer, shape):
    """Refuse trials and sizes that a trained encoder cannot go on with.

    Parameters
    ----------
    pretrainer : skrehab.PoseSequencePretrainer
        A fitted one.
    shape : tuple of int
        Landmarks and coordinates that the encoder would read now.

    Raises
    ------
    ValueError
        If they are not those it was trained on, or its sizes were changed.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import PoseSequencePretrainer
    >>> from skrehab.pretraining.going_on import check_goes_on
    >>> X = list(np.random.RandomState(0).randn(2, 8, 33, 3))
    >>> check_goes_on(PoseSequencePretrainer(8, max_epochs=1).fit(X), (33, 3))
    """
    seen, encoder = pretrainer.pose_shape_, pretrainer.module_.encoder
    if shape != seen:
        raise ValueError(
            f"The encoder was trained on {seen[0]} landmarks and {seen[1]} coordinates, these "
            f"trials have {shape[0]} and {shape[1]}. With common_skeleton='common15' from the "
            "start it can go on."
        )
    size = encoder.hidden_size, len(encoder.layers)
    if size != (pretrainer.hidden_size, pretrainer.n_layers):
        raise ValueError(
            f"The encoder has hidden_size={size[0]} and n_layers={size[1]}; it cannot go on "
            f"with {pretrainer.hidden_size} and {pretrainer.n_layers}."
        )


def take_over(before, module):
    """Give a new network the weights of an old one, where they fit.

    A decoder of another objective or size begins anew.

    Parameters
    ----------
    before, module : torch.nn.Module
        The old network, and the new one, which is changed.

    Examples
    --------
    >>> import torch
    >>> from skrehab.pretraining.going_on import take_over
    >>> old, new = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    >>> take_over(old, new)
    >>> bool((old.weight == new.weight).all())
    True
    """
    own = module.state_dict()
    state = {
        key: value
        for key, value in before.state_dict().items()
        if key in own and own[key].shape == value.shape
    }
    module.load_state_dict(state, strict=False)


def write_encoder(path, encoder, metadata):
    """Write an encoder's weights as the network ``"pretrained_gru"`` reads them.

    Parameters
    ----------
    path : str or path-like
        A ``.safetensors`` file to write; folders are made.
    encoder : torch.nn.Module
        The encoder.
    metadata : dict
        What is written beside the weights, plain values.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the name does not end so.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> from skrehab.pretraining.going_on import write_encoder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_encoder(folder + "/encoder.safetensors", torch.nn.Linear(2, 3), {}).name
    'encoder.safetensors'
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"The file's name must end in .safetensors, got {str(path)!r}.")
    safetensors = require("safetensors.torch", None, "to save weights")
    state = encoder.state_dict()
    arrays = {f"encoder.{key}": value.cpu().contiguous() for key, value in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path) as file:
        file.write(safetensors.save(arrays, metadata={"skrehab": json.dumps(metadata)}))
    return path
