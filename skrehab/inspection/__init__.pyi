# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray

Action: Any
ActivationMapDisplay: Any
ClipTimeline: Any
FrameTimelineDisplay: Any
MuscleActivationDisplay: Any
PatientScoresDisplay: Any
SaliencyMapDisplay: Any
SkeletonDisplay: Any

def __getattr__(name: str) -> Any: ...
