"""Makes the portraits and recordings of the protocol ``portraits-v1``: what may ship, from packages that tbd requires anyway.

The portraits are works of the United States' government, which are in the public domain: Eileen Collins by NASA (in scikit-image) and Grace
Hopper by the US Navy (in matplotlib). A voice of flite 2.2 of Debian 12 says a sentence; it is kept in the package, since other versions
speak otherwise.

    python -m benchmarks.portraits_test --output tbd/assets/portraits_test
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from benchmarks.common import run
from benchmarks.procedural_test import write_flac
from tbd.errors import InputError, TBDError
from tbd.evaluation.references.portrait import PortraitReference
from tbd.media.rates import SAMPLE_RATE
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names

SENTENCES = {"slt": "The map of the bay was published by my brother."}
"""Voice of flite → what it says: a sentence of our own that closes the lips often. One is enough to be measured in minutes on two cores."""


def portraits() -> dict[str, np.ndarray]:
    """Name → (H, W, 3) uint8."""
    import matplotlib.cbook
    import skimage.data
    from PIL import Image

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = np.asarray(Image.open(file).convert("RGB"))
    return {"collins": skimage.data.astronaut(), "hopper": hopper}


def speech(voice: str, text: str) -> np.ndarray:
    """(N,) int16 at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        done = subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], capture_output=True, text=True)
        if done.returncode:
            raise TBDError(f"flite could not say it: {done.stderr.strip()}")
        rate, audio = wavfile.read(path)
    if rate != SAMPLE_RATE:
        raise TBDError(f"flite's voice {voice} speaks at {rate} Hz, not {SAMPLE_RATE}.")
    return audio


def portraits_test(output: Path) -> None:
    """Write portraits and recordings.

    Args:
        output: an empty folder.
    """
    from PIL import Image

    if (output / "portraits").is_dir() and any((output / "portraits").iterdir()):
        raise InputError(f"{output} holds portraits already; a protocol depends on them. Name an empty folder.")
    for name, picture in portraits().items():
        with atomic_output(output / "portraits" / f"{name}.jpg") as temporary:
            Image.fromarray(picture).save(temporary, quality=95)
    for voice, text in SENTENCES.items():
        write_flac(output / "speech" / f"{voice}.flac", speech(voice, text))
    reference = PortraitReference(str(output))
    clips = reference.clips()
    print(f"clips {len(clips)}, seconds {sum(clip.frames() for clip in clips) / 25:.1f}")
    print(f"names {checksum_of_names(clip.id for clip in clips)}\ncontent {reference.content()}")


if __name__ == "__main__":
    run(portraits_test, many=None)
