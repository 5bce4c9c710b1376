"""Motion files of `tbd` and of other programs: Live Link Face, Audio2Face, MediaPipe, spreadsheets, plain arrays.

Works on arrays; `tbd.face.motion.Motion` sits on top of it.

reader          a file of any kind → values and metadata
writer          values and metadata → .npz, Live Link Face's CSV, or a table
file_type       what kind of file it is, by its first bytes
csv_reader      CSV in any dialect → `Table`
json_reader     JSON → `Table`
numpy_reader    NumPy's .npz and .npy → `Table`
table           `Table` → values: units, absent channels, gaps, 25 frames a second
column_names    spellings of the channels
column_orders   which order unnamed columns follow
timestamps      time stamps, time codes and frame numbers → seconds
units           percent and degrees → 0..1 and radians
live_link       Live Link Face's layout, and how its head angles differ from ours
"""

from tbd.face.motion_io.reader import read_motion
from tbd.face.motion_io.writer import SUFFIXES, write_motion

__all__ = ["SUFFIXES", "read_motion", "write_motion"]
