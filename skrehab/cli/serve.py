"""The command ``skrehab serve``: the page in the browser."""

import os
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

import skrehab
from skrehab._optional import require
from skrehab._shown import shown
from skrehab.cli._paths import check_file, check_model, expanded
from skrehab.cli.app import LabelNames, ModelPath, stderr, stdout

__all__ = []

ModelOrNone = Annotated[
    Path | None, typer.Argument(callback=expanded, help="Model folder made by 'skrehab train'.")
]


def serve(
    model: ModelOrNone = None,
    label: Annotated[
        Path | None,
        typer.Option(callback=expanded, help="Label the trials of this manifest instead."),
    ] = None,
    labels: Annotated[
        str, typer.Option(help="Labels for --label, by the keys 1 to 9, the usual one first.")
    ] = "usual,compensation",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = False,
    label_names: LabelNames = None,
    model_path: ModelPath = None,
    max_upload: Annotated[
        int, typer.Option("--max-upload", min=1, help="Largest video, in MB.")
    ] = 200,
    on: Annotated[float, typer.Option(help="Probability that switches the cue on ...")] = 0.6,
    off: Annotated[float, typer.Option(help="... and off again.")] = 0.4,
    min_duration: Annotated[float, typer.Option(help="Seconds to last before a cue.")] = 0.3,
    min_gap: Annotated[float, typer.Option(help="Seconds to be over before it ends.")] = 0.5,
):
    """Show a model at work in the browser: choose a video or the camera. Or label trials.

    Only this machine can reach the page, at the address that is printed. Videos are deleted as soon
    as they are analysed.
    """
    if (model is None) == (label is None):
        raise ValueError("Give either a model folder, or --label MANIFEST.")
    if model is not None:
        check_model(model)
    check_file(model_path, "pose model file")
    check_file(label, "manifest")
    uvicorn = require("uvicorn", "serve", "to show the page in a browser")
    if label is not None:
        from skrehab.serve import create_label_app

        app = create_label_app(label, labels.split(","))
    else:
        options = {"rule": (on, off, min_duration, min_gap), "max_upload": max_upload * 2**20}
        app = _model_app(model, label_names, model_path, **options)
    from skrehab.serve import server_config

    with _listen(port) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/?token={app.state.token}"
        stdout.print(address, highlight=False, soft_wrap=True)
        stderr.print("Open this address on this machine. Ctrl+C ends it.", highlight=False)
        if browser:
            import webbrowser

            webbrowser.open(address)
        config = server_config(app)
        # a terminal that is closed ends it as Ctrl+C does, but for nohup
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
        uvicorn.Server(config).run(sockets=[listener])


def _model_app(model, label_names, model_path, rule, max_upload):
    from skrehab.cli._labels import names_of_model
    from skrehab.datasets.label_codes import parse_label_names
    from skrehab.live.cues import CueRule
    from skrehab.persistence import read_metadata
    from skrehab.serve import create_app

    metadata, fitted = read_metadata(model), skrehab.load(model)
    return create_app(
        fitted,
        title=shown(model.resolve().name),
        labels=names_of_model(fitted, metadata, parse_label_names(label_names)),
        frame_rate=metadata.get("frame_rate"),
        rule=CueRule(*rule),
        model_path=model_path,
        max_upload=max_upload,
    )


def _listen(port):
    """Listen on this machine only."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)  # so that the address works from the moment it is printed
    except OSError as error:
        listener.close()
        raise OSError(
            f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}). Choose another with "
            "--port, or --port 0 for a free one."
        ) from error
    return listener
