"""Data sets: synthetic patients, spliced benchmark trials, and readers for a user's own files.

What loads or makes data returns a :class:`sklearn.utils.Bunch`. Names are loaded on first use.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "LabelSheet": "label_sheet",
        "describe_trials": "overview",
        "encode_labels": "label_codes",
        "intervals_to_frames": "intervals",
        "load_infant_neuromotor": "infants",
        "load_irds": "irds",
        "load_keraal": "keraal",
        "load_kimore": "kimore",
        "load_manifest": "manifest",
        "load_musclemap": "musclemap",
        "load_nw_ucla": "nw_ucla",
        "load_rehab24_6": "rehab24_6",
        "load_sere": "sere",
        "load_strokevision_bench": "strokevision",
        "load_trsp": "trsp",
        "load_uiprmd_npz": "uiprmd",
        "load_utkinect": "utkinect",
        "load_uwa3d": "uwa3d",
        "load_wmft_npz": "wmft",
        "make_bbt_clips": "bbt",
        "make_exercise_clips": "exercise_clips",
        "make_label_sheet": "label_sheet",
        "make_rehab_trials": "synthetic",
        "name_labels": "label_codes",
        "parse_label_names": "label_codes",
        "score_stratified_split": "splits",
        "splice_repetitions": "splicing",
        "write_mini_set": "mini_set",
    },
)
