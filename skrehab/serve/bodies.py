"""Read the body of a request, as long as it keeps coming."""

import asyncio

from .guard import too_large

__all__ = ["LEAST_RATE", "QUIET_SECONDS", "SLOW_SECONDS", "BadUpload", "pieces"]

QUIET_SECONDS = 10.0  # longest without a byte
SLOW_SECONDS = 20.0  # what a body may take beside its size over the least rate
LEAST_RATE = 2**16  # bytes a second


class BadUpload(Exception):
    """A video or picture that is not taken.

    Parameters
    ----------
    status : int
        HTTP status.
    message : str
        What came, and what to do.
    """

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


async def pieces(request, most_bytes):
    """Yield the body of a request piece by piece.

    Parameters
    ----------
    request : starlette.requests.Request
        The request.
    most_bytes : int
        What is refused as too large, however it comes.

    Yields
    ------
    bytes
        The next piece.

    Raises
    ------
    BadUpload
        With status 413 if it is too large; with status 408 if nothing comes for `QUIET_SECONDS`, or
        less than `LEAST_RATE` on average after `SLOW_SECONDS`. Whoever stops sending would
        otherwise keep a place in the line for ever.
    """
    stream, size = request.stream(), 0
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        left = began + SLOW_SECONDS + size / LEAST_RATE - clock()
        try:
            async with asyncio.timeout(max(0, min(QUIET_SECONDS, left))):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise BadUpload(
                408,
                f"It came too slowly: {size} bytes in {clock() - began:.0f} s. At least "
                f"{LEAST_RATE // 1024} kB a second must come, and never nothing for "
                f"{QUIET_SECONDS:g} s. Send it again.",
            ) from None
        size += len(piece)
        if size > most_bytes:
            raise BadUpload(413, too_large(size, most_bytes))
        if piece:
            yield piece
