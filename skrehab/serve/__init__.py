"""A page in the browser: choose a video or the camera, and see skeleton, scores and cue.

The server listens on this machine only, answers nobody without the token of this start, and keeps
no video: what is uploaded lies in a private folder while it is analysed. Start it with ``skrehab
serve MODEL``; :func:`create_app` gives the application to those who run a server of their own.
"""

from .analysis import analyse_video, describe_model
from .app import create_app
from .jobs import Busy, Desk

__all__ = ["Busy", "Desk", "analyse_video", "create_app", "describe_model"]
