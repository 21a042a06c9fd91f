"""Poses before they are judged: mended, checked, converted, and turned into movement features."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Conversion": "skeleton_conversion",
        "DisplacementSmoother": "movement",
        "GapFiller": "gaps",
        "BoneVectors": "bones",
        "LandmarkScaler": "scaling",
        "LeftRightRepair": "swaps",
        "MirrorCheck": "mirrored_records",
        "PoseLimits": "pose_check",
        "PoseQuality": "pose_measures",
        "QualityReport": "pose_check",
        "SideNormalizer": "side_normalizer",
        "SkeletonConverter": "converter",
        "check_pose_quality": "pose_check",
        "conversion": "skeleton_conversion",
        "convert": "skeleton_conversion",
        "detect_mirrored": "mirrored_records",
        "displacement": "movement",
        "fill_gaps": "gaps",
        "find_swaps": "swaps",
        "guess_skeleton": "skeleton_conversion",
        "mirror": "sides",
        "moving_average": "movement",
        "normalize_sides": "sides",
        "pose_quality": "pose_measures",
        "side_movement": "sides",
        "side_pairs": "sides",
        "swap_parts": "swaps",
        "swap_sides": "swaps",
    },
)
