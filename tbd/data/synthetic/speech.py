"""Synthetic speech whose phones are known to the millisecond, from the engines that Debian packages.

flite prints the end time of every phone, festival keeps them in its utterance, and espeak-ng reports each as an event. Only
numpy and scipy are needed, and any engine may be absent. That the times fit the sound is tested in
`tests/data/synthetic/test_speech.py`.
"""

import _ctypes
import ctypes
import os
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from tbd.data.synthetic.sentences import Split, draw_sentence
from tbd.errors import InputError, TBDError
from tbd.media.rates import SAMPLE_RATE
from tbd.speech.phones import SILENCE, Phone, from_arpabet, merge_silences

DEBIAN_PACKAGES = ("flite", "espeak-ng", "festival", "festvox-us-slt-hts", "festvox-kallpc16k", "festvox-kdlpc16k")
"""What ``apt-get install`` brings every voice below."""

_SECONDS = 60
"""An engine that takes longer for a few sentences hangs."""


@dataclass(frozen=True)
class Voice:
    """One voice of one engine, which speaks one language (an ISO 639 code); of a recorded voice, where its passages are."""

    engine: str
    name: str
    language: str = "en"
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.engine}-{self.name}"


@dataclass(frozen=True)
class Delivery:
    """How a voice speaks.

    Args:
        rate: words a minute, relative to the voice's own; 1 is its own.
        pitch: semitones above the voice's own.
        melody: range of the intonation, relative to the voice's own.
        tract: length of the vocal tract, relative to the voice's own: above 1 a larger speaker with lower formants.
    """

    rate: float = 1.0
    pitch: float = 0.0
    melody: float = 1.0
    tract: float = 1.0


@dataclass(frozen=True)
class Speech:
    """Sound, (N,) float32 in -1..1 at 16 kHz mono, and its phones from start to end."""

    audio: np.ndarray
    phones: tuple[Phone, ...]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.audio) / SAMPLE_RATE


class Engine(ABC):
    """A speech synthesizer that tells when each phone sounds. `name` is the first word of its voices' names."""

    name: str

    @abstractmethod
    def voices(self) -> tuple[Voice, ...]:
        """The voices that are installed; none where the engine is absent. Must not raise."""

    def draw(self, voice: Voice, split: Split, rng: np.random.Generator) -> str:
        """A sentence that `voice` can say and that belongs to `split`."""
        return draw_sentence(voice.language, split, rng)

    @abstractmethod
    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        """One `Speech` per sentence.

        Raises:
            TBDError: the engine failed.
        """


class Flite(Engine):
    """CMU Flite (Black and Lenzo 2001). Its voices are built from recordings of real speakers."""

    name = "flite"
    _PITCH: ClassVar = {"slt": 172.0, "rms": 96.0, "awb": 128.0, "kal": 105.0, "kal16": 105.0}  # hertz, measured on their own speech

    def voices(self) -> tuple[Voice, ...]:
        if not shutil.which("flite"):
            return ()
        listed = _call(["flite", "-lv"]).stdout.partition(":")[2].split()
        return tuple(Voice(self.name, v) for v in self._PITCH if v in listed)

    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        return [self._sentence(text, voice, delivery) for text in sentences]

    def _sentence(self, text: str, voice: Voice, delivery: Delivery) -> Speech:
        # `tract` changes the speed by resampling, so what the engine speaks is faster and lower by as much.
        pitch = self._PITCH[voice.name] * 2 ** (delivery.pitch / 12) * delivery.tract
        with tempfile.TemporaryDirectory(prefix="tbd-speech-") as folder:
            wav = f"{folder}/speech.wav"
            settings = {"int_f0_target_mean": pitch, "int_f0_target_stddev": 0.12 * pitch * delivery.melody,
                        "duration_stretch": 1 / (delivery.rate * delivery.tract)}  # fmt: skip
            options = [o for k, v in settings.items() for o in ("--setf", f"{k}={v:.4f}")]
            printed = _call(["flite", "-voice", voice.name, *options, "-psdur", "-t", text, "-o", wav]).stdout
            audio, rate = _read_wav(wav)
        phones, start = [], 0.0
        for entry in printed.split():
            name, _, end = entry.rpartition(":")
            phones.append(Phone(start, float(end), *from_arpabet(name)))
            start = float(end)
        return as_speech(audio, rate, phones, delivery.tract)


