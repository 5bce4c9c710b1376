"""espeak-ng, a formant synthesizer, through its C library, which reports each phone as an event."""

import _ctypes
import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from tbd.data.synthetic.speech import Delivery, Engine, Speech, Voice, as_speech
from tbd.errors import TBDError
from tbd.speech.phones import SILENCE, Phone


class Espeak(Engine):
    """espeak-ng, a formant synthesizer, through its library: many accents, languages and speakers.

    Its events mark a stop at its burst, so the closure before it is given back to the stop.
    """

    name = "espeak"
    _LANGUAGES: ClassVar[dict[str, str]] = {"en-us": "en", "en": "en", "en-gb-x-rp": "en", "en-gb-scotland": "en", "en-029": "en",
                            "cmn-latn-pinyin": "cmn", "es": "es", "de": "de", "fr": "fr", "it": "it"}  # fmt: skip
    _SPEAKERS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "klatt", "klatt2", "klatt4")

    @override
    def voices(self) -> tuple[Voice, ...]:
        try:
            with _open_espeak() as library:
                installed = [(v, language) for v, language in self._LANGUAGES.items() if library.has(v)]
        except OSError:
            return ()
        return tuple(Voice(self.name, f"{v}+{s}", language) for v, language in installed for s in self._SPEAKERS)

    @override
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

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        """Keep what the library hands over: samples, and an array of events that ends with one of type 0."""
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
        """Choose a voice, and say whether espeak-ng has it."""
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
    """Open the library afresh: earlier speech changes its noise and, by a sample or two, its timing.

    Raises:
        OSError: the library or its data is absent.
    """
    ctypes.CDLL(None).srand(1)  # its noise comes from C's generator
    library = _EspeakLibrary()
    try:
        yield library
    finally:
        library.close()
