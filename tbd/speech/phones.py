"""One alphabet for every voice: phones with times, in the International Phonetic Alphabet.

Synthesizers name sounds in their own ways (flite and festival in ARPAbet, espeak-ng in IPA). Everything after this module
reads IPA alone. `SILENCE` marks a pause.
"""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tbd.errors import InputError
from tbd.utils.atomic import atomic_output

SILENCE = ""
"""The symbol of a pause."""
BREATH = "↓"
"""The symbol of an audible breath in (extIPA's ingressive airflow)."""

# CMU's ARPAbet with the extra symbols of flite and festival, after the table in the CMU Pronouncing Dictionary.
ARPABET = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b", "ch": "tʃ", "d": "d",
    "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "l̩", "em": "m̩", "en": "n̩", "er": "ɝ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h",
    "hv": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "nx": "n", "ow": "oʊ",
    "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j",
    "z": "z", "zh": "ʒ", "pau": SILENCE, "h#": SILENCE, "brth": SILENCE, "ssil": SILENCE, "#": SILENCE, "sil": SILENCE,
}  # fmt: skip


@dataclass(frozen=True)
class Phone:
    """One sound and its times.

    Args:
        start: Seconds from the start of the audio.
        end: Seconds; not before `start`.
        symbol: IPA, with diphthongs and affricates as one symbol (``aɪ``, ``tʃ``); `SILENCE` for a pause.
        stress: 0 none or unknown, 1 primary.
    """

    start: float
    end: float
    symbol: str
    stress: int = 0

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    def moved(self, seconds: float, stretch: float = 1.0) -> "Phone":
        """Move a phone in time.

        Args:
            seconds: Added to the times after the stretch.
            stretch: Factor of the times.

        Returns:
            The same sound at its new times.
        """
        return Phone(self.start * stretch + seconds, self.end * stretch + seconds, self.symbol, self.stress)


def from_arpabet(name: str) -> tuple[str, int]:
    """IPA symbol and stress of an ARPAbet name, with or without a stress digit.

    Raises:
        InputError: If the name is not ARPAbet.

    Args:
        name: The ARPAbet name.

    Returns:
        Symbol, and stress: 1 for primary, else 0.

    Example:
        >>> from_arpabet("AY1"), from_arpabet("pau")
        (('aɪ', 1), ('', 0))
    """
    bare = name.rstrip("012").lower()
    if bare not in ARPABET:
        raise InputError(f"{name!r} is not an ARPAbet phone; the CMU Pronouncing Dictionary lists them.")
    return ARPABET[bare], int(name.endswith("1"))


def merge_silences(phones: Iterable[Phone]) -> list[Phone]:
    """The same phones with neighbouring pauses joined and empty intervals dropped."""
    merged: list[Phone] = []
    for phone in phones:
        if phone.end <= phone.start:
            continue
        if merged and phone.symbol == SILENCE == merged[-1].symbol:
            merged[-1] = Phone(merged[-1].start, phone.end, SILENCE)
        else:
            merged.append(phone)
    return merged


def save_phones(phones: Sequence[Phone], path: str | os.PathLike) -> None:
    """Write a table of ``start,end,phone,stress`` rows; seconds with four decimals.

    Args:
        phones: The phones, in order of time.
        path: The CSV file to write.
    """
    with atomic_output(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("start", "end", "phone", "stress"))
        writer.writerows((f"{p.start:.4f}", f"{p.end:.4f}", p.symbol, p.stress) for p in phones)


def load_phones(path: str | os.PathLike) -> list[Phone]:
    """Read what `save_phones` wrote.

    Args:
        path: The CSV file.

    Returns:
        The phones, in order of time.

    Raises:
        InputError: If the file is missing or is no such table.
    """
    path = Path(path)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [Phone(float(r["start"]), float(r["end"]), r["phone"], int(r["stress"])) for r in csv.DictReader(file)]
    except FileNotFoundError as error:
        raise InputError(f"There is no phone table {path}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a table of phones; its columns must be start,end,phone,stress.") from error
