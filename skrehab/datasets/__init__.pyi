# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.datasets.overview import describe_trials as describe_trials
from skrehab.datasets.label_codes import encode_labels as encode_labels
from skrehab.datasets.intervals import intervals_to_frames as intervals_to_frames
from skrehab.datasets.infants import load_infant_neuromotor as load_infant_neuromotor
from skrehab.datasets.irds import load_irds as load_irds
from skrehab.datasets.keraal import load_keraal as load_keraal
from skrehab.datasets.kimore import load_kimore as load_kimore
from skrehab.datasets.manifest import load_manifest as load_manifest
from skrehab.datasets.musclemap import load_musclemap as load_musclemap
from skrehab.datasets.nw_ucla import load_nw_ucla as load_nw_ucla
from skrehab.datasets.sere import load_sere as load_sere
from skrehab.datasets.strokevision import load_strokevision_bench as load_strokevision_bench
from skrehab.datasets.trsp import load_trsp as load_trsp
from skrehab.datasets.uiprmd import load_uiprmd_npz as load_uiprmd_npz
from skrehab.datasets.utkinect import load_utkinect as load_utkinect
from skrehab.datasets.uwa3d import load_uwa3d as load_uwa3d
from skrehab.datasets.wmft import load_wmft_npz as load_wmft_npz
from skrehab.datasets.bbt import make_bbt_clips as make_bbt_clips
from skrehab.datasets.exercise_clips import make_exercise_clips as make_exercise_clips
from skrehab.datasets.synthetic import make_rehab_trials as make_rehab_trials
from skrehab.datasets.label_codes import name_labels as name_labels
from skrehab.datasets.label_codes import parse_label_names as parse_label_names
from skrehab.datasets.splits import score_stratified_split as score_stratified_split
from skrehab.datasets.splicing import splice_repetitions as splice_repetitions
from skrehab.datasets.mini_set import write_mini_set as write_mini_set
