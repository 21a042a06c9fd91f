"""Data sets: synthetic patients, spliced benchmark trials, and readers for a user's own files.

What loads or makes data returns a :class:`sklearn.utils.Bunch`. Names are loaded on first use.
"""

import importlib

# public name -> module that holds it
_PUBLIC = {
    "intervals_to_frames": "intervals",
    "load_infant_neuromotor": "infants",
    "load_kimore": "kimore",
    "load_manifest": "manifest",
    "load_musclemap": "musclemap",
    "load_strokevision_bench": "strokevision",
    "load_uiprmd_npz": "uiprmd",
    "load_utkinect": "utkinect",
    "load_uwa3d": "uwa3d",
    "load_wmft_npz": "wmft",
    "make_bbt_clips": "bbt",
    "make_exercise_clips": "exercise_clips",
    "make_rehab_trials": "synthetic",
    "score_stratified_split": "splits",
    "splice_repetitions": "splicing",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
