"""A page in the browser: choose a video or the camera, and see skeleton, scores and cue.

The server listens on this machine only, answers nobody without the token of this start, and keeps
no video: what is uploaded lies in a private folder while it is analysed. Start it with ``skrehab
serve MODEL``; :func:`create_app` gives the application to those who run a server of their own.
Names are loaded on first use: every ``skrehab`` command looks in here, and few need torch.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "Busy": "jobs",
        "Desk": "jobs",
        "analyse_video": "analysis",
        "create_app": "app",
        "create_label_app": "labelling",
        "describe_model": "analysis",
        "server_config": "connections",
    },
)
