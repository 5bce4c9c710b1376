"""The registry of speech: the synthesizers that Debian packages, and recordings."""

from tbd.data.synthetic.espeak import Espeak
from tbd.data.synthetic.recordings import Recordings
from tbd.data.synthetic.speech import Engine, Voice
from tbd.data.synthetic.synthesizers import Festival, Flite
from tbd.errors import InputError

DEBIAN_PACKAGES = ("flite", "espeak-ng", "festival", "festvox-us-slt-hts", "festvox-kallpc16k", "festvox-kdlpc16k")
"""What ``apt-get install`` brings every voice of `find_voices`."""
ENGINES: tuple[Engine, ...] = (Flite(), Espeak(), Festival(), Recordings())


def engine_of(voice: Voice) -> Engine:
    """Find the engine that speaks with `voice`."""
    return next(e for e in ENGINES if e.name == voice.engine)


def find_voices() -> tuple[Voice, ...]:
    """List every voice that is installed here.

    Returns:
        The voices, by engine.

    Raises:
        InputError: If there is none.
    """
    found = tuple(v for engine in ENGINES for v in engine.voices())
    if not found:
        raise InputError(f"No speech synthesizer is installed; run: apt-get install {' '.join(DEBIAN_PACKAGES)}")
    return found
