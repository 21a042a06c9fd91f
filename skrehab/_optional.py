"""Imports that wait: names of a room on first use, and one clear error for a missing package."""

import importlib


def require(package, extra, purpose):
    """Import an optional package or say how to get it.

    Parameters
    ----------
    package : str
        Name to import, for example ``"torchvision"``.
    extra : str or None
        The skrehab extra that installs it; None for a core dependency that is broken or missing.
    purpose : str
        What it is needed for, as the end of "... is needed ".

    Returns
    -------
    module
        The imported package.

    Raises
    ------
    ImportError
        If it cannot be imported; the message names the extra and the original reason.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:  # a broken binary wheel raises more than ImportError
        what = f"skrehab[{extra}]" if extra else package.partition(".")[0]
        raise ImportError(
            f"{package} is needed {purpose}, and could not be imported "
            f"({type(error).__name__}: {error}). Install it with: pip install '{what}'"
        ) from error


def lazy_names(room, public):
    """Make a package load its public names on first use (PEP 562).

    Parameters
    ----------
    room : str
        The package, its ``__name__``.
    public : dict of str to str
        Public name to the module below the package that holds it.

    Returns
    -------
    tuple
        ``(__getattr__, __dir__, __all__)`` of the package.

    Examples
    --------
    >>> from skrehab import metrics
    >>> metrics.frame_roc_auc.__module__
    'skrehab.metrics.frames'
    """

    def load(name):
        if name in public:
            return getattr(importlib.import_module(f"{room}.{public[name]}"), name)
        raise AttributeError(f"module {room!r} has no attribute {name!r}")

    names = sorted(public)
    return load, lambda: names, names
