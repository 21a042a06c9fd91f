"""Where a network looked: gradients, class activation, and maps of one label."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "AGGREGATIONS": "scores",
        "COORDS": "scores",
        "LabelMap": "label_maps",
        "METHODS": "attribution",
        "SCALES": "scores",
        "SMOOTHINGS": "scores",
        "Saliency": "attribution",
        "check_smooth": "scores",
        "clenshaw_curtis": "path_integral",
        "converge": "gradients",
        "explain": "attribution",
        "frame_scores": "scores",
        "grad_cam": "class_activation",
        "highest_score": "scores",
        "integrate_stretches": "path_integral",
        "integrated_gradients": "gradients",
        "joint_attention": "attention_weights",
        "label_map": "label_maps",
        "min_max": "scores",
        "score_frames": "scores",
        "smooth_frames": "scores",
        "token_attention": "class_activation",
        "token_joints": "class_activation",
        "vanilla_gradient": "gradients",
        "worst_stretches": "path_integral",
    },
)
