"""Sentence → how a situation like this is mostly met: a mix over the emotions, how strongly, and with what doubt.

An ensemble of small linear heads, each on an encoder whose biases and norms were tuned with it (Ben Zaken et al. 2022, *BitFit*).
``benchmarks/situations`` has the sentences and the training; ``assets/think/situations.safetensors`` what came of it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from tbd.think.emotions import EMOTIONS, Emotion
from tbd.think.rules.cleaning import visible
from tbd.think.situations.encoder import Parameters, SentenceEncoder

WEIGHTS = Path(__file__).resolve().parents[2] / "assets" / "think" / "situations.safetensors"
SENTENCE_LIMIT = 24
"""Sentences that are read of a long text."""
CHARACTER_LIMIT, UNSPACED_LIMIT = 400, 120
"""Characters that are read of a sentence; of one in a script whose signs are words, or nearly."""
SCALES = 4
"""Outputs of a head beside the logits: intensity, valence, arousal and hiding."""
_SHORT = 3
"""Sentences up to which a text is read as one."""
_ENDS = re.compile(r"(?<=[.!?…।؟])\s+|(?<=[。！？])|\n+")


@dataclass(frozen=True)
class Situation:
    """What is felt in a situation.

    Args:
        probabilities: How likely each emotion leads; they sum to 1.
        intensity: How strongly it is felt, 0..1.
        valence: -1 unpleasant .. 1 pleasant.
        arousal: -1 calm .. 1 excited.
        hidden: How likely the feeling is kept from showing, 0..1.
    """

    probabilities: dict[Emotion, float]
    intensity: float
    valence: float
    arousal: float
    hidden: float = 0.0
    sentences: int = field(default=1, compare=False)
    """How many sentences were read."""

    @property
    def leading(self) -> Emotion:
        """The likeliest emotion."""
        return max(self.probabilities, key=lambda emotion: self.probabilities[emotion])

    @property
    def confidence(self) -> float:
        """How likely the likeliest emotion is."""
        return self.probabilities[self.leading]


@dataclass(frozen=True)
class _Member:
    """One of the ensemble."""

    parameters: Parameters
    weight: np.ndarray  # (outputs, D)
    bias: np.ndarray
    centre: np.ndarray
    """Mean vector of the training sentences under the untuned model."""


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences, in any language.

    Args:
        text: As the user wrote it.

    Returns:
        At most `SENTENCE_LIMIT` sentences, each cut to `CHARACTER_LIMIT` characters.

    Example:
        >>> split_sentences("He left. 他没有来。Why?")
        ['He left.', '他没有来。', 'Why?']
    """
    parts = (part.strip() for part in _ENDS.split(text[: 4 * SENTENCE_LIMIT * CHARACTER_LIMIT]))
    return [part[: UNSPACED_LIMIT if is_unspaced(part) else CHARACTER_LIMIT] for part in parts if part][:SENTENCE_LIMIT]


def is_unspaced(text: str) -> bool:
    """Return whether a text has signs of a script that puts no blanks between words.

    Args:
        text: A word or a sentence.

    Returns:
        Whether it has Thai, Lao, kana or Chinese characters.

    Example:
        >>> is_unspaced("他没有来"), is_unspaced("не пришёл")
        (True, False)
    """
    return any("\u0e00" <= sign <= "\u0eff" or "\u3040" <= sign <= "\u9fff" for sign in text)


class SituationClassifier:
    """Reads what is felt in a situation.

    Args:
        encoder: Turns sentences into vectors.
        weights: The ensemble's, as the training writes them.
    """

    def __init__(self, encoder: SentenceEncoder, weights: Path = WEIGHTS) -> None:
        self.encoder, self.weights = encoder, weights

    @cached_property
    def _tensors(self) -> dict[str, np.ndarray]:
        from safetensors.numpy import load_file

        return {name: tensor.astype(np.float32) for name, tensor in load_file(self.weights).items()}

    @cached_property
    def _members(self) -> list[_Member]:
        members: dict[str, dict[str, np.ndarray]] = {}
        for name, tensor in self._tensors.items():
            member, slash, own = name.partition("/")
            if slash:
                members.setdefault(member, {})[own] = tensor
        return [
            _Member({n: t for n, t in m.items() if not n.startswith("head.")}, m["head.weight"], m["head.bias"], m["head.centre"])
            for _, m in sorted(members.items())
        ]

    def outputs(self, texts: Sequence[str]) -> np.ndarray:
        """Compute the heads' outputs.

        Args:
            texts: Sentences.

        Returns:
            For each member and text: a logit for each emotion, then intensity, valence, arousal and hiding before they are squashed.

        Shape:
            (members, N, emotions + 4).
        """
        rows = [(self.encoder.encode(texts, m.parameters) - m.centre) @ m.weight.T + m.bias for m in self._members]
        return np.stack(rows)

    def classify(self, texts: Sequence[str]) -> list[Situation]:
        """Read sentences, each by itself.

        Args:
            texts: Sentences.

        Returns:
            What is felt in each.
        """
        if not texts:
            return []
        return [_situation(row) for row in squash(self.outputs(texts), float(self._tensors["temperature"][0]))]

    def read(self, text: str) -> Situation | None:
        """Read a text: as one where it is short, sentence by sentence where it is long.

        Args:
            text: As the user wrote it.

        Returns:
            What is felt; None for a text without letters.
        """
        text = visible(text)
        sentences = split_sentences(text)
        if not any(sign.isalpha() for sign in text):
            return None
        if len(sentences) <= _SHORT:
            return self.classify([" ".join(sentences)])[0]
        rows = squash(self.outputs(sentences), float(self._tensors["temperature"][0]))
        telling = 1.05 - rows[:, EMOTIONS.index("neutral")]  # a factual sentence says little about what is felt in the others
        return _situation(np.average(rows, axis=0, weights=telling), len(sentences))


def squash(outputs: np.ndarray, temperature: float) -> np.ndarray:
    """Turn heads' outputs into probabilities and scales, and average the ensemble.

    Args:
        outputs: As `SituationClassifier.outputs` gives them.
        temperature: Divides the logits, so that a probability says how often it is right.

    Returns:
        Probabilities that sum to 1, intensity, valence, arousal and the probability of hiding.

    Shape:
        (N, emotions + 4).
    """
    logits = outputs[..., :-SCALES] / temperature
    likely = np.exp(logits - logits.max(-1, keepdims=True))
    likely /= likely.sum(-1, keepdims=True)
    intensity, valence, arousal, hidden = np.moveaxis(outputs[..., -SCALES:], -1, 0)
    scales = (_sigmoid(intensity), np.tanh(valence), np.tanh(arousal), _sigmoid(hidden))
    return np.concatenate([likely, np.stack(scales, -1)], -1).mean(0)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _situation(row: np.ndarray, sentences: int = 1) -> Situation:
    probabilities = {emotion: float(p) for emotion, p in zip(EMOTIONS, row[:-SCALES])}  # emotions are only ever appended
    intensity, valence, arousal, hidden = (round(float(value), 3) for value in row[-SCALES:])
    return Situation(probabilities, intensity, valence, arousal, hidden, sentences)
