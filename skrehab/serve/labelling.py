"""The labelling page: play a trial, one key a label, marks for segments, saved as it goes."""

import json
import mimetypes
import threading

import skrehab
from skrehab._optional import require
from skrehab.datasets.label_sheet import MOST_TEXT, TEXTS, LabelSheet

from .bodies import BadUpload, pieces
from .guarded import add_page, check_token, guarded_app

__all__ = ["create_label_app"]

_KINDS = {"style.css": "text/css", "label.css": "text/css", "label.js": "text/javascript"}
MOST_LABELS = 9  # a key each
_MOST_BYTES = 2**18


def create_label_app(manifest, labels=("usual", "compensation"), *, token=None):
    """Build the application that ``skrehab serve --label`` runs.

    Parameters
    ----------
    manifest : str or path-like
        The manifest, a ``.csv``, as ``skrehab pose --manifest`` writes it.
    labels : sequence of str, default=("usual", "compensation")
        Labels in the order of the keys 1 to 9; the first one is the usual movement.
    token : str, optional
        What a request must know; None draws one. It is in ``app.state.token``.

    Returns
    -------
    fastapi.FastAPI
        Run it on 127.0.0.1: the traffic is not encrypted.

    Raises
    ------
    ValueError
        If the manifest cannot be read, or there are not two to nine labels, each of its own.

    Examples
    --------
    >>> from skrehab.serve import create_label_app, server_config
    >>> app = create_label_app("trials.csv")  # doctest: +SKIP
    >>> uvicorn.Server(server_config(app, port=8765)).run()  # doctest: +SKIP
    """
    require("fastapi", "serve", "to show the page in a browser")
    from fastapi import Request  # routes are read by their annotations
    from fastapi.responses import FileResponse

    labels = [str(one).strip() for one in labels]
    if not 2 <= len(labels) <= MOST_LABELS or len(set(labels)) < len(labels) or "" in labels:
        raise ValueError(f"There must be 2 to {MOST_LABELS} labels, all different, got {labels}.")
    if any(len(one) > MOST_TEXT or not one.isprintable() for one in labels):
        raise ValueError(f"Labels must be printable, at most {MOST_TEXT} characters, got {labels}.")
    sheet, lock = LabelSheet(manifest), threading.Lock()
    if not sheet.rows:
        raise ValueError(f"{manifest}: there is no trial under the header.")
    for number in range(len(sheet.rows)):
        sheet.intervals(number)  # what cannot be read is said now
    app = guarded_app(check_token(token), _MOST_BYTES)
    add_page(app, "label.html", _KINDS)

    def known(number):
        if not 0 <= number < len(sheet.rows):
            raise BadUpload(404, f"There is no trial {number} in {sheet.path.name}.")
        return number

    def told(number):
        row = sheet.rows[number]
        return {
            "number": number,
            "trial": row["trial"],
            **{name: row[name] for name in TEXTS},
            "intervals": [list(one) for one in sheet.intervals(number)],
            "video": sheet.video(number) is not None,
        }

    @app.get("/api/trials")
    def trials():
        try:
            with lock:
                sheet.refresh()  # a spreadsheet program may have written it
                rows = [told(number) for number in range(len(sheet.rows))]
            if not rows:
                raise ValueError(f"{sheet.path.name}: there is no trial under the header.")
        except (ValueError, OSError) as error:
            raise BadUpload(409, str(error)) from error
        return {
            "manifest": sheet.path.name,
            "version": skrehab.__version__,
            "labels": labels,
            "trials": rows,
        }

    @app.get("/videos/{number}")
    def video(number: int):
        file = sheet.video(known(number))
        if file is None:
            raise BadUpload(404, "This trial has no video here.")
        kind = mimetypes.guess_type(file.name)[0]
        return FileResponse(file, media_type=kind or "application/octet-stream")

    @app.put("/api/trials/{number}")
    async def change(request: Request, number: int):
        body = bytearray()
        async for piece in pieces(request, _MOST_BYTES):
            body += piece
        given = _change_of(bytes(body), labels)
        was = given.pop("was", {})
        try:
            with lock:
                now = told(known(number))
                if any(now[name] != value for name, value in was.items()):
                    raise ValueError(
                        f"{now['trial']} was changed in another window meanwhile, so this change "
                        "was not saved. What stands there now is shown: change it again if need be."
                    )
                sheet.change(number, **given)
                return told(number)
        except (ValueError, OSError) as error:
            raise BadUpload(409, str(error)) from error

    return app


def _change_of(body, labels):
    """What a request wants changed, checked; ``was`` is what its page took to stand there."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise BadUpload(422, "The body is no JSON.") from None
    fields = {*TEXTS, "intervals"}
    if not isinstance(given, dict) or not given.keys() <= fields | {"was"}:
        raise BadUpload(422, f"The body must be an object of {', '.join(TEXTS)} and intervals.")
    was = given.get("was", {})
    if not isinstance(was, dict) or not was.keys() <= fields | {"trial"}:
        raise BadUpload(422, f"was must be an object of trial, {', '.join(TEXTS)} and intervals.")
    for name in TEXTS:
        if name in given and not isinstance(given[name], str):
            raise BadUpload(422, f"{name} must be a text.")
    if given.get("label", "") not in ("", *labels):
        raise BadUpload(422, f"label must be one of {labels}, or empty.")
    if "intervals" in given:
        rows = given["intervals"]
        if not isinstance(rows, list) or not all(_is_interval(row) for row in rows):
            raise BadUpload(422, "intervals must be a list of [start, stop, label].")
    return given


def _is_interval(row):
    return (
        isinstance(row, list)
        and len(row) == 3
        and all(isinstance(one, int | float) and not isinstance(one, bool) for one in row[:2])
        and isinstance(row[2], str)
    )
