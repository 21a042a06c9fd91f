"""The command ``skrehab assess``: a model on one video."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import skrehab
from skrehab._shown import shown
from skrehab._written import output_name, written
from skrehab.cli.app import Output, stderr, stdout
from skrehab.cli.live import class_names

__all__ = []


def assess(
    model: Annotated[Path, typer.Argument(help="Model folder made by 'skrehab train'.")],
    video: Annotated[Path, typer.Argument(help="Video file.")],
    output: Output = Path("."),
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which a frame counts.")
    ] = 0.5,
    overlay: Annotated[
        bool, typer.Option(help="Also write the video with skeleton and score.")
    ] = True,
):
    """Score every frame of a video: CSV with timestamps, and an overlay video."""
    from skrehab.assessment import assess_video
    from skrehab.formats._spreadsheet import put_rows
    from skrehab.persistence import read_metadata

    output.mkdir(parents=True, exist_ok=True)
    table = output_name(output, video, "_frames.csv")
    target = output_name(output, video, "_overlay.mp4")
    metadata = read_metadata(model)
    class_names(metadata, ())  # before the work
    with stderr.status(Text(f"assessing {video.name}")):
        result = assess_video(skrehab.load(model), video, frame_rate=metadata.get("frame_rate"))
    if result.resampled_to:
        stderr.print(
            f"note: {video.name} was resampled to {result.resampled_to:g} frames a second, as the "
            "model was trained.",
            soft_wrap=True,
        )
    names = class_names(metadata, range(result.proba.shape[1]))
    rows = zip(result.track.timestamps, result.track.found, result.proba)
    with written(table, text=True) as file:
        put_rows(file, [["frame", "time_s", "pose_found", *names]])
        put_rows(
            file,
            (
                [i, f"{time:.4f}", int(found), *(f"{p:.6f}" for p in proba)]
                for i, (time, found, proba) in enumerate(rows)
            ),
        )
    stdout.print(f"{table}", highlight=False, soft_wrap=True)
    what = " or ".join(names[1:])
    stdout.print(
        f"{(result.score > threshold).sum()} of {len(result.score)} frames above {threshold:g} "
        f"for {what!r}",
        highlight=False,
    )
    if overlay:
        from skrehab.live.overlay import write_overlay

        with stderr.status("writing the overlay"):
            write_overlay(
                *(video, target, result.track.image, result.score),
                timestamps=result.track.timestamps,
                threshold=threshold,
                labels=(shown(names[0]), shown(what)),
            )
        stdout.print(f"{target}", highlight=False, soft_wrap=True)
