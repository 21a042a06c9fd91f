"""Models as a folder of JSON and safetensors: nothing in it is code, nothing is unpickled.

``model.json`` holds the tree of estimators (class names from a fixed list, parameters, fitted
attributes), ``weights.safetensors`` the arrays, and perhaps a model card for people, ``README.md``.
Training data stay out: pseudo-labels, their scores and patient names are not written.

A folder may come from anybody. What each class may be given is written down in
``skrehab/persistence/allowed.py``, and a value that is not on that list is refused by name before
anything is built of it. Hubs are asked on request only.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "MAX_JSON_BYTES": "folder",
        "MAX_WEIGHT_BYTES": "folder",
        "from_pretrained": "hub",
        "load": "reading",
        "load_files": "reading",
        "model_card": "cards",
        "push_to_hub": "hub",
        "read_metadata": "folder",
        "save": "writing",
        "tells_enough": "cards",
    },
)