class Festival(Engine):
    """Festival (Black, Taylor and Caley): an HMM voice and diphone voices of American English."""

    name = "festival"
    # The name, and the mean and deviation of its pitch in hertz. The HMM voice has no such setting.
    _VOICES: ClassVar = {"cmu_us_slt_arctic_hts": None, "kal_diphone": (105, 14), "ked_diphone": (110, 14)}
    _SCRIPT = """(voice_{voice}){prosody}
(define (speak text name)
  (let ((utt (utt.synth (eval (list 'Utterance 'Text text)))))
    (utt.save.wave utt (string-append name ".wav") 'riff)
    (let ((file (fopen (string-append name ".txt") "w")))
      (mapcar (lambda (s) (format file "%s %f\\n" (item.name s) (item.feat s "end"))) (utt.relation.items utt 'Segment))
      (fclose file))))
"""

    def voices(self) -> tuple[Voice, ...]:
        if not shutil.which("festival"):
            return ()
        # festival's own list costs a start; the folders say the same.
        roots = [Path(p) for p in ("/usr/share/festival/voices", os.environ.get("FESTIVAL_VOICES", "")) if p]
        installed = {p.name for root in roots if root.is_dir() for p in root.glob("*/*")}
        return tuple(Voice(self.name, v) for v in self._VOICES if v in installed)

    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        with tempfile.TemporaryDirectory(prefix="tbd-speech-") as folder:
            lines = [self._SCRIPT.format(voice=voice.name, prosody=self._prosody(voice, delivery))]
            for i, text in enumerate(sentences):
                quoted = text.replace("\\", "").replace('"', "")
                lines.append(f'(speak "{quoted}" "{folder}/{i}")')
            script = Path(folder, "speak.scm")
            script.write_text("\n".join(lines), encoding="utf-8")
            _call(["festival", "-b", str(script)])
            return [self._read(Path(folder, str(i)), delivery) for i in range(len(sentences))]

    def _prosody(self, voice: Voice, delivery: Delivery) -> str:
        stretch = 1 / (delivery.rate * delivery.tract)
        if self._VOICES[voice.name] is None:
            return ""  # the HMM decides; rate comes from `_read`
        mean, deviation = self._VOICES[voice.name]
        mean *= 2 ** (delivery.pitch / 12) * delivery.tract
        return (f"(Parameter.set 'Duration_Stretch {stretch:.4f})"
                f"(set! int_lr_params '((target_f0_mean {mean:.2f}) (target_f0_std {deviation * delivery.melody:.2f})"
                " (model_f0_mean 170) (model_f0_std 34)))")  # fmt: skip

    def _read(self, stem: Path, delivery: Delivery) -> Speech:
        audio, rate = _read_wav(f"{stem}.wav")
        phones, start = [], 0.0
        for line in Path(f"{stem}.txt").read_text().splitlines():
            name, end = line.split()
            phones.append(Phone(start, float(end), *from_arpabet(name)))
            start = float(end)
        return as_speech(audio, rate, phones, delivery.tract)


class Espeak(Engine):
    """espeak-ng, a formant synthesizer, through its library: many accents, languages and speakers.

    Its events mark a stop at its burst, so the closure before it is given back to the stop.
    """

    name = "espeak"
    _LANGUAGES: ClassVar = {"en-us": "en", "en": "en", "en-gb-x-rp": "en", "en-gb-scotland": "en", "en-029": "en",
                            "cmn-latn-pinyin": "cmn", "es": "es", "de": "de", "fr": "fr", "it": "it"}  # fmt: skip
    _SPEAKERS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "klatt", "klatt2", "klatt4")

    def voices(self) -> tuple[Voice, ...]:
        try:
            with _open_espeak() as library:
                installed = [(v, language) for v, language in self._LANGUAGES.items() if library.has(v)]
        except OSError:
            return ()
        return tuple(Voice(self.name, f"{v}+{s}", language) for v, language in installed for s in self._SPEAKERS)

    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        try:
            with _open_espeak() as library:
                return [library.speak(text, voice.name, delivery) for text in sentences]
        except OSError as error:
            raise TBDError(f"espeak-ng cannot be used: {error}.") from error


class _EspeakEvent(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("identifier", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user_data", ctypes.c_void_p), ("text", ctypes.c_char * 8),
    )  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_EspeakEvent))


