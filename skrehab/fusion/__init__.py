"""RGB and skeleton together: late fusion, two branches of one network, muscle groups."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "BranchLoss": "branches",
        "BranchTraining": "branches",
        "FusionClassifier": "late",
        "MultiLabelFusion": "late",
        "MuscleGroupClassifier": "muscle_groups",
    },
)
