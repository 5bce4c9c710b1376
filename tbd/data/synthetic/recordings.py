"""Real voices for the procedural corpus: folders of recordings, whose phones are recognized.

A model that is trained on synthesizers alone learns their habits; a few minutes of a real voice help it with every other one.
Their texts are not known; `tbd.speech.recognizer.SphinxRecognizer` recognizes their phones.

Debian's asterisk-core-sounds-{en,es,fr,it,ru}-g722 are such folders, in ``/usr/share/asterisk/sounds``: telephone prompts at
16 kHz, spoken by professionals; CC-BY-SA 3.0, the Russian CC-BY 3.0.
"""

import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tbd.data.splits import Split
from tbd.data.synthetic.speech import Delivery, Engine, Speech, Voice, as_speech
from tbd.errors import InputError
from tbd.media.rates import SAMPLE_RATE
from tbd.media.wav import read_wave, write_wave
from tbd.speech.phones import Phone, load_phones, save_phones
from tbd.speech.recognizer import SphinxRecognizer, passages
from tbd.utils.atomic import atomic_output
from tbd.utils.jobs.multiprocessing import parallel_map

_SHORTEST = 0.8  # seconds of a passage; of less nothing can be learnt

SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".g722")


class Recordings(Engine):
    """Passages that `gather` prepared. A voice's `folder` holds them; the texts that it can say are their names."""

    name = "recorded"

    def voices(self) -> tuple[Voice, ...]:
        """List none: recordings are given, not installed."""
        return ()

    def sample_text(self, voice: Voice, split: Split, rng: np.random.Generator) -> str:
        """Choose a passage.

        Args:
            voice: Whose passage.
            split: Not used, since recordings belong to training alone.
            rng: Source of randomness.

        Returns:
            Name of the passage.
        """
        return str(rng.choice(_passages(voice.folder)))

    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        """Load passages.

        Args:
            sentences: Their names.
            voice: Whose passages.
            delivery: How to say them; a recording can follow the tract alone.

        Returns:
            One `Speech` per passage.
        """
        return [as_speech(*_load(Path(voice.folder) / name), delivery.tract) for name in sentences]


def recorded_voice(folder: str | os.PathLike, cache: str | os.PathLike) -> Voice:
    """Name the voice of a folder of recordings.

    The folder's name is the speaker's, and begins with a language's code (``fr_CA_f_June``), or English is assumed.

    Args:
        folder: The recordings.
        cache: Where `gather` puts their passages.

    Returns:
        The voice.

    Example:
        >>> recorded_voice("/usr/share/asterisk/sounds/fr_CA_f_June", "corpus/recordings")
        Voice(engine='recorded', name='fr_CA_f_June', language='fr', folder='corpus/recordings/fr_CA_f_June')
    """
    name = Path(folder).resolve().name
    language = match.group(1) if (match := re.match(r"([a-z]{2})([_-]|$)", name)) else "en"
    return Voice(Recordings.name, name, language, str(Path(cache) / name))


def gather(folder: str | os.PathLike, voice: Voice, workers: int = 1) -> None:
    """Prepare the recordings of one speaker: cut them at pauses into passages of up to 15 s, and recognize their phones.

    Args:
        folder: Sound files, at any depth.
        voice: What `recorded_voice` named; its folder gets a wave file and a table of phones for each passage. What is there is kept.
        workers: Number of processes.

    Raises:
        InputError: If there is no speech in the folder.
    """
    source, output = Path(folder).resolve(), Path(voice.folder)
    files = [p for p in sorted(source.rglob("*")) if p.suffix.lower() in SOUNDS]
    if not files:
        raise InputError(f"{folder} holds no recordings; give a folder of sound files ({', '.join(SOUNDS)}) of one speaker.")
    output.mkdir(parents=True, exist_ok=True)
    for _ in parallel_map(functools.partial(_prepare, source, output, voice.language == "en"), files, workers):
        pass
    _passages.cache_clear()
    if not _passages(voice.folder):
        raise InputError(f"No speech was recognized in the {len(files)} recordings of {folder}.")


@functools.cache
def _passages(folder: str) -> tuple[str, ...]:
    return tuple(sorted(p.stem for p in Path(folder).glob("[!.]*.csv")))  # no temporary ones, of a run that was killed


def _load(path: Path) -> tuple[np.ndarray, int, list[Phone]]:
    return read_wave(path.with_suffix(".wav")), SAMPLE_RATE, load_phones(path.with_suffix(".csv"))


def _prepare(source: Path, output: Path, english: bool, path: Path) -> None:
    """Write the passages of one recording; ``.done`` is written last, so that an interrupted run goes on."""
    from tbd.media import read_audio

    stem = "-".join(path.relative_to(source).with_suffix("").parts)
    done = output / f"{stem}.done"
    if done.is_file():
        return
    try:
        audio = read_audio(path)
    except InputError:  # silent, empty or broken files are common in collections, and no loss
        audio = np.zeros(0, np.float32)
    recognizer = SphinxRecognizer(words=english)
    for i, piece in enumerate(passages(audio)):
        phones = recognizer.recognize(piece) if len(piece) >= _SHORTEST * SAMPLE_RATE else []
        if phones:
            with atomic_output(output / f"{stem}-{i}.wav") as temporary:
                write_wave(temporary, piece)
            save_phones(phones, output / f"{stem}-{i}.csv")
    done.touch()
