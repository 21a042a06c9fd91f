"""The command ``skrehab train``: one label a video in, a frame model out."""

import os
import shutil
import statistics
import tempfile
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import skrehab
from skrehab.cli._native import native_lines_logged
from skrehab.cli._paths import check_file, check_place, expanded
from skrehab.cli._start import Freeze, Head, Weights, WeightsSha256, start_from
from skrehab.cli.app import (
    Jobs,
    LabelNames,
    MinVisibility,
    ModelPath,
    Person,
    Seed,
    TargetFps,
    Verbose,
    if_interrupted,
    progress_bar,
    say_error,
    say_note,
    stderr,
    stdout,
    told,
)

__all__ = []


class Recipe(StrEnum):
    """Pipelines by name."""

    RECOMMENDED = "recommended"
    PUBLISHED = "published"


class Method(StrEnum):
    """Ways to ask a network where it looked."""

    INTEGRATED_GRADIENTS = "integrated_gradients"
    VANILLA_GRADIENT = "vanilla_gradient"
    FRAME_LOGITS = "frame_logits"


def _networks():
    from skrehab import networks

    return [name for name in networks.list_networks() if networks.get_spec(name).input == "pose"]


def _skeletons():
    from skrehab.skeletons import list_skeletons

    return ["auto", "none", *list_skeletons()]


def train(
    manifest: Annotated[
        Path,
        typer.Argument(callback=expanded, help="CSV: trial,path,patient,exercise,side,label."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", callback=expanded, help="Model folder to make.")
    ],
    recipe: Annotated[
        Recipe,
        typer.Option(help="recommended: ours, a teacher and a live student. published: the paper."),
    ] = Recipe.RECOMMENDED,
    skeleton: Annotated[
        str,
        typer.Option(
            autocompletion=_skeletons,
            help="recommended: skeleton of pose files, such as kinect25; 'auto' tells it from the "
            "landmarks' names or number, 'none' takes displacements in place of bones.",
        ),
    ] = "auto",
    network: Annotated[
        str | None,
        typer.Option(
            autocompletion=_networks,
            help="published: video network, act if not given; see 'skrehab models list'.",
        ),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            help="published: where the network looked; integrated_gradients if not given."
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            help="published: one number, two joined by a comma, quantile,0.38, auto, published or "
            "published_dual. Default: the published two, or where there are none a trial's highest "
            "38 % (30 % for vanilla_gradient)."
        ),
    ] = None,
    weights: Weights = None,
    weights_sha256: WeightsSha256 = None,
    freeze: Freeze = None,
    head: Head = None,
    normal_label: Annotated[
        str | None, typer.Option(help="Label that means 'no such motion'.")
    ] = None,
    label_names: LabelNames = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs of the networks. Default: published 100, recommended as many as make "
            "about 520 steps.",
        ),
    ] = None,
    evaluate: Annotated[
        bool, typer.Option(help="First score it on held-out patients, one at a time.")
    ] = True,
    person: Person = "steady",
    target_fps: TargetFps = None,
    min_visibility: MinVisibility = 0.0,
    cache: Annotated[
        Path | None,
        typer.Option(
            callback=expanded,
            help="Folder that keeps extracted poses. Default: one beside the model until that is "
            "written.",
        ),
    ] = None,
    model_path: ModelPath = None,
    jobs: Jobs = 1,
    seed: Seed = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace a model that is there.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            callback=expanded,
            help="Folder for a report on held-out patients; see 'skrehab evaluate'.",
        ),
    ] = None,
    verbose: Verbose = False,
):
    """Train on your own trials: one label a video in, a frame model out."""
    check_file(manifest, "manifest")
    check_file(model_path, "pose model file")
    if os.path.lexists(output) and not overwrite:
        raise FileExistsError(f"{output} exists already; choose another folder or --overwrite.")
    for folder in (output, report, cache):
        check_place(folder)
    given = _options_of_paper(recipe, skeleton, network, method, threshold)
    check_file(weights, "weights file")

    from skrehab.cli._skeleton import skeleton_of
    from skrehab.datasets import load_manifest
    from skrehab.datasets.label_codes import encode_labels, name_labels, parse_label_names
    from skrehab.datasets.overview import describe_trials, frame_rates

    pipeline = _pipeline(recipe, skeleton, given, epochs, seed)
    start_from(pipeline, weights, weights_sha256, freeze, head)
    called = parse_label_names(label_names)
    label_of = {name: label for label, name in called.items()}
    data = load_manifest(manifest, normal_label=label_of.get(normal_label, normal_label))
    if "bones" in pipeline.named_steps:
        pipeline.set_params(bones__skeleton=skeleton_of(skeleton, data))
    codes, names = encode_labels(data.y, normal_label, called)
    videos = isinstance(data.X[0], str | Path)
    if not videos and (target_fps is not None or min_visibility):
        raise ValueError(
            "--target-fps and --min-visibility are for videos, and the manifest names pose "
            "files: give them to 'skrehab pose'."
        )
    rates = _video_rates(data, target_fps) if videos else frame_rates(data.timestamps)
    labels = sorted(set(data.y.tolist()))
    shown = {"rates": rates, "label_names": dict(zip(labels, name_labels(labels, called)))}
    before = describe_trials(data, **shown)
    _say(before)
    _say_rates(rates, names)

    poses, front = data.X, None
    kept = output.with_name(f"{output.name}.poses") if cache is None else cache
    if videos:
        settings = {"person": person, "target_fps": target_fps, "min_visibility": min_visibility}
        poses, front = _poses(data, settings, kept, model_path, jobs, verbose)
        _say(line for line in describe_trials(data, poses=poses, **shown) if line not in before)
    who = {"groups": data.groups, "exercise": data.exercise}
    metadata = {
        "recipe": recipe.value,
        "labels": names,
        "n_trials": len(poses),
        "n_patients": len(set(data.groups.tolist())),
        "frame_rate": round(statistics.median(rates), 3) if rates else None,
    }
    if report is not None:
        from skrehab.cli.evaluate import held_out_report

        with if_interrupted(lambda: f"Folds are kept in {report}; no model was written."):
            scores = held_out_report(
                recipe.value, pipeline, data, poses, codes, names, report, seed, jobs
            )
        metadata["trial_auc"] = _noted(scores)
    elif evaluate:
        metadata["trial_auc"] = _evaluate(pipeline, poses, codes, data, jobs)
    left = "No model was written; a second run trains it anew"
    left += ", and --no-evaluate without scoring again." if evaluate else "."
    with if_interrupted(lambda: left), stderr.status("training on all patients"):
        pipeline.fit(poses, codes, **who)
    if front is not None:  # the poses are known already; keep the step for videos to come
        pipeline.steps.insert(0, ("pose", front))
    _save(pipeline, output, metadata=metadata, overwrite=overwrite)
    if cache is None:
        _let_go(kept)
    stdout.print(f"Model: {output}", highlight=False, soft_wrap=True)


