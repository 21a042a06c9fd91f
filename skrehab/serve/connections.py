"""How long a connection may be open for nothing, and how many may be: nobody can take them all.

uvicorn waits for ever for the head of a request, and for a reader of an answer. None of this asks
for the token: whoever can reach the port can open a connection.
"""

from skrehab._optional import require

__all__ = ["server_config"]

MOST_CONNECTIONS = 64
HEAD_SECONDS = 10  # until the head of a request has come
ANSWER_SECONDS = 180  # until an answer is made, and read
MOST_HEAD = 2**16  # bytes
_LOOK_EVERY = 0.5


def server_config(app, **options):
    """Make the configuration of uvicorn that ``skrehab serve`` runs with.

    Parameters
    ----------
    app : fastapi.FastAPI
        From :func:`create_app`.
    **options
        Of ``uvicorn.Config``, in place of those chosen here.

    Returns
    -------
    uvicorn.Config
        At most 64 connections; the one that has been idle longest makes way for a new one. The head
        of a request must come within 10 seconds and be no longer than 64 kB, and an answer be read
        within 180 seconds.

    Raises
    ------
    ImportError
        If uvicorn is not installed.

    Examples
    --------
    >>> import uvicorn
    >>> from skrehab.serve import server_config
    >>> config = server_config(app, host="127.0.0.1", port=8765)  # doctest: +SKIP
    >>> uvicorn.Server(config).run()  # doctest: +SKIP
    """
    uvicorn = require("uvicorn", "serve", "to show the page in a browser")
    chosen = {
        "http": _protocol(),
        "log_level": "warning",
        "access_log": False,  # it would print the token
        "server_header": False,
        "ws": "none",
        "lifespan": "on",
        "timeout_graceful_shutdown": 5,
        "timeout_keep_alive": 5,
        "h11_max_incomplete_event_size": MOST_HEAD,
    }
    return uvicorn.Config(app, **chosen | options)


def _protocol():
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        """One connection, watched."""

        def connection_made(self, transport):
            super().connection_made(transport)
            self._state, self._since = None, self.loop.time()
            there = [one for one in self.connections if not one.transport.is_closing()]
            if len(there) > MOST_CONNECTIONS:
                # the newest is among the idle ones: there is always one to go
                idle = [one for one in there if one.waits_for()[0] == "head"]
                min(idle, key=lambda one: one._since).transport.abort()
            self._watch()

        def waits_for(self):
            """Tell what has to come next: a head, a body that is read as it comes, an answer."""
            cycle = self.cycle
            if self.transport.get_write_buffer_size():
                return "answer", id(cycle)
            if cycle is None or cycle.response_complete:
                return "head", id(cycle)
            # a body has limits of its own, where it is read
            coming = cycle.more_body and not cycle.response_started
            return ("body" if coming else "answer"), id(cycle)

        def _watch(self):
            if self.transport.is_closing() and self.transport.get_write_buffer_size() == 0:
                return
            state = self.waits_for()
            if state != self._state:
                self._state, self._since = state, self.loop.time()
            most = {"head": HEAD_SECONDS, "answer": ANSWER_SECONDS}.get(state[0])
            if most is not None and self.loop.time() - self._since > most:
                self.transport.abort()
            elif self in self.connections:
                self.loop.call_later(_LOOK_EVERY, self._watch)

    return Patient
