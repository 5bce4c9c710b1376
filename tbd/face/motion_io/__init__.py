"""Motion files of other programs: Live Link Face, Audio2Face, MediaPipe, spreadsheets, plain arrays.

sniffing   what kind of file it is, by its first bytes
text       CSV in any dialect → `Table`
documents  JSON → `Table`
arrays     NumPy's .npz and .npy → `Table`
names      spellings of the channels
clock      time stamps, time codes and frame numbers → seconds
table      `Table` → `Motion`: units, absent channels, gaps, 25 frames a second
livelink   Live Link Face's layout, and how its head angles differ from ours
"""

from tbd.face.motion_io.reading import read_motion
from tbd.face.motion_io.writing import SUFFIXES, write_motion

__all__ = ["SUFFIXES", "read_motion", "write_motion"]
