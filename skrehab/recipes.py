"""Pipelines by name, from pose trials to frame scores."""

from imblearn.pipeline import Pipeline

from skrehab.frames import FrameMLP
from skrehab.preprocessing import DisplacementSmoother, LandmarkScaler
from skrehab.pseudo_labels import SaliencyPseudoLabeler
from skrehab.pseudo_labels.thresholds import PUBLISHED_THRESHOLDS
from skrehab.video import VideoClassifier

__all__ = ["build_pipeline"]


def build_pipeline(
    network="act",
    *,
    method="integrated_gradients",
    threshold=None,
    max_epochs=100,
    frame_epochs=20,
    random_state=None,
):
    """Build the recommended pipeline from pose trials to frame scores.

    It is causal, so that what is evaluated offline is what runs live.

    Parameters
    ----------
    network : str, default="act"
        Video network, one of :func:`skrehab.networks.list_networks`.
    method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}, \
            default="integrated_gradients"
        Attribution method; ``"frame_logits"`` takes the scores of a network that scores frames
        itself (``"mil_tcn"``).
    threshold : float, (float, float) or str, optional
        See :class:`SaliencyPseudoLabeler`. None takes the published pair where there is one; else
        0.5 for ``"frame_logits"``, between a trial's lowest and highest score, and the highest 38 %
        of a trial's frames for saliency.
    max_epochs : int, default=100
        Epochs of the video network.
    frame_epochs : int, default=20
        Epochs of the frame model.
    random_state : int, optional
        Seed of the networks.

    Returns
    -------
    imblearn.pipeline.Pipeline
        Steps ``motion``, ``scale``, ``labels``, ``frames``.

    Examples
    --------
    >>> from skrehab.recipes import build_pipeline
    >>> [name for name, _ in build_pipeline().steps]
    ['motion', 'scale', 'labels', 'frames']
    """
    if threshold is None and (network, method) in PUBLISHED_THRESHOLDS:
        threshold = "published_dual"
    elif threshold is None:
        threshold = 0.5 if method == "frame_logits" else ("quantile", 0.38)
    classifier = VideoClassifier(network, max_epochs=max_epochs, random_state=random_state)
    return Pipeline(
        [
            ("motion", DisplacementSmoother(causal=True)),
            ("scale", LandmarkScaler()),
            (
                "labels",
                SaliencyPseudoLabeler(classifier, method=method, threshold=threshold),
            ),
            ("frames", FrameMLP(max_epochs=frame_epochs, random_state=random_state)),
        ]
    )
