"""Several yes-or-no labels a trial."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "MultiLabelFrames": "frames",
        "MultiLabelMixin": "label_sets",
        "MultiLabelVideoClassifier": "classifier",
        "SigmoidBCE": "label_sets",
        "SoftmaxBCE": "label_sets",
        "check_multilabel": "label_sets",
        "frames_of_labels": "frames",
        "label_probabilities": "label_sets",
    },
)
