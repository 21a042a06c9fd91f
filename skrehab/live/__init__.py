"""While the patient moves: a pipeline frame by frame, cues, the window, and what is kept."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "CueGate": "cues",
        "CueRule": "cues",
        "gate_for": "cues",
        "rule_for": "cues",
        "CueState": "cues",
        "FrameStream": "stream",
        "LiveSession": "session",
        "LiveWindow": "view",
        "Moment": "session",
        "PoseRecording": "recording",
        "StreamCounts": "stream",
        "VideoRecording": "recording",
        "causal_extractor": "session",
        "cue_frames": "cues",
        "draw_live": "view",
        "next_cue": "cues",
        "write_overlay": "overlay",
    },
)
