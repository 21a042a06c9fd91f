"""The command ``skrehab pose``: from videos to files of poses."""

import shlex
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from skrehab._written import output_names, written
from skrehab.cli._native import native_lines_logged
from skrehab.cli._paths import check_file, expanded, find_videos
from skrehab.cli.app import (
    MinVisibility,
    ModelPath,
    Output,
    Person,
    TargetFps,
    Verbose,
    Videos,
    beside,
    frames_told,
    if_interrupted,
    progress_bar,
    say_error,
    say_note,
    stdout,
    told,
)

__all__ = []


def pose(
    videos: Videos,
    output: Output,
    person: Person = "steady",
    target_fps: TargetFps = None,
    min_visibility: MinVisibility = 0.0,
    model_path: ModelPath = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            callback=expanded, help="Also list the poses in this CSV, labels to be filled in."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Analyse videos again that are done.")] = False,
    verbose: Verbose = False,
):
    """Extract the pose of one person from each video, as .npz files.

    With --manifest, fill in patients and labels with 'skrehab serve --label MANIFEST', or in a
    spreadsheet, and train on it.
    """
    videos = find_videos(videos)
    check_file(model_path, "pose model file")
    if manifest is not None and manifest.suffix.lower() != ".csv":
        raise ValueError(f"--manifest must be a .csv, got {manifest}.")
    targets = output_names(output, videos, ".npz")
    output.mkdir(parents=True, exist_ok=True)
    before = [] if overwrite else [target for target in targets.values() if _is_finished(target)]

    from skrehab.pose import VideoError, extract_pose
    from skrehab.pose.track import UPSIDE_DOWN

    failed, written_now = 0, 0

    def so_far():
        done = len(before) + written_now
        again = "begins with the first" if overwrite else "goes on with the others"
        return f"{done} of {told(len(videos), 'pose')} are in {output}; the same command {again}."

    with if_interrupted(so_far), native_lines_logged(verbose, say_error), progress_bar() as bar:
        task = bar.add_task("pose", total=len(videos))
        for video, target in targets.items():
            bar.update(task, description=video.name)
            if target not in before:
                try:
                    track = extract_pose(
                        video,
                        person=person,
                        target_fps=target_fps,
                        min_visibility=min_visibility,
                        model_path=model_path,
                        progress=frames_told(bar, task, video.name),
                    )
                except VideoError as error:
                    failed += 1
                    say_error(error)
                else:
                    _write_track(track, target)
                    written_now += 1
                    beside(bar).print(
                        f"{target}: {len(track.timestamps)} frames, {track.found.sum()} with a "
                        f"pose, largest step {track.largest_step:.2f} trunk sizes",
                        highlight=False,
                        soft_wrap=True,
                    )
                    if track.upside_down:
                        say_note(f"note: {video.name}: {UPSIDE_DOWN}")
            bar.advance(task)
    if before:
        say_note(
            f"{len(before)} of {told(len(videos), 'video')} {_were(before)} done already "
            "(--overwrite repeats them)."
        )
    if manifest is not None:
        _list(manifest, {video: one for video, one in targets.items() if _is_finished(one)})
    if failed:
        say_note(failures(failed, len(videos)))
        raise typer.Exit(1)


def _list(manifest, targets):
    """List poses in a manifest; rows that are there stay."""
    from skrehab.datasets.label_sheet import make_label_sheet

    manifest.parent.mkdir(parents=True, exist_ok=True)
    sheet = make_label_sheet(manifest, list(targets.values()), list(targets))
    empty = sum(not row["label"] for row in sheet.rows)
    stdout.print(
        f"{manifest}: {told(len(sheet.rows), 'trial')}, {empty} without a label",
        highlight=False,
        soft_wrap=True,
    )
    if empty:
        name = shlex.quote(str(manifest))
        say_note(
            f"Next: fill it in, with a spreadsheet program or skrehab serve --label {name}; then "
            f"skrehab check {name}."
        )


def failures(failed, total):
    """Say how many of several videos failed, and what became of the others, if there are any."""
    if failed == total:
        return "The video failed." if total == 1 else f"All {total} videos failed."
    others = "the other is" if total - failed == 1 else "the others are"
    return f"{failed} of {total} videos failed; {others} done."


def _were(things):
    return "was" if len(things) == 1 else "were"


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
