"""`scipy.signal` starts without `scipy.stats`, and has it where it is used."""

import subprocess
import sys

_PROGRAM = """
import sys
from tbd.utils.scipy_signal import find_peaks
print(find_peaks([0, 1, 0, 3, 0], prominence=2)[0], "scipy.stats" in sys.modules)

import numpy as np
from scipy import signal
print(signal.find_peaks_cwt(np.sin(np.linspace(0, 20, 200)), [10]).tolist(), "scipy.stats" in sys.modules)
"""


def test_statistics_are_imported_when_they_are_used():
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["[3] False", "[18, 79, 141, 195] True"], done.stderr
