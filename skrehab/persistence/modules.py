"""Networks of a loaded model: compared with their weights before memory is taken for them."""

import numpy as np

__all__ = ["load_module", "plain_weights"]

_SLACK = 2**26  # numbers that a network may make while it is built, beside its own


def load_module(estimator, arrays):
    """Build the network for the fitted sizes and fill in its weights.

    Parameters
    ----------
    estimator : estimator
        Has ``_build_module()``; parameters and fitted sizes are set.
    arrays : dict of str to ndarray
        Weights by name.

    Returns
    -------
    torch.nn.Module
        In evaluation mode.

    Raises
    ------
    ValueError
        If the weights are not those of the network; the message names one.
    """
    import torch

    shapes = {key: tuple(value.shape) for key, value in arrays.items()}
    n_numbers = sum(value.size for value in arrays.values())
    _compare_empty(estimator, shapes)
    # the first weights are drawn, then replaced
    with torch.random.fork_rng(devices=[]), _size_limit(2 * n_numbers + _SLACK):
        module = estimator._build_module()
    _compare(module, shapes)
    weights = {key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}
    module.load_state_dict(weights, strict=True)
    return module.eval()


def plain_weights(estimator, where):
    """Take the weights of a fitted network under the names that it is built with.

    Wrappers rename them: ``torch.compile`` and those for several GPUs, around the whole network or
    a part of it.

    Parameters
    ----------
    estimator : estimator
        Has ``module_`` and ``_build_module()``.
    where : str
        What to call it in error messages.

    Returns
    -------
    dict of str to ndarray
        Weights by name; bfloat16, which numpy lacks, as float32.

    Raises
    ------
    TypeError
        If the network was changed otherwise, so that what is built again is another.
    """
    module = estimator.module_
    wrappers = [name for name, inner in module.named_modules() if _inside(inner) is not None]
    inner_names = {
        ".".join(part for part in (name, _inside(module.get_submodule(name))) if part) + ".": name
        for name in wrappers
    }
    weights = {}
    for key, tensor in module.state_dict().items():
        for long in sorted(inner_names, key=len, reverse=True):  # the inner ones first
            if key.startswith(long):
                key = ".".join(one for one in (inner_names[long], key.removeprefix(long)) if one)
        if tensor.is_meta:
            raise TypeError(f"{where}.module_ cannot be saved: {key!r} has no numbers.")
        tensor = tensor.detach().cpu()
        if tensor.is_floating_point() and tensor.dtype.itemsize < 4:
            tensor = tensor.float()
        weights[key] = tensor.contiguous().numpy()
    try:
        _compare_empty(estimator, {key: value.shape for key, value in weights.items()})
    except ValueError as error:
        raise TypeError(
            f"{where}.module_ cannot be saved: it is not the network that its parameters describe, "
            f"and could not be loaded ({error})."
        ) from error
    return weights


def _inside(module):
    """Name of what a wrapper wraps; None where it is none."""
    names = {"OptimizedModule": "_orig_mod", "DataParallel": "module"}
    names["DistributedDataParallel"] = "module"
    return names.get(type(module).__name__)


def _compare_empty(estimator, shapes):
    """Build the network without memory for its numbers, and compare it with the weights."""
    import torch

    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            empty = estimator._build_module()
    except (NotImplementedError, RuntimeError):
        return  # it calculates while it is built; then the limit on its numbers must do
    _compare(empty, shapes)


def _compare(module, shapes):
    wanted = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    for key, shape in wanted.items():
        if key not in shapes:
            raise ValueError(f"the weights lack {key!r}, which the network has")
        if shapes[key] != shape:
            raise ValueError(
                f"size mismatch: the network it describes has {key!r} of shape {shape}, and its "
                f"weights are of shape {shapes[key]}"
            )
    more = sorted(set(shapes) - set(wanted))
    if more:
        raise ValueError(f"the weights hold {more[0][:80]!r}, which the network does not have")


def _size_limit(limit):
    """Context in which torch makes no more than so many numbers, counted before they are made."""
    import torch
    from torch.overrides import TorchFunctionMode

    names = ("empty", "zeros", "ones", "full", "rand", "randn", "randint", "randperm")
    names += ("arange", "linspace", "eye", "empty_strided", "normal", "bernoulli")
    makers = {getattr(torch, name) for name in names}

    class SizeLimit(TorchFunctionMode):
        left = limit

        def __torch_function__(self, function, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            if function in makers and kwargs.get("out") is None:
                sketch = {k: v for k, v in kwargs.items() if k != "generator"}
                try:
                    self.left -= function(*args, **{**sketch, "device": "meta"}).numel()
                except (TypeError, NotImplementedError):  # it makes none by itself
                    pass
            if self.left < 0:
                raise ValueError(
                    f"the network it describes needs more than {limit} numbers, which is more than "
                    "its weights account for"
                )
            return function(*args, **kwargs)

    return SizeLimit()
