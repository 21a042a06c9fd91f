"""The command ``skrehab live``: scores and cues while a camera runs, or a video."""

import json
import os
import statistics
import sys
import time
from array import array
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import typer

import skrehab
from skrehab.cli._labels import names_of_model
from skrehab.cli._paths import check_file, check_model, expanded
from skrehab.cli.app import LabelNames, Model, ModelPath, say_note, stderr

__all__ = []


def live(
    model: Model,
    video: Annotated[Path | None, typer.Option(callback=expanded, help="Video file.")] = None,
    camera: Annotated[int | None, typer.Option(min=0, help="Number of a camera.")] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="No window: one line of JSON a frame on stdout.")
    ] = False,
    person: Annotated[
        str | None, typer.Option(help="follow, seated, largest or center. Default: the model's.")
    ] = None,
    on: Annotated[float, typer.Option(help="Probability that switches the cue on ...")] = 0.6,
    off: Annotated[float, typer.Option(help="... and off again.")] = 0.4,
    min_duration: Annotated[float, typer.Option(help="Seconds to last before a cue.")] = 0.3,
    min_gap: Annotated[float, typer.Option(help="Seconds to be over before it ends.")] = 0.5,
    seconds: Annotated[float | None, typer.Option(help="Stop after this time.")] = None,
    record: Annotated[
        Path | None,
        typer.Option(callback=expanded, help="Record the pose, as 'skrehab pose' does (.npz)."),
    ] = None,
    record_video: Annotated[
        Path | None,
        typer.Option(callback=expanded, help="Record the picture too, faces and all (.mp4)."),
    ] = None,
    label_names: LabelNames = None,
    model_path: ModelPath = None,
):
    """Score frames as they come, and give a cue. Keys in the window: q ends, r starts a new trial.

    Only the pose is ever recorded, unless --record-video names a file.
    """
    if (video is None) == (camera is None):
        raise ValueError("Give either --video FILE or --camera NUMBER.")
    check_model(model)
    check_file(video, "video")
    check_file(model_path, "pose model file")

    from skrehab.datasets.label_codes import parse_label_names
    from skrehab.persistence.folder import read_metadata

    metadata, given = read_metadata(model), parse_label_names(label_names)
    with ExitStack() as stack:
        gate = skrehab.CueGate(on, off, min_duration, min_gap)
        session = _Session(skrehab.load(model), metadata, gate, person, model_path, video, given)
        stack.enter_context(session.live)  # frees the pose model at the end
        sinks = [_JsonLines(session.names)] if headless else []
        if record is not None or record_video is not None:
            sinks.append(_recorder(stack, record, record_video))
        if not headless:
            sinks.append(_window(stack, session, paced=camera is None))
        frames = stack.enter_context(closing(_frames(video, camera, session.target_fps)))
        try:
            _run(session, frames, sinks, seconds)
        except KeyboardInterrupt:  # how a session without a window ends
            pass
        except BrokenPipeError:  # the reader of the lines has gone; nothing to tell it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for path in (record, record_video):
        if path is not None and path.exists():
            stderr.print(f"recorded: {path}", highlight=False, soft_wrap=True)
    stderr.print(session.summary(), highlight=False, soft_wrap=True)


def _frames(video, camera, target_fps):
    """Yield (time, picture) of a file or a camera, at the model's frame rate if it has one."""
    from skrehab.pose import read_frames, resample_frames
    from skrehab.pose.camera import read_camera

    frames = read_frames(video) if camera is None else read_camera(camera)
    return frames if target_fps is None else resample_frames(frames, target_fps)


def _run(session, frames, sinks, seconds):
    """Push frame after frame; a sink that returns "q" ends it, "r" starts another trial."""
    start = None
    for timestamp, picture in frames:
        start = timestamp if start is None else start
        if seconds is not None and timestamp - start >= seconds:
            break
        moment = session.push(picture, timestamp)
        keys = [sink(moment) for sink in sinks]
        if "q" in keys:
            break
        if "r" in keys:
            session.reset()