class _EspeakLibrary:
    """``libespeak-ng.so.1`` as its header ``speak_lib.h`` declares it. One at a time per process."""

    _SYNCHRONOUS, _IPA_EVENTS, _DONT_EXIT, _UTF8, _RATE, _PITCH, _RANGE, _PHONEME = 2, 3, 0x8000, 1, 1, 3, 4, 7
    _WORDS_A_MINUTE = 165
    _STOPS, _CLOSURE = frozenset("pbtdkɡgcqʔ"), 0.04  # seconds from closure to event; energy falls by 25 dB there (measured)
    _SHORTEST_PAUSE = 0.08  # seconds

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._sound: list[np.ndarray] = []
        self._events: list[tuple[int, str]] = []
        data = os.environ.get("ESPEAK_DATA_PATH")
        options = self._IPA_EVENTS | self._DONT_EXIT
        self._rate = self._library.espeak_Initialize(self._SYNCHRONOUS, 0, data.encode() if data else None, options)
        if self._rate <= 0:
            raise OSError("espeak-ng has no data")
        self._callback = _CALLBACK(self._receive)  # kept, or it would be collected while C holds it
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples, count, events) -> int:
        if samples and count > 0:
            self._sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type:
            if events[i].type == self._PHONEME:
                self._events.append((events[i].sample, events[i].text.decode("utf-8", "ignore")))
            i += 1
        return 0

    def close(self) -> None:
        """Take the library out of memory, so that the next one starts as new."""
        self._library.espeak_Terminate()
        _ctypes.dlclose(self._library._handle)

    def has(self, voice: str) -> bool:
        """Whether espeak-ng knows `voice`; it is the current one from now on."""
        return self._library.espeak_SetVoiceByName(voice.encode()) == 0

    def speak(self, text: str, voice: str, delivery: Delivery) -> Speech:
        self._sound.clear()
        self._events.clear()
        if not self.has(voice):
            raise TBDError(f"espeak-ng has no voice {voice}.")
        # 50 is each voice's own pitch; espeak moves an octave over about 60 of its units (measured).
        pitch = 50 + (delivery.pitch + 12 * np.log2(delivery.tract)) * 5
        rate = self._WORDS_A_MINUTE * delivery.rate * delivery.tract
        for parameter, value in ((self._RATE, rate), (self._PITCH, pitch), (self._RANGE, 50 * delivery.melody)):
            self._library.espeak_SetParameter(parameter, int(np.clip(value, 0, 450 if parameter == self._RATE else 99)), 0)
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 0, 0, self._UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._sound:
            raise TBDError(f"espeak-ng made no sound of {text!r}.")
        audio = np.concatenate(self._sound).astype(np.float32) / 32768
        return as_speech(audio, self._rate, self._phones(len(audio)), delivery.tract)

    def _phones(self, samples: int) -> list[Phone]:
        names = [text.strip("ˈˌ ‖|_") for _, text in self._events]
        starts = [s / self._rate - self._CLOSURE * (n[:1] in self._STOPS) for (s, _), n in zip(self._events, names)]
        starts = np.maximum.accumulate(np.maximum(starts, 0.0)).tolist()
        ends = [*starts[1:], samples / self._rate]
        phones = [Phone(0.0, starts[0], SILENCE)] if starts else []
        for name, start, end in zip(names, starts, ends):
            if name == SILENCE and end - start < self._SHORTEST_PAUSE and phones:
                phones[-1] = replace(phones[-1], end=end)  # an event within a word (a tone, a length), not a pause
            else:
                phones.append(Phone(start, end, name))
        return phones


@contextmanager
def _open_espeak() -> Iterator[_EspeakLibrary]:
    """The library, opened afresh: what it said before changes its noise and, by a sample or two, its timing.

    Raises:
        OSError: the library or its data is absent.
    """
    ctypes.CDLL(None).srand(1)  # its noise comes from C's generator
    library = _EspeakLibrary()
    try:
        yield library
    finally:
        library.close()


ENGINES: tuple[Engine, ...] = (Flite(), Espeak(), Festival())
"""The synthesizers."""


def engine_of(voice: Voice) -> Engine:
    """The engine that speaks with `voice`."""
    from tbd.data.synthetic.recordings import Recordings  # an engine too, built on this module

    return next(e for e in (*ENGINES, Recordings()) if e.name == voice.engine)


def find_voices() -> tuple[Voice, ...]:
    """Every voice that is installed here.

    Raises:
        InputError: there is none.
    """
    found = tuple(v for engine in ENGINES for v in engine.voices())
    if not found:
        raise InputError(f"No speech synthesizer is installed; run: apt-get install {' '.join(DEBIAN_PACKAGES)}")
    return found


def _call(command: list[str]) -> subprocess.CompletedProcess:
    """Run an engine; its output as text."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TBDError(f"{command[0]} did not run: {error}") from error
    if done.returncode:
        raise TBDError(f"{command[0]} failed: {done.stderr.strip()[-300:] or f'exit code {done.returncode}'}")
    return done


def _read_wav(path: str) -> tuple[np.ndarray, int]:
    """(N,) float32 and the sample rate of an engine's 16-bit file."""
    try:
        rate, audio = wavfile.read(path)
    except (OSError, ValueError) as error:
        raise TBDError(f"The synthesizer wrote no sound ({error}).") from error
    return audio.astype(np.float32) / 32768, rate


def as_speech(audio: np.ndarray, rate: int, phones: Sequence[Phone], tract: float) -> Speech:
    """Bring sound to 16 kHz, with a vocal tract `tract` times as long, and phones to its length.

    Playing slower lowers every formant by the same factor, as a longer tube does; the engines were told to speak faster and
    higher by as much, so that rate and pitch stay.
    """
    target = round(SAMPLE_RATE * tract / 100) * 100
    stretch = target / SAMPLE_RATE
    divisor = np.gcd(target, rate)
    audio = np.clip(resample_poly(audio, target // divisor, rate // divisor), -1, 1).astype(np.float32)
    length = len(audio) / SAMPLE_RATE
    moved = [p.moved(0.0, stretch) for p in phones]
    kept = [Phone(p.start, min(p.end, length), p.symbol, p.stress) for p in moved if p.start < length]
    if kept and kept[-1].end < length:
        kept.append(Phone(kept[-1].end, length, SILENCE))
    return Speech(audio, tuple(merge_silences(kept)))
