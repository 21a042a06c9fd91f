"""A fitted model made to fit: one patient, honest probabilities, a rate of false alarms."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "CalibratedByPatient": "calibration",
        "adapt_to_patient": "patient",
        "apply_map": "score_map",
        "map_scores": "score_map",
        "nearest_head": "head",
    },
)