# --- the session ----------------------------------------------------------------------------------
class _Session:
    """A live session with the names of its classes, and what is said of it at the end."""

    def __init__(self, model, metadata, gate, person, model_path, video, given=None):
        from skrehab.live.session import LiveSession
        from skrehab.pose import PoseExtractor, match_frame_rate, split_pose_step

        called = names_of_model(model, metadata, given)  # before the work
        extractor, model = split_pose_step(model)
        extractor = extractor or PoseExtractor()
        if person == "steady":
            raise ValueError("person='steady' is not causal: take 'follow' or 'seated' instead.")
        if person is not None:
            extractor.set_params(person=person)
        elif extractor.person == "steady":
            say_note(
                "note: the model's person='steady' chooses whom to follow with hindsight; live it "
                "is who is largest at the start (--person seated: the largest who sits)."
            )
        if model_path is not None:
            extractor.set_params(model_path=str(model_path))
        if video is not None:  # a file says its rate beforehand
            extractor = match_frame_rate(extractor, video, metadata.get("frame_rate"))
        self.target_fps = extractor.target_fps
        if video is None and self.target_fps is None and metadata.get("frame_rate"):
            self.target_fps = metadata["frame_rate"]
            say_note(
                f"note: the camera's pictures are brought to {self.target_fps:g} a second, as the "
                "model was trained; each is judged when the next has come."
            )
        self.live = LiveSession(model, extractor, gate)
        self.several = self.live.label_names is not None
        self.names = [called[code] for code in self.live.classes_.tolist()]
        self.trials = [self.live.stream.counts]
        self.pose_ms, self.score_ms = array("d"), array("d")

    def push(self, picture, timestamp):
        """Return what is known of this frame."""
        moment = self.live.push(picture, timestamp)
        self.pose_ms.append(moment.pose_ms)
        self.score_ms.append(moment.score_ms)
        return moment

    def reset(self):
        """Start another trial."""
        self.live.reset()
        self.trials.append(self.live.stream.counts)

    def summary(self):
        """Tell in a line how many frames came, and how long they took."""
        if not self.pose_ms:
            return "no frame came"
        parts = [
            f"{sum(counts.frames for counts in self.trials)} frames",
            f"{sum(counts.unseen for counts in self.trials)} with nobody in them",
        ]
        if gaps := sum(counts.gaps for counts in self.trials):
            parts.append(f"{gaps} gaps of more than {self.live.stream.max_gap:g} s")
        for what, values in (("pose", self.pose_ms), ("score and cue", self.score_ms)):
            parts.append(f"{what} {statistics.median(values):.2f} ms a frame (median)")
        return ", ".join(parts)


# --- where it goes --------------------------------------------------------------------------------
class _JsonLines:
    """Print a line a frame; probabilities are null where nobody is seen."""

    def __init__(self, names):
        self.names = names

    def __call__(self, moment):
        said = dict(zip(self.names, (round(float(p), 6) for p in moment.proba)))
        line = {
            "t": round(moment.timestamp, 4),
            "probabilities": said if moment.seen else None,
            "cue": moment.cue,
            **({"cues": dict(zip(self.names, moment.cues))} if moment.cues else {}),
            "latency_ms": round(moment.pose_ms + moment.score_ms, 2),
        }
        print(json.dumps(line), flush=True)


def _recorder(stack, pose_path, video_path):
    from skrehab.live.recording import PoseRecording, VideoRecording

    poses = stack.enter_context(PoseRecording(pose_path)) if pose_path else None
    video = stack.enter_context(VideoRecording(video_path)) if video_path else None

    def record(moment):
        if poses is not None:
            size = moment.picture.shape[1], moment.picture.shape[0]
            poses.add(moment.timestamp, moment.world, moment.image, size)
        if video is not None:
            video.add(moment.timestamp, moment.picture)

    return record


def _on(session, moment):
    """Names of the labels whose cue is on, where there are several."""
    return ", ".join(name for name, on in zip(session.names, moment.cues) if on)


def _window(stack, session, paced):
    from skrehab.live.view import LiveWindow, draw_live

    window = stack.enter_context(LiveWindow())
    usual, others = ("usual", session.names) if session.several else (
        session.names[0], session.names[1:]
    )  # fmt: skip
    clock = []

    def show(moment):
        now = time.monotonic()
        clock[:] = clock or [now - moment.timestamp]
        # a file is shown no faster than it was filmed
        wait = moment.timestamp + clock[0] - now if paced else 0.0
        drawn = draw_live(
            *(moment.picture, moment.image),
            cue=moment.cue,
            seen=moment.seen,
            labels=(usual, _on(session, moment) or " or ".join(others)),
            note=f"{moment.pose_ms + moment.score_ms:.0f} ms",
        )
        return window.show(drawn, max(0.0, wait))

    return show
