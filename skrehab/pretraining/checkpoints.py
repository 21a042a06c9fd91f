"""Training that survives a kill: the state of a run on disk, found again by what the run is."""

import os
from pathlib import Path

import joblib
import torch

from skrehab._written import part_of

__all__ = ["Checkpoint", "run_key"]


def run_key(*parts):
    """Name a run by everything that decides its result.

    Parameters
    ----------
    *parts : object
        Parameters, data, first weights: plain values, numpy arrays, and lists and dicts of them.

    Returns
    -------
    str
        Sixteen hexadecimal digits; equal parts give equal ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.checkpoints import run_key
    >>> run_key({"lr": 0.1}, np.ones(3)) == run_key({"lr": 0.1}, np.ones(3))
    True
    """
    return joblib.hash(parts)[:16]


class Checkpoint:
    """One file that holds the newest state of one run.

    Parameters
    ----------
    folder : str or path-like
        Where checkpoints are kept; made if it is not there.
    key : str
        The run, as from :func:`run_key`: runs with other parameters or data do not meet.
    every : int, optional
        Epochs from one state to the next; None keeps only the last one's.

    Attributes
    ----------
    path : pathlib.Path
        The file.

    Examples
    --------
    >>> import tempfile, torch
    >>> from skrehab.pretraining.checkpoints import Checkpoint
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Checkpoint(folder, "a").save({"epoch": 3, "weights": torch.zeros(2)})
    ...     Checkpoint(folder, "a").load()["epoch"], Checkpoint(folder, "b").load()
    (3, None)
    """

    def __init__(self, folder, key, every=None):
        self.path = Path(folder) / f"run-{key}.pt"
        self.every = every

    def is_due(self, epoch, last):
        """Tell whether a state is to be saved after an epoch.

        Parameters
        ----------
        epoch : int
            Epochs done.
        last : int
            Epochs in all.

        Returns
        -------
        bool
            True after every `every` epochs and after the last.
        """
        return epoch == last or (self.every is not None and epoch % self.every == 0)

    def save(self, state):
        """Replace the state; a kill meanwhile leaves the old one.

        Parameters
        ----------
        state : dict
            Tensors, numbers, text, and lists and dicts of them.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = part_of(self.path.with_suffix(f".{os.getpid()}"))  # two may train the same
        try:
            torch.save(state, unfinished)
            os.replace(unfinished, self.path)
        finally:
            unfinished.unlink(missing_ok=True)

    def load(self):
        """Read the state; nothing in the file is executed.

        Returns
        -------
        dict or None
            The state, on the CPU; None if there is none.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        if not self.path.is_file():
            return None
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises several kinds
            raise ValueError(
                f"{self.path} cannot be read as a checkpoint: {error} Delete it to start anew."
            ) from error
