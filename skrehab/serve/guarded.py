"""What every application here has: the guard at the door, errors as JSON, and its page."""

import re
import secrets
from importlib.resources import files

from skrehab._optional import require

from .bodies import BadUpload
from .guard import Guard
from .jobs import Busy

__all__ = ["add_page", "check_token", "guarded_app"]


def check_token(token):
    """Return a token, or draw one.

    Parameters
    ----------
    token : str or None
        What a request must know; None draws one.

    Returns
    -------
    str
        The token.

    Raises
    ------
    ValueError
        If it is short, or not of letters and digits.
    """
    token = secrets.token_urlsafe(32) if token is None else token
    if not re.fullmatch(r"[\w-]{16,}", token, flags=re.ASCII):
        raise ValueError("token must be at least 16 letters, digits, - or _, hard to guess.")
    return token


def guarded_app(token, most_bytes, lifespan=None):
    """Build an application without a route, which refuses whoever is not its own page.

    Parameters
    ----------
    token : str
        What a request must know. It is in ``app.state.token``.
    most_bytes : int
        Largest body of a request.
    lifespan : async context manager, optional
        What runs as long as it does.

    Returns
    -------
    fastapi.FastAPI
        The application.
    """
    fastapi = require("fastapi", "serve", "to show the page in a browser")
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.requests import ClientDisconnect

    app = fastapi.FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan
    )
    app.state.token = token
    app.add_middleware(Guard, token=token, most_bytes=most_bytes)

    def refuse(status, message, **headers):
        return JSONResponse({"error": message}, status, headers)

    @app.exception_handler(BadUpload)
    async def bad_upload(request, error):
        # what is still on its way is not read
        return refuse(error.status, str(error), connection="close")

    @app.exception_handler(Busy)
    async def busy(request, error):
        return refuse(503, str(error), connection="close", **{"retry-after": "5"})

    @app.exception_handler(RequestValidationError)
    async def not_understood(request, error):
        first = error.errors()[0]
        what = ".".join(str(part) for part in first["loc"])
        return refuse(422, f"{what} cannot be used: {first['msg']}.")

    @app.exception_handler(ClientDisconnect)
    async def gone(request, error):
        return refuse(400, "The upload broke off.", connection="close")

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def not_there(request, error):
        what = f"{request.method[:20]} {request.scope['path'][:80]}"
        return refuse(error.status_code, f"There is no {what} here.")

    return app


def add_page(app, index, kinds):
    """Add the routes of a page: these files and no others, looked up here, never on the disk.

    Parameters
    ----------
    app : fastapi.FastAPI
        From :func:`guarded_app`; its token is put into `index`.
    index : str
        Name of the page itself, a file in ``page/``.
    kinds : dict of str to str
        Media types of the files that it asks for, by name.
    """
    from fastapi.responses import Response

    page = {
        name: files(__package__).joinpath("page", name).read_bytes() for name in (index, *kinds)
    }
    page[index] = page[index].replace(b"{{token}}", app.state.token.encode())

    @app.get("/")
    def whole():
        return Response(page[index], media_type="text/html")

    @app.get("/page/{name}")
    def part(name: str):
        if name not in kinds:
            raise BadUpload(404, f"There is no {name[:80]} here.")
        return Response(page[name], media_type=kinds[name])
