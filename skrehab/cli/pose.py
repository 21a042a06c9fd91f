"""The command ``skrehab pose``: from videos to files of poses."""

import json
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
    settings = {"person": person, "target_fps": target_fps, "min_visibility": min_visibility}
    before = [] if overwrite else [target for target in targets.values() if _is_finished(target)]
    foreign = [] if overwrite else [target for target in targets.values() if _is_foreign(target)]

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
            if target in foreign:
                failed += 1
                say_error(
                    f"{target} is there, and is no pose of 'skrehab pose': take it away, or choose "
                    "another folder."
                )
            elif target not in before:
                try:
                    track = extract_pose(
                        video,
                        **settings,
                        model_path=model_path,
                        progress=frames_told(bar, task, video.name),
                    )
                except VideoError as error:
                    failed += 1
                    say_error(error)
                else:
                    _write_track(track, target, settings)
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
        _say_others(targets, before, settings)
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
    return target.is_file() and zipfile.is_zipfile(target) and not _is_foreign(target)


def _is_foreign(target):
    """Tell whether what lies there is somebody else's, and not to be written over."""
    if not target.is_file():
        return target.exists()
    if not zipfile.is_zipfile(target):
        return False  # broken off
    with zipfile.ZipFile(target) as archive:
        return not {"world.npy", "timestamps.npy"} <= set(archive.namelist())


def _say_others(targets, before, settings):
    """Say which poses that are there are not those that were asked for now."""
    other, older = [], []
    for video, target in targets.items():
        if target in before and (found := _settings_of(target)) is not None and found != settings:
            other.append(target.name)
        elif target in before and video.exists():
            if video.stat().st_mtime > target.stat().st_mtime:
                older.append(target.name)
    if other:
        say_note(f"note: made with other options, and left as they are: {_few(other)}.")
    if older:
        say_note(f"note: made before the video was changed or copied: {_few(older)}.")


def _few(names):
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _settings_of(target):
    """The options that a pose was made with; None where its file does not say."""
    from skrehab.formats._npz import open_npz

    try:
        with open_npz(target) as archive:
            found = json.loads(str(archive.read("options"))) if "options" in archive.names else None
    except (OSError, ValueError):
        return None
    return found


def _write_track(track, target, settings):
    """Write beside the target, then rename: a broken-off run leaves no half file."""
    import numpy as np

    with written(target) as file:
        np.savez_compressed(
            file,
            world=track.world,
            image=track.image,
            timestamps=track.timestamps,
            size=np.array([track.width, track.height]),
            options=np.array(json.dumps(settings)),
        )
