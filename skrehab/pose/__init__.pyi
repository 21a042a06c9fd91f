# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray

BlurReport: Any
ModelError: Any
ModelInfo: Any
PoseExtractor: Any
PoseStream: Any
PoseTrack: Any
VideoError: Any
VideoInfo: Any
ViewCheck: Any
blur_faces: Any
build_bundle: Any
choose_person: Any
compare_views: Any
export_pose: Any
extract_pose: Any
extract_with: Any
fetch_pose_landmarker: Any
find_model: Any
list_models: Any
match_frame_rate: Any
patient_code: Any
probe_video: Any
read_frames: Any
resample_frames: Any
split_pose_step: Any

def __getattr__(name: str) -> Any: ...
