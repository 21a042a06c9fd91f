"""A page in the browser: choose a video or the camera, and see skeleton, scores and cue.

The server listens on this machine only, answers nobody without the token of this start, and keeps
no video: what is uploaded lies in a private folder while it is analysed. Start it with ``skrehab
serve MODEL``; :func:`create_app` gives the application to those who run a server of their own.
Names are loaded on first use: every ``skrehab`` command looks in here, and few need torch.
"""

import importlib

# public name -> module that holds it
_PUBLIC = {
    "Busy": "jobs",
    "Desk": "jobs",
    "analyse_video": "analysis",
    "create_app": "app",
    "describe_model": "analysis",
    "server_config": "connections",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
