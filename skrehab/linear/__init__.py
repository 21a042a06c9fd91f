"""Linear models of whole trials in closed form, whose penalty is chosen by leaving patients out."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "PatientRidgeClassifier": "ridge",
        "RidgeParts": "left_out",
        "fit_slope": "slope",
        "left_out_predictions": "left_out",
        "ridge_coefficients": "left_out",
        "ridge_parts": "left_out",
        "slope_probabilities": "slope",
    },
)
