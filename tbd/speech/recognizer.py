"""Recognizers: a recording → its phones with times.

What lips do follows from phones. A recognizer that was trained on thousands of real speakers names them alike whoever speaks,
where features of the sound itself differ from voice to voice.
"""

import functools
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tbd.media.rates import SAMPLE_RATE
from tbd.speech.ahead import Passages, recognized_ahead, start_ahead
from tbd.speech.phones import SILENCE, Phone, from_arpabet, merge_silences

LONGEST = 15.0
"""Seconds of a passage that is recognized as one."""

_BRIEFEST = 0.2  # seconds: there is no word in less
_FAINTEST = 1e-3  # of a sound's peak, -60 dB: in digital silence a recognizer that starts hears an s
_HZ = 100  # frames a second of the recognizer
_WORST = -20.0  # mean acoustic score a frame under which an alignment is noise; clean prompts have -8 to -16
_REMEMBERED = 64  # passages, 16 minutes of them: the same recording is often drawn with several plans or seeds


class PhoneRecognizer(ABC):
    """Names the phones of speech in any voice. `name` tells two apart whose phones must not be mixed up."""

    name: str

    @abstractmethod
    def recognize(self, audio: np.ndarray) -> list[Phone]:
        """The phones of a passage, from its start to its end; none where no speech is recognized.

        Args:
            audio: (N,) float32 samples at 16 kHz in −1..1, up to `LONGEST` seconds.

        Returns:
            The phones; silences among them.
        """

    def listen(self, audio: np.ndarray) -> list[Phone]:
        """The phones of a recording of any length, passage by passage; the times are those of the recording."""
        phones: list[Phone] = []
        time = 0.0
        for passage in passages(audio):
            recognized = self.recognize(passage) if len(passage) >= _BRIEFEST * SAMPLE_RATE else []
            length = len(passage) / SAMPLE_RATE
            phones += [p.moved(time) for p in recognized] or [Phone(time, time + length, SILENCE)]
            time += length
        return merge_silences(phones)


class SphinxRecognizer(PhoneRecognizer):
    """pocketsphinx (Huggins-Daines et al. 2006), whose model of American English is in its wheel.

    Args:
        words: Recognize English words and align them, where that succeeds. Otherwise, and in any other language, the English
            phones nearest to the sound: on English, a jaw moved by such phones correlates by 0.80 with one moved by aligned
            words (24 recordings). Words take a quarter of the recording's duration, bare phones a fiftieth.
    """

    def __init__(self, words: bool = True) -> None:
        self.words = words
        self.name = "sphinx-words" if words else "sphinx-phones"

    def recognize(self, audio: np.ndarray) -> list[Phone]:
        """Recognize the phones of a passage; see `PhoneRecognizer.recognize`."""
        if np.abs(audio).max(initial=0) < _FAINTEST:
            return []
        return list(_recognized(_samples(audio), self.words))


def remembers(recognizer: PhoneRecognizer | None, samples: np.ndarray) -> bool:
    """Return whether a recording that is recognized is recognized at once when it is asked for again.

    Args:
        recognizer: What recognizes it.
        samples: (N,) at 16 kHz.

    Returns:
        Whether it is: of long recordings the first passages are forgotten.
    """
    return isinstance(recognizer, SphinxRecognizer) and len(samples) < _REMEMBERED * LONGEST / 2 * SAMPLE_RATE


def recognize_ahead(path: str | os.PathLike) -> None:
    """Let a process of its own recognize the words of a recording that is drawn soon; see `tbd.speech.ahead`.

    Args:
        path: The recording, in any format that FFmpeg reads.
    """
    start_ahead(_recognize_file, path)


def _recognize_file(path: str) -> Passages:
    """The phones of each passage of a recording."""
    from tbd.media import read_audio

    return {sound: _recognized(sound, True) for sound in map(_samples, passages(read_audio(path)))}


def _samples(audio: np.ndarray) -> bytes:
    """The sound as the decoder takes it: 16 bits a sample."""
    return np.round(audio * 32767).astype(np.int16).tobytes()


