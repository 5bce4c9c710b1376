"""Phones of speech that is still going on: what is known of the moment that has just been spoken."""

from abc import ABC, abstractmethod

import numpy as np

from tbd.media.rates import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.speech.alignment import PHONES_PER_FRAME, phone_number, phone_track
from tbd.speech.recognizer import PhoneRecognizer, SphinxRecognizer, phone_decoder, symbol_and_stress

COLUMNS = FPS * PHONES_PER_FRAME
"""Numbers of a track a second, as in `tbd.speech.alignment`."""
_HOP = SAMPLE_RATE // COLUMNS
_KEPT = 8 * COLUMNS
"""Columns that are kept; a window of motion reaches back less than a second."""
_LONG = 6.0
"""Seconds after which an utterance ends at the next pause."""
_LONGEST = 20.0
"""Seconds after which it ends anywhere."""
_PAUSE = 15
"""Columns of silence that are a pause."""
_FAINTEST = 1e-3
"""Of the loudest moment of the last seconds, −60 dB: in digital silence a recognizer hears an s."""
_FORGETS = 0.5 ** (1 / (10 * COLUMNS))
"""How the loudest moment fades: to half in ten seconds."""


class PhoneStream(ABC):
    """Names the phones of speech while it goes on. It remembers the last seconds alone, however long it listens."""

    def __init__(self) -> None:
        self._columns = np.zeros(0, np.uint8)
        self._first = 0  # number of the first column that is kept
        self._loud = np.zeros(0, bool)
        self._peak = 0.0
        self._rest = np.zeros(0, np.float32)

    @property
    def columns(self) -> int:
        """How many columns of the track are known so far."""
        return self._first + len(self._columns)

    def feed(self, audio: np.ndarray) -> None:
        """Listen on.

        Args:
            audio: (N,) float32 samples at 16 kHz in −1..1, which follow those before.
        """
        audio = np.concatenate([self._rest, audio])
        whole = len(audio) // _HOP * _HOP
        audio, self._rest = audio[:whole], audio[whole:]
        if not len(audio):
            return
        self._follow_level(np.abs(audio).reshape(-1, _HOP).max(1))
        self._listen(audio)
        excess = len(self._columns) - _KEPT
        if excess > 0:
            self._columns, self._loud, self._first = self._columns[excess:], self._loud[excess:], self._first + excess

    def track(self, start: int, stop: int) -> np.ndarray:
        """Cut out a part of the track.

        Args:
            start: Its first column, a hundred a second; before the start of the sound there is silence.
            stop: The column after its last. Beyond what is known the last phone lasts on.

        Returns:
            (stop − start,) uint8 places in `tbd.speech.alignment.SYMBOLS`.
        """
        out = np.zeros(stop - start, np.uint8)
        low, high = max(start, self._first), min(stop, self.columns)
        if high > low:
            known = slice(low - self._first, high - self._first)
            out[low - start : high - start] = np.where(self._loud[known], self._columns[known], 0)
        if 0 < self.columns < stop:
            out[max(self.columns - start, 0) :] = self._columns[-1] if self._loud[-1] else 0
        return out

    @abstractmethod
    def _listen(self, audio: np.ndarray) -> None:
        """Append the columns of a whole number of them, and correct earlier ones."""

    def _follow_level(self, peaks: np.ndarray) -> None:
        loud = np.empty(len(peaks), bool)
        for i, peak in enumerate(peaks):
            self._peak = max(self._peak * _FORGETS, float(peak))
            loud[i] = peak > _FAINTEST * max(self._peak, _FAINTEST)
        self._loud = np.concatenate([self._loud, loud])

    def _replace(self, start: int, columns: np.ndarray) -> None:
        """Write columns from number `start` to the end of the track."""
        skipped = max(self._first - start, 0)
        self._columns = np.concatenate([self._columns[: start + skipped - self._first], columns[skipped:]])


class SphinxPhoneStream(PhoneStream):
    """pocketsphinx's phone loop, fed as the sound comes; it takes 4 % of a core.

    Words would be better phones, but what a word is shows only after it has been said. The search goes on from one call to the next,
    and what it takes the last tenth of a second for may change as more is heard. An utterance ends at a pause, so that the search's
    memory does not grow.
    """

    def __init__(self) -> None:
        super().__init__()
        self._decoder = phone_decoder()
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._start = 0  # the utterance's first column

    def _listen(self, audio: np.ndarray) -> None:
        sound = np.round(np.clip(np.nan_to_num(audio), -1, 1) * 32767).astype(np.int16)
        for i in range(0, len(sound), int(_LONG * SAMPLE_RATE)):
            self._decode(sound[i : i + int(_LONG * SAMPLE_RATE)])

    def _decode(self, sound: np.ndarray) -> None:
        self._decoder.process_raw(sound.tobytes())
        until = self.columns + len(sound) // _HOP
        columns = np.zeros(until - self._start, np.uint8)
        known = 0
        for part in self._decoder.seg() or ():
            columns[part.start_frame : part.end_frame + 1] = phone_number(symbol_and_stress(part.word)[0])
            known = max(known, min(part.end_frame + 1, len(columns)))
        if known:
            columns[known:] = columns[known - 1]
        self._replace(self._start, columns)
        seconds = (until - self._start) / COLUMNS
        if seconds > _LONGEST or (seconds > _LONG and not columns[-_PAUSE:].any()):
            self._decoder.end_utt()
            self._decoder.start_utt()
            self._start = until


class SlidingPhoneStream(PhoneStream):
    """Any recognizer, which hears the last seconds again with every piece of sound.

    Args:
        recognizer: Names the phones of a passage.
        seconds: How much it hears each time.
    """

    def __init__(self, recognizer: PhoneRecognizer, seconds: float = 3.0) -> None:
        super().__init__()
        self._recognizer, self._longest = recognizer, int(seconds * SAMPLE_RATE)
        self._passage = np.zeros(0, np.float32)

    def _listen(self, audio: np.ndarray) -> None:
        until = self.columns + len(audio) // _HOP
        self._passage = np.concatenate([self._passage, audio])[-max(self._longest, len(audio)) :]
        frames = -(-len(self._passage) // SAMPLES_PER_FRAME)
        track = phone_track(self._recognizer.listen(self._passage), frames)[: len(self._passage) // _HOP]
        self._replace(until - len(track), track)


def open_phone_stream(recognizer: PhoneRecognizer) -> PhoneStream:
    """Start to listen with a recognizer.

    Args:
        recognizer: The recognizer of a motion model.

    Returns:
        A stream of its phones: the phone loop of pocketsphinx for `SphinxRecognizer`, passages of three seconds for others.
    """
    return SphinxPhoneStream() if isinstance(recognizer, SphinxRecognizer) else SlidingPhoneStream(recognizer)
