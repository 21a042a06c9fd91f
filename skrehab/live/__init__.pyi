# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.live.cues import CueGate as CueGate
from skrehab.live.cues import CueRule as CueRule
from skrehab.live.cues import CueState as CueState
from skrehab.live.stream import FrameStream as FrameStream
from skrehab.live.session import LiveSession as LiveSession
from skrehab.live.view import LiveWindow as LiveWindow
from skrehab.live.session import Moment as Moment
from skrehab.live.recording import PoseRecording as PoseRecording
from skrehab.live.stream import StreamCounts as StreamCounts
from skrehab.live.recording import VideoRecording as VideoRecording
from skrehab.live.session import causal_extractor as causal_extractor
from skrehab.live.cues import cue_frames as cue_frames
from skrehab.live.view import draw_live as draw_live
from skrehab.live.cues import gate_for as gate_for
from skrehab.live.cues import next_cue as next_cue
from skrehab.live.cues import rule_for as rule_for
from skrehab.live.overlay import write_overlay as write_overlay
