"""From one label a trial to one label a frame: scores, thresholds, and folds of patients."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "PUBLISHED_LANDMARKS": "thresholds",
        "PUBLISHED_THRESHOLDS": "thresholds",
        "PatientPipeline": "pipeline",
        "Quantile": "thresholds",
        "SaliencyPseudoLabeler": "labeler",
        "as_splitter": "cross_fitting",
        "check_partial_labels": "trial_labels",
        "check_threshold": "thresholds",
        "cut_at": "thresholds",
        "one_between": "thresholds",
        "parse_threshold": "thresholds",
        "patient_folds": "cross_fitting",
        "prior_threshold": "thresholds",
        "pseudo_labels": "thresholds",
        "published_threshold": "thresholds",
        "soft_from_logits": "soft",
        "soft_from_scores": "soft",
        "take_trials": "cross_fitting",
    },
)
