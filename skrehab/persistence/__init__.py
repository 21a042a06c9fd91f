"""Models as a folder of JSON and safetensors: nothing in it is code, nothing is unpickled.

``model.json`` holds the tree of estimators (class names from a fixed list, parameters, fitted
attributes), ``weights.safetensors`` the arrays, and perhaps a model card for people, ``README.md``.
Training data stay out: pseudo-labels, their scores and patient names are not written.

A folder may come from anybody. What each class may be given is written down in
``skrehab/persistence/allowed.py``, and a value that is not on that list is refused by name before
anything is built of it.
"""

from skrehab.persistence.folder import MAX_JSON_BYTES, MAX_WEIGHT_BYTES, read_metadata
from skrehab.persistence.reading import load, load_files
from skrehab.persistence.writing import save

__all__ = ["MAX_JSON_BYTES", "MAX_WEIGHT_BYTES", "load", "load_files", "read_metadata", "save"]
