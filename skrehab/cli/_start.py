"""``skrehab train --weights``: a video network that starts from a published file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Freeze", "Head", "Weights", "WeightsSha256", "start_from"]


class Classifier(StrEnum):
    """What becomes of the file's classifier."""

    NEW = "new"
    KEEP = "keep"


Weights = Annotated[
    Path | None,
    typer.Option(
        help="published: file of weights that the video network starts from: .safetensors, AcT's "
        ".h5, or a pickle of known SHA-256."
    ),
]
WeightsSha256 = Annotated[
    str | None, typer.Option(help="SHA-256 of the weights file, 8 digits or more, for pickles.")
]
Freeze = Annotated[
    str | None,
    typer.Option(
        help="Beginnings of names that stay as in the file, such as encoder.0.,encoder.1."
    ),
]
Head = Annotated[
    Classifier | None,
    typer.Option(help="new (if not given): draw the classifier for your labels. keep: the file's."),
]


def start_from(pipeline, weights, sha256=None, freeze=None, head=None):
    """Set a pipeline's video network to start from published weights.

    Parameters
    ----------
    pipeline : PatientPipeline
        Of the published recipe; changed in place.
    weights : path-like or None
        File; None sets nothing, and refuses the other options.
    sha256 : str, optional
        Its SHA-256.
    freeze : str, optional
        Beginnings of names, joined by commas.
    head : {"new", "keep"}, optional
        "new" if it is not given.

    Raises
    ------
    ValueError
        If the other options come without a file, or the pipeline has no network to start from one.
    FileNotFoundError
        If there is no such file.
    """
    others = {"--weights-sha256": sha256, "--freeze": freeze, "--head": head}
    given = [name for name, value in others.items() if value is not None]
    if weights is None:
        if given:
            raise ValueError(f"{', '.join(given)}: for --weights FILE only.")
        return
    if "motion" not in pipeline.named_steps:
        raise ValueError("--weights: for --recipe published only.")
    if not weights.exists():
        raise FileNotFoundError(f"{weights}: there is no such weights file.")
    video = pipeline["labels"].estimator
    video.set_params(
        weights=str(weights.absolute()),
        weights_sha256=sha256,
        head="new" if head is None else str(head),
        freeze=tuple(name.strip() for name in (freeze or "").split(",") if name.strip()),
    )
    wanted = _settings_of(video.network, weights, sha256)
    if wanted:
        video.set_params(network_params={**(video.network_params or {}), **wanted})


def _settings_of(network, weights, sha256):
    """Settings of the network that the file needs, in place of the recipe's own."""
    from skrehab import networks
    from skrehab.networks.weights import read_weights

    network = networks.get_spec(network).load()
    if not hasattr(network, "settings_for"):
        return {}
    return network.settings_for(read_weights(weights, sha256=sha256))