# --- what is said ---------------------------------------------------------------------------------
def _say(lines):
    for line in lines:
        stderr.print(line, highlight=False, soft_wrap=True)


def _say_rates(rates, names):
    """Note what will matter to whoever reads the result."""
    if rates and max(rates) > 1.1 * min(rates):
        say_note(
            f"note: trials have {min(rates):.3g} to {max(rates):.3g} frames a second, and "
            "smoothing counts frames. --target-fps makes them alike."
        )
    if all(name.isdigit() for name in names):
        say_note(
            f"note: labels are numbers. --label-names {names[0]}=usual,{names[1]}=compensation "
            "would give them names, for tables, overlays and the page."
        )


# --- what is done ---------------------------------------------------------------------------------
def _options_of_paper(recipe, skeleton, network, method, threshold):
    """Check options that can be wrong, before torch is imported; return those of the paper."""
    from skrehab.pseudo_labels.thresholds import parse_threshold

    given = {"network": network, "method": method and method.value}
    given = {name: value for name, value in given.items() if value is not None}
    if threshold is not None:
        given["threshold"] = parse_threshold(threshold)
    if recipe == Recipe.PUBLISHED:
        if skeleton != "auto":
            raise ValueError("--skeleton is for --recipe recommended; published needs none.")
        if network is not None:
            _check_among(network, _networks(), "network of poses", "'skrehab models list' has all")
    elif given:
        options = ", ".join(f"--{name}" for name in given)
        raise ValueError(f"{options}: for --recipe published only.")
    else:
        _check_among(skeleton, _skeletons(), "skeleton", f"known are {', '.join(_skeletons())}")
    return given


