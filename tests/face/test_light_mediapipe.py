"""MediaPipe starts without what it needs for plots, and can plot all the same."""

import subprocess
import sys

_PROGRAM = """
import sys
from tbd.face.tracker import FaceMeshTracker
from tbd.media import read_image
from tbd.utils.sample_inputs import PORTRAIT
FaceMeshTracker().locate(read_image(PORTRAIT))
print("mediapipe" in sys.modules, [name for name in ("matplotlib", "sounddevice", "torch") if name in sys.modules])

from mediapipe.python.solutions import drawing_utils
import matplotlib
matplotlib.use("agg")
print(drawing_utils.plt.figure(figsize=(1, 1)).get_size_inches().tolist(), sys.modules["matplotlib.pyplot"].__name__)
"""


def test_a_face_is_found_without_matplotlib_which_is_whole_afterwards():
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines() == ["True []", "[1.0, 1.0] matplotlib.pyplot"], done.stderr
