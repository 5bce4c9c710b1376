"""Texts of a corpus: written sentences in six languages and an English grammar, rich in bilabials and rounded vowels.

The sentences are this project's own (`tbd/assets/sentences`). Each belongs to one split by its letters alone, so that held-out
clips have texts that training never had.
"""

import functools
import json
import re
import zlib
from importlib.resources import files
from typing import Any

import numpy as np

from tbd.data.splits import Split

_SHARES: dict[Split, float] = {"train": 0.86, "val": 0.07, "test": 0.07}
_GRAMMAR_SHARE = 0.6
_SLOT = re.compile(r"\{(\w+)\}")


def split_of(sentence: str) -> Split:
    """Assign a sentence to a split, whatever the corpus.

    Args:
        sentence: Its text.

    Returns:
        The split, by a hash of the text.

    Example:
        >>> split_of("Who put the umbrella behind the broken piano?")
        'train'
    """
    place = zlib.crc32(sentence.encode()) / 2**32
    return "train" if place < _SHARES["train"] else "val" if place < _SHARES["train"] + _SHARES["val"] else "test"


def languages() -> tuple[str, ...]:
    """List the languages that there are sentences for, as ISO 639 codes."""
    return tuple(sorted(f.name[:-4] for f in (files("tbd") / "assets" / "sentences").iterdir() if f.name.endswith(".txt")))


def sample_sentence(language: str, split: Split, rng: np.random.Generator) -> str:
    """Choose a sentence.

    Args:
        language: One of `languages`.
        split: Where it must belong; languages other than English have few sentences, which serve every split.
        rng: Source of randomness.

    Returns:
        The sentence.
    """
    if language != "en":
        return str(rng.choice(_written(language)))
    if rng.random() > _GRAMMAR_SHARE:
        return str(rng.choice([s for s in _written(language) if split_of(s) == split]))
    while split_of(sentence := _grown(rng)) != split:
        pass
    return sentence


@functools.cache
def _written(language: str) -> list[str]:
    text = (files("tbd") / "assets" / "sentences" / f"{language}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line]


@functools.cache
def _grammar() -> dict[str, Any]:
    return json.loads((files("tbd") / "assets" / "sentences" / "grammar.json").read_text(encoding="utf-8"))


def _grown(rng: np.random.Generator) -> str:
    """Grow a sentence of the grammar: a template whose slots are filled, ``{Subject}`` with a capital letter."""

    def fill(match: re.Match) -> str:
        slot = match.group(1)
        word = str(rng.choice(_grammar()["words"][slot.lower()]))
        return word[0].upper() + word[1:] if slot[0].isupper() else word

    return _SLOT.sub(fill, str(rng.choice(_grammar()["templates"])))
