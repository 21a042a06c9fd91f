"""One clear error for a missing optional package."""

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
