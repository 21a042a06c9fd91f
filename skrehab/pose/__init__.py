"""Videos in, pose trials out: reading, the pose model file, and the estimator."""

from .bundle import build_bundle
from .extractor import PoseExtractor
from .faces import BlurReport, blur_faces
from .model_step import extract_with, match_frame_rate, split_pose_step
from .persons import choose_person
from .picture import VideoError
from .reader import VideoInfo, probe_video, read_frames
from .resampling import resample_frames
from .sharing import export_pose, patient_code
from .stream import PoseStream
from .track import PoseTrack, extract_pose
from .views import ViewCheck, compare_views
from .weights import ModelError, ModelInfo, fetch_pose_landmarker, find_model, list_models

__all__ = [
    "BlurReport",
    "ModelError",
    "ModelInfo",
    "PoseExtractor",
    "PoseStream",
    "PoseTrack",
    "VideoError",
    "VideoInfo",
    "ViewCheck",
    "blur_faces",
    "build_bundle",
    "choose_person",
    "compare_views",
    "export_pose",
    "extract_pose",
    "extract_with",
    "fetch_pose_landmarker",
    "find_model",
    "list_models",
    "match_frame_rate",
    "patient_code",
    "probe_video",
    "read_frames",
    "resample_frames",
    "split_pose_step",
]
