"""Videos in, pose trials out: reading, the pose model file, and the estimator."""

from .bundle import build_bundle
from .extractor import PoseExtractor
from .persons import choose_person
from .reader import VideoError, VideoInfo, probe_video, read_frames, resample_frames
from .stream import PoseStream
from .track import PoseTrack, extract_pose
from .weights import ModelError, ModelInfo, fetch_pose_landmarker, find_model, list_models

__all__ = [
    "ModelError",
    "ModelInfo",
    "PoseExtractor",
    "PoseStream",
    "PoseTrack",
    "VideoError",
    "VideoInfo",
    "build_bundle",
    "choose_person",
    "extract_pose",
    "fetch_pose_landmarker",
    "find_model",
    "list_models",
    "probe_video",
    "read_frames",
    "resample_frames",
]
