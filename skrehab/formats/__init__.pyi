# Made by .ci/stubs.py from __init__.py: run it again after a change there.

from skrehab.formats.poses import PoseFile as PoseFile
from skrehab.formats.intervals import read_intervals as read_intervals
from skrehab.formats.tables import read_long_table as read_long_table
from skrehab.formats.poses import read_pose as read_pose
from skrehab.formats.intervals import write_intervals as write_intervals
from skrehab.formats.tables import write_long_table as write_long_table
from skrehab.formats.poses import write_pose as write_pose
