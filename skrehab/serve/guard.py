"""Who may ask: only a page of this server, on this machine, that knows the token of this start.

Browsers let any web site send requests to 127.0.0.1. So the Host must be a name of this machine
(a site that points its own name here, DNS rebinding, gives itself away), the Origin must be this
server, and the token must be right. Pages and pictures take it from the address, everything else
from a header, which no other site can set. There are no cookies, so there is nothing to borrow.
"""

import hmac
import json
from urllib.parse import parse_qs, urlsplit

__all__ = ["HEADERS", "LOCAL_HOSTS", "TOKEN_HEADER", "Guard", "refusal"]

TOKEN_HEADER = "x-skrehab-token"
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
}


def refusal(path, query, headers, token, most_bytes):
    """Tell why a request is refused.

    Parameters
    ----------
    path : str
        Its path.
    query : str
        What comes after the question mark.
    headers : dict of str to str
        Its headers, with names in lower case.
    token : str
        The token of this start.
    most_bytes : int
        Largest body that any request may have.

    Returns
    -------
    (int, str) or None
        HTTP status and reason; None if it may pass.

    Examples
    --------
    >>> from skrehab.serve.guard import refusal
    >>> refusal("/", "token=abc", {"host": "localhost:8765"}, "abc", 10)
    >>> refusal("/", "token=abc", {"host": "example.org"}, "abc", 10)[0]
    403
    >>> refusal("/", "", {"host": "localhost:8765"}, "abc", 10)[0]
    401
    """
    host = headers.get("host", "")
    if _host_name(host) not in LOCAL_HOSTS:
        return 403, (
            f"This server is called 127.0.0.1 or localhost, not {host[:80]!r}. Open the address "
            "that 'skrehab serve' printed."
        )
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return 403, f"Pages of {origin[:80]!r} may not use this server."
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return 403, "Other sites may not use this server."
    if path.startswith("/api/"):
        given = headers.get(TOKEN_HEADER, "")
    else:
        given = parse_qs(query).get("token", [""])[0]
    # compared as bytes: text beyond ASCII is refused by compare_digest
    if not hmac.compare_digest(given.encode(), token.encode()):
        return 401, (
            "The token is missing or wrong. Open the whole address that 'skrehab serve' printed; "
            "it changes with every start."
        )
    length = headers.get("content-length")
    # int() of thousands of digits raises
    if length is not None and (
        not length.isdecimal() or len(length) > 18 or int(length) > most_bytes
    ):
        return 413, too_large(length[:18], most_bytes)
    return None


def too_large(came, most_bytes):
    """Say that a body is too large.

    Parameters
    ----------
    came : int or str
        Its size in bytes, as far as it is known.
    most_bytes : int
        The limit.

    Returns
    -------
    str
        A sentence that says what to do.
    """
    size = f"{int(came) / 2**20:.0f} MB" if str(came).isdecimal() else str(came)[:20]
    return (
        f"The upload of {size} or more is larger than {most_bytes / 2**20:.0f} MB. Cut the video, "
        "or start 'skrehab serve' with a larger --max-upload."
    )


def _host_name(host):
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


class Guard:
    """Let pass what `refusal` has nothing against, and put the headers on every answer.

    Parameters
    ----------
    app : ASGI application
        What it guards.
    token : str
        The token of this start.
    most_bytes : int
        Largest body of a request.
    """

    def __init__(self, app, token, most_bytes):
        self.app, self.token, self.most_bytes = app, token, most_bytes

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":  # there are none here
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        headers, twice = {}, False
        for name, value in scope["headers"]:
            name = name.decode("latin-1").lower()
            twice |= name in headers and name in ("host", "origin", TOKEN_HEADER)
            headers[name] = value.decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        refused = refusal(scope["path"], query, headers, self.token, self.most_bytes)
        if twice:
            refused = 400, "A header came twice."
        if refused is None:
            await self.app(scope, receive, send_with_headers)
            return
        status, reason = refused
        body = json.dumps({"error": reason}).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        head.append((b"connection", b"close"))  # its body, if any, is not waited for
        await send_with_headers({"type": "http.response.start", "status": status, "headers": head})
        await send_with_headers({"type": "http.response.body", "body": body})
