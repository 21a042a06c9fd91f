"""A verdict a frame: frame models, and the labels they learn from.

Frame truth or pseudo-labels, hard or soft, go in; one probability a frame and class comes out.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "FrameMLP": "mlp",
        "FrameTCN": "tcn",
        "FrameTargets": "targets",
        "SoftLabels": "targets",
        "check_frame_targets": "targets",
    },
)
