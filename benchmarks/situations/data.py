"""Sentences with what is felt."""

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Row(NamedTuple):
    """A line: `felt` is the mix, the leading emotion first; `shows` whether the feeling comes out."""

    language: str
    topic: str
    felt: dict[str, float]
    intensity: float
    valence: float
    arousal: float
    shows: bool
    text: str

    @property
    def is_factual(self) -> bool:
        return "neutral" in self.felt

    @property
    def group(self) -> str:
        """What must not be split between folds: a topic, or a language, whose sentences are often translations."""
        return f"en {self.topic}" if self.language == "en" else self.language


def rows(name: str) -> list[Row]:
    """All of ``train.tsv``, ``test.tsv`` or ``everyday.tsv``."""
    lines = [line for line in (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [_row(line) for line in lines[1:]]


def _row(line: str) -> Row:
    language, topic, felt, intensity, valence, arousal, shows, text = line.split("\t")
    pairs = (part.rsplit(" ", 1) for part in felt.split(", "))
    mix = {emotion: float(weight) for emotion, weight in pairs}
    return Row(language, topic, mix, float(intensity), float(valence), float(arousal), shows == "yes", text)
