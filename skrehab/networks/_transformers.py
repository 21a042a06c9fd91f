"""Import transformers, also beside a torchvision that does not fit the installed torch."""

from skrehab._optional import require
from skrehab.networks._torchvision import mend_torchvision

__all__ = ["import_transformers"]


def import_transformers(purpose):
    """Import transformers or say how to get it.

    Parameters
    ----------
    purpose : str
        What it is needed for, as the end of "transformers is needed ".

    Returns
    -------
    module
        The package.

    Raises
    ------
    ImportError
        If it cannot be imported.
    """
    mend_torchvision()  # transformers imports torchvision where it is installed
    return require("transformers", "moment", purpose)
