"""Where a network looked: gradients, class activation, and maps of one label."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "LabelMap": "label_maps",
        "Saliency": "gradients",
        "explain": "gradients",
        "frame_scores": "gradients",
        "grad_cam": "class_activation",
        "integrated_gradients": "gradients",
        "label_map": "label_maps",
        "min_max": "gradients",
        "token_attention": "class_activation",
        "token_joints": "class_activation",
        "vanilla_gradient": "gradients",
    },
)