def _check_among(name, known, what, where):
    import difflib

    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {close[0]!r}?" if close else where[0].upper() + where[1:] + "."
        raise ValueError(f"There is no {what} {name!r}. {hint}")


def _pipeline(recipe, skeleton, given, epochs, seed):
    """Build what was asked for."""
    from skrehab import recipes

    if recipe == Recipe.PUBLISHED:
        return recipes.published(max_epochs=epochs or 100, random_state=seed, **given)
    return recipes.recommended(
        None if skeleton == "none" else skeleton, max_epochs=epochs or "auto", random_state=seed
    )


def _poses(data, settings, kept, model_path, jobs, verbose):
    """Extract poses once; cross-validation must not decode the videos again for every fold."""
    extractor = skrehab.PoseExtractor(
        model_path=model_path and str(model_path),
        memory=str(kept),
        n_jobs=jobs,
        verbose=1,
        **settings,
    )
    so_far = f"The poses found so far are kept in {kept}; the same command goes on with them."
    with native_lines_logged(verbose, say_error):
        try:
            poses = extractor.fit_transform(data.X)
        except (skrehab.pose.VideoError, KeyboardInterrupt):
            if kept.exists():
                say_note(so_far)
            raise
    return poses, extractor.set_params(model_path=None)  # a file of this machine


def _let_go(kept):
    """Remove poses that were kept in case that the work broke off, and nothing else."""
    shutil.rmtree(kept / "joblib", ignore_errors=True)
    (kept / ".gitignore").unlink(missing_ok=True)  # joblib's
    with suppress(OSError):  # it holds something else, or is not there
        kept.rmdir()


def _save(pipeline, output, **how):
    """Save the model; where the disk refuses it, somewhere else, for it may have taken hours."""
    try:
        return skrehab.save(pipeline, output, **how)
    except OSError as error:
        rescued = Path(tempfile.mkdtemp(prefix="skrehab-")) / output.name
        try:
            skrehab.save(pipeline, rescued, **how)
        except OSError:
            shutil.rmtree(rescued.parent, ignore_errors=True)
            raise error from None
        raise OSError(
            f"{output}: the model could not be written ({error}). It was written to {rescued}: "
            "move it from there."
        ) from error


def _evaluate(pipeline, poses, codes, data, jobs):
    """Score the pipeline on each patient held out; return what is noted of it."""
    from skrehab.evaluation.by_patient import evaluate_by_patient

    n_patients, done = len(set(data.groups.tolist())), []

    def so_far():
        return (
            f"{len(done)} of {told(n_patients, 'patient')} held out and scored. Their scores are "
            "not kept, and no model was written; a second run begins with the first patient "
            "(--no-evaluate trains without)."
        )

    with if_interrupted(so_far), progress_bar() as bar:
        task = bar.add_task("patients held out", total=n_patients)

        def on_fold():
            done.append(1)
            bar.advance(task)

        scores = evaluate_by_patient(
            *(pipeline, poses, codes, data.groups),
            exercise=data.exercise,
            n_jobs=jobs,
            on_fold=on_fold,
        )
    return _noted(scores)


def _noted(scores):
    """Tell the scores of patients; return what is noted: numbers only, the words name patients."""
    stdout.print(f"Trial AUC, patients held out: {scores}", highlight=False, soft_wrap=True)
    numbers = {"mean": scores.mean, "sd": scores.std, "pooled": scores.pooled}
    return {
        "protocol": "leave one patient out",
        "n_defined": scores.n_defined,
        **{key: None if x != x else round(x, 4) for key, x in numbers.items()},
    }


def _video_rates(data, target_fps):
    """Frames a second of each video that tells; the model will want videos of the same rate."""
    if target_fps is not None:
        return [target_fps]
    from skrehab.pose import probe_video

    return [rate for rate in (probe_video(video).fps for video in data.X) if rate > 0]
