"""The command ``skrehab pose``: from videos to files of poses."""

import zipfile
from pathlib import Path
from typing import Annotated

import typer

from skrehab._written import output_names, written
from skrehab.cli.app import (
    MinVisibility,
    Output,
    Person,
    TargetFps,
    progress_bar,
    say_error,
    stderr,
    stdout,
)

__all__ = []


def pose(
    videos: Annotated[list[Path], typer.Argument(help="Video files.")],
    output: Output,
    person: Person = "steady",
    target_fps: TargetFps = None,
    min_visibility: MinVisibility = 0.0,
    model_path: Annotated[Path | None, typer.Option(help="Pose model file (.task).")] = None,
    overwrite: Annotated[bool, typer.Option(help="Analyse videos again that are done.")] = False,
):
    """Extract the pose of one person from each video, as .npz files."""
    from skrehab.pose import VideoError, extract_pose

    output.mkdir(parents=True, exist_ok=True)
    targets = output_names(output, videos, ".npz")
    failed = done = 0
    with progress_bar() as progress:
        task = progress.add_task("pose", total=len(videos))
        for video, target in targets.items():
            progress.update(task, description=video.name)
            if not overwrite and _is_finished(target):
                done += 1
            else:
                try:
                    track = extract_pose(
                        video,
                        person=person,
                        target_fps=target_fps,
                        min_visibility=min_visibility,
                        model_path=model_path,
                    )
                except VideoError as error:
                    failed += 1
                    say_error(error)
                else:
                    _write_track(track, target)
                    stdout.print(
                        f"{target}: {len(track.timestamps)} frames, {track.found.sum()} with a "
                        f"pose, largest step {track.largest_step:.2f} trunk sizes",
                        highlight=False,
                        soft_wrap=True,
                    )
            progress.advance(task)
    if done:
        stderr.print(
            f"{done} of {len(videos)} videos were done already (--overwrite repeats them)."
        )
    if failed:
        stderr.print(f"{failed} of {len(videos)} videos failed; the others are done.")
        raise typer.Exit(1)


def _is_finished(target):
    """Tell whether a pose is there whole; a copy that was broken off is not."""
    return target.exists() and zipfile.is_zipfile(target)


def _write_track(track, target):
    """Write beside the target, then rename: a broken-off run leaves no half file."""
    import numpy as np

    with written(target) as file:
        np.savez_compressed(
            file,
            world=track.world,
            image=track.image,
            timestamps=track.timestamps,
            size=np.array([track.width, track.height]),
        )
