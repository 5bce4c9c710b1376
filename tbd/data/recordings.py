"""Real voices for the procedural corpus: folders of recordings, whose sounds a recognizer names.

A model that has heard synthesizers alone learns their habits; a few minutes of a real voice help it with every other one (see
the model card). The recognizer is pocketsphinx (Huggins-Daines et al. 2006), whose model of American English is in its wheel.
English is recognized as words, which are then aligned. Any other language, and English of which no words are made out, is heard
as the English phones nearest to it: on English, a jaw moved by such phones correlates by 0.80 with one moved by aligned words
(24 recordings), which is enough for lips.

Debian's asterisk-core-sounds-{en,es,fr,it,ru}-g722 are such folders, in ``/usr/share/asterisk/sounds``: telephone prompts at
16 kHz, spoken by professionals; CC-BY-SA 3.0, the Russian CC-BY 3.0.
"""

import functools
import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.ndimage import uniform_filter1d

from tbd.data.phones import SILENCE, Phone, from_arpabet, load_phones, merge_silences, save_phones
from tbd.data.sentences import Split
from tbd.data.speech import Delivery, Engine, Speech, Voice, as_speech
from tbd.errors import InputError
from tbd.face.motion import SAMPLE_RATE
from tbd.face.sound import read_wave
from tbd.files import atomic_output
from tbd.workers import spread

SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".g722")

_SHORTEST, _LONGEST = 0.8, 15.0  # seconds of a passage
_FAINTEST = 1e-3  # of a sound's peak, -60 dB: in digital silence a recognizer that starts hears an s
_HZ = 100  # frames a second of the recognizer
_WORST = -20.0  # mean acoustic score a frame under which an alignment is noise; clean prompts have -8 to -16


class Recordings(Engine):
    """Passages that `gather` prepared. A voice's `folder` holds them; what it can say are their names."""

    name = "recorded"

    def voices(self) -> tuple[Voice, ...]:
        """None: recordings are given, not installed."""
        return ()

    def draw(self, voice: Voice, split: Split, rng: np.random.Generator) -> str:
        return str(rng.choice(_passages(voice.folder)))

    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        """Of `delivery` a recording can follow the tract alone, and brings rate and pitch along."""
        return [as_speech(*_load(Path(voice.folder) / name), delivery.tract) for name in sentences]


def recorded_voice(folder: str | os.PathLike, cache: str | os.PathLike) -> Voice:
    """The voice of a folder of recordings, whose passages `gather` puts into `cache`.

    The folder's name is the speaker's, and begins with a language's code (``fr_CA_f_June``), or English is assumed.

    Example:
        >>> recorded_voice("/usr/share/asterisk/sounds/fr_CA_f_June", "corpus/recordings")
        Voice(engine='recorded', name='fr_CA_f_June', language='fr', folder='corpus/recordings/fr_CA_f_June')
    """
    name = Path(folder).resolve().name
    language = match.group(1) if (match := re.match(r"([a-z]{2})([_-]|$)", name)) else "en"
    return Voice(Recordings.name, name, language, str(Path(cache) / name))


def gather(folder: str | os.PathLike, voice: Voice, workers: int = 1) -> None:
    """Prepare the recordings of one speaker: cut them at pauses into passages of up to 15 s, and name their sounds.

    Args:
        folder: sound files, at any depth.
        voice: of `recorded_voice`; its folder gets a wave file and a table of phones for each passage. What is there is kept.
        workers: processes.

    Raises:
        InputError: pocketsphinx is not installed, or there is no speech in the folder.
    """
    source, output = Path(folder).resolve(), Path(voice.folder)
    files = [p for p in sorted(source.rglob("*")) if p.suffix.lower() in SOUNDS]
    if not files:
        raise InputError(f"{folder} holds no recordings; give a folder of sound files ({', '.join(SOUNDS)}) of one speaker.")
    if importlib.util.find_spec("pocketsphinx") is None:
        raise InputError("Recordings need a recognizer: pip install 'tbd[recordings]' (pocketsphinx).")
    output.mkdir(parents=True, exist_ok=True)
    for _ in spread(functools.partial(_prepare, source, output, voice.language == "en"), files, workers):
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
    from tbd.face.media import read_audio

    stem = "-".join(path.relative_to(source).with_suffix("").parts)
    done = output / f"{stem}.done"
    if done.is_file():
        return
    try:
        audio = read_audio(path)
    except InputError:  # silent, empty or broken files are common in collections, and no loss
        audio = np.zeros(0, np.float32)
    for i, piece in enumerate(_pieces(audio)):
        phones = listen(piece, english)
        if phones:
            with atomic_output(output / f"{stem}-{i}.wav") as temporary:
                wavfile.write(temporary, SAMPLE_RATE, np.round(piece * 32767).astype(np.int16))
            save_phones(phones, output / f"{stem}-{i}.csv")
    done.touch()


def _pieces(audio: np.ndarray) -> Iterator[np.ndarray]:
    """Cut at the quietest moment of each second half, so that no word is cut if there is any pause."""
    longest = int(_LONGEST * SAMPLE_RATE)
    while len(audio) > longest:
        power = uniform_filter1d(np.square(audio[:longest]), SAMPLE_RATE // 5)
        cut = longest // 2 + int(power[longest // 2 : longest - SAMPLE_RATE // 5].argmin())
        yield audio[:cut]
        audio = audio[cut:]
    if len(audio) >= _SHORTEST * SAMPLE_RATE:
        yield audio


def listen(audio: np.ndarray, english: bool = True) -> list[Phone]:
    """The phones of a passage, from its start to its end, in IPA; none where no speech is recognized.

    Args:
        audio: (N,) float32 at 16 kHz.
        english: recognize words and align them, where that succeeds; else the nearest English phones.
    """
    if np.abs(audio).max(initial=0) < _FAINTEST:
        return []
    sound = np.round(audio * 32767).astype(np.int16).tobytes()
    heard = (english and _align(sound)) or _spell(sound)
    phones, time, length = [], 0.0, len(audio) / SAMPLE_RATE
    for start, end, name in heard:
        silent = name.lower() == "sil" or name.startswith(("+", "<"))
        if start > time:
            phones.append(Phone(time, start, SILENCE))
        phones.append(Phone(start, min(end, length), *((SILENCE,) if silent else from_arpabet(name))))
        time = min(end, length)
    if not any(p.symbol != SILENCE for p in phones):
        return []
    return merge_silences([*phones, Phone(time, length, SILENCE)])


def _align(sound: bytes) -> list[tuple[float, float, str]]:
    """Words, then their phones' times; none where they do not fit."""
    words, aligner = _decoders()[:2]
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
    speller = _decoders()[2]
    _decode(speller, sound)
    return [(s.start_frame / _HZ, (s.end_frame + 1) / _HZ, s.word) for s in speller.seg() or ()]


def _decode(decoder, sound: bytes) -> None:
    decoder.reinit_feat()  # forget the noise of what was heard before, or a passage's phones would depend on it
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


@functools.cache
def _decoders() -> tuple:
    """For words, for their alignment, for bare phones."""
    from pocketsphinx import Decoder, get_model_path

    phones = Path(get_model_path()) / "en-us-phone.lm.bin"
    common = {"cmn": "batch", "loglevel": "FATAL"}  # else what was heard before changes what is heard next
    bare = Decoder(lm=None, allphone=str(phones), lw=2.0, pip=0.3, beam=1e-20, pbeam=1e-20, **common)
    return Decoder(**common), Decoder(lm=None, **common), bare
