# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.serve.jobs import Busy as Busy
from skrehab.serve.jobs import Desk as Desk
from skrehab.serve.analysis import analyse_video as analyse_video
from skrehab.serve.app import create_app as create_app
from skrehab.serve.labelling import create_label_app as create_label_app
from skrehab.serve.analysis import describe_model as describe_model
from skrehab.serve.connections import server_config as server_config
