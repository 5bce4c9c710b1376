"""Typed words → a voice, by the speech synthesizers that are installed here."""

from pathlib import Path

from tbd.data.synthetic.engines import ENGINES
from tbd.data.synthetic.speech import Delivery
from tbd.errors import InputError
from tbd.media.wav import write_wave
from tbd.studio.inputs import check_sentence

_SYNTHESIZERS = ("flite", "festival", "espeak")


def voice_names() -> list[str]:
    """List the English voices that can say any sentence, the most natural first."""
    voices = [v for name in _SYNTHESIZERS for e in ENGINES if e.name == name for v in e.voices() if v.language == "en"]
    plain = [str(v) for v in voices if "+" not in v.name]  # espeak's dozens of speakers are for the corpus
    names = plain or [str(v) for v in voices[:8]]
    return sorted(names, key=lambda name: ("slt" not in name, _SYNTHESIZERS.index(name.split("-")[0]), name))


def speak(words: str, voice: str, path: Path) -> None:
    """Say typed words.

    Args:
        words: What to say.
        voice: One of `voice_names`.
        path: The wave file to write, 16 kHz, 16 bits.

    Raises:
        InputError: If there are no words or no such voice.
        TBDError: If the synthesizer fails.
    """
    words = " ".join(check_sentence(words, "The text to speak").split())
    if not any(character.isalnum() for character in words):
        raise InputError("There is nothing to speak: type a sentence.")
    found = [(engine, v) for engine in ENGINES if engine.name in _SYNTHESIZERS for v in engine.voices() if str(v) == voice]
    if not found:
        raise InputError(f"There is no voice {voice} here; choose one of the list.")
    engine, known = found[0]
    audio = engine.speak([words.lstrip("-")], known, Delivery())[0].audio
    if not len(audio):
        raise InputError("The synthesizer said nothing; type words in English letters.")
    write_wave(path, audio)