def passages(audio: np.ndarray) -> Iterator[np.ndarray]:
    """Cut a recording into passages that a recognizer takes.

    Each cut is at the quietest moment of the second half of a passage, so that no word is cut where there is any pause.

    Args:
        audio: (N,) samples at 16 kHz.

    Yields:
        (M,) samples of up to `LONGEST` seconds.
    """
    longest = int(LONGEST * SAMPLE_RATE)
    while len(audio) > longest:
        from scipy.ndimage import uniform_filter1d  # a tenth of a second, for which a process that recognizes ahead would wait

        power = uniform_filter1d(np.square(audio[:longest]), SAMPLE_RATE // 5)
        cut = longest // 2 + int(power[longest // 2 : longest - SAMPLE_RATE // 5].argmin())
        yield audio[:cut]
        audio = audio[cut:]
    if len(audio):
        yield audio


@functools.lru_cache(_REMEMBERED)
def _recognized(sound: bytes, words: bool) -> tuple[Phone, ...]:
    if words and (known := recognized_ahead(sound)) is not None:
        return known
    recognized = (words and _align(sound)) or _spell(sound)
    phones, time, length = [], 0.0, len(sound) / 2 / SAMPLE_RATE
    for start, end, name in recognized:
        if start > time:
            phones.append(Phone(time, start, SILENCE))
        phones.append(Phone(start, min(end, length), *symbol_and_stress(name)))
        time = min(end, length)
    if not any(p.symbol != SILENCE for p in phones):
        return ()
    return tuple(merge_silences([*phones, Phone(time, length, SILENCE)]))


def symbol_and_stress(name: str) -> tuple[str, int]:
    """Read pocketsphinx's name of a phone.

    Args:
        name: ARPAbet, or one of its names of silence and noise.

    Returns:
        IPA symbol, and stress as `tbd.speech.phones.from_arpabet` gives it.
    """
    is_silent = name.lower() == "sil" or name.startswith(("+", "<"))
    return (SILENCE, 0) if is_silent else from_arpabet(name)


def _align(sound: bytes) -> list[tuple[float, float, str]]:
    """Words, then their phones' times; none where they do not fit."""
    words, aligner = _decoder("words"), _decoder("alignment")
    _decode(words, sound)
    said = words.hyp().hypstr.strip() if words.hyp() is not None else ""
    if not said:
        return []
    try:
        aligner.set_align_text(said)
        _decode(aligner, sound)
        aligner.set_alignment()
        _decode(aligner, sound)
    except RuntimeError:  # the words do not fit the sound after all
        return []
    found = [(p.start / _HZ, (p.start + p.duration) / _HZ, p.name, p.score) for word in aligner.get_alignment() or () for p in word]
    frames = sum(end - start for start, end, _, _ in found) * _HZ
    if not found or sum(score for *_, score in found) / max(frames, 1) < _WORST:
        return []
    return [row[:3] for row in found]


def _spell(sound: bytes) -> list[tuple[float, float, str]]:
    speller = _decoder("phones")
    _decode(speller, sound)
    return [(s.start_frame / _HZ, (s.end_frame + 1) / _HZ, s.word) for s in speller.seg() or ()]


def _decode(decoder, sound: bytes) -> None:
    decoder.reinit_feat()  # forget the noise of earlier recordings, or a passage's phones would depend on it
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


@functools.cache
def _decoder(kind: Literal["words", "alignment", "phones"]):
    """They take a second to load, so only those that are asked for are."""
    from pocketsphinx import Decoder

    common = {"cmn": "batch", "loglevel": "FATAL"}  # else one recording changes the result of the next
    if kind == "words":
        return Decoder(**common)
    if kind == "alignment":
        return Decoder(lm=None, **common)
    return phone_decoder()


def phone_decoder() -> Any:
    """Load a new decoder of bare phones: a loop over all of them, with a language model of phones."""
    from pocketsphinx import Decoder, get_model_path

    model = str(Path(get_model_path()) / "en-us-phone.lm.bin")
    return Decoder(lm=None, allphone=model, lw=2.0, pip=0.3, beam=1e-20, pbeam=1e-20, cmn="batch", loglevel="FATAL")
