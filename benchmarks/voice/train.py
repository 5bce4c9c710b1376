"""Fit the head of `tbd.think.voice.ProsodicVoiceReader` on acted synthetic voices, and write its weights.

    python -m benchmarks.voice.train --cache acted.pkl --output tbd/assets/think/voice.safetensors

Every voice says one sentence neutrally and in each act of `benchmarks.voice.acting`, with the same words, habits and microphone, so that
the differences are the acting's alone. Arousal is a ridge regression on all cues; the emotions are Gaussians in four summed cues, each
with as much doubt as acting and voices differ. No recording of a person is used.
"""

import os
import pickle
from pathlib import Path

import numpy as np

from benchmarks.common import run
from benchmarks.voice.acting import ACTS, act
from tbd.data.synthetic.engines import find_voices
from tbd.speech.prosody import describe_prosody
from tbd.think.emotions import EMOTIONS, Emotion
from tbd.think.voice.functionals import Functionals, summarize
from tbd.think.voice.head import AXES
from tbd.utils.jobs.multiprocessing import parallel_map

AROUSAL: dict[Emotion, float] = {
    "angry": 0.75, "contempt": -0.1, "disgusted": 0.1, "fear": 0.65, "happy": 0.55, "neutral": 0.0, "sad": -0.45, "surprised": 0.7,
}  # fmt: skip
"""Of a vocal portrayal at full strength, after the activation ratings that Laukka, Juslin & Bresin 2005 and Scherer 2003 report."""
PRIOR: dict[Emotion, float] = {"neutral": 3.0, "contempt": 0.5, "disgusted": 0.7, "surprised": 0.7}
"""How frequent an emotion is in speech, relative to the rest; most of speech is neutral."""
ORDINARY = {"pitch_range": 10.5, "pitch_slope": 30.0}
"""Melody of people who speak ordinarily, in semitones and semitones a second: the prompts of asterisk-core-sounds-{en,es,fr,it,ru} (five
speakers, CC BY-SA 3.0, under random microphones and noise) have 11.1 and 31.7; synthesizers are flatter (6.3 and 20.7)."""
RIDGE = 0.3
STRENGTHS = (0.3, 2.0)
"""Of the acting: people differ, and rules written for synthesizers understate them."""
TEMPERATURE = 3.0
"""Divides the logarithms: chosen on EmoDB, on which confidence then is as often right as it says."""
Row = tuple[Emotion, int, np.ndarray]


def acted(index: int) -> list[Row]:
    """All acts of one voice: (emotion, number of the act, functionals)."""
    rng = np.random.default_rng([7, index])
    voices = [v for v in find_voices() if v.language in ("en", "de", "fr", "es", "it")]
    flite, espeak = ([v for v in voices if v.engine == engine] for engine in ("flite", "espeak"))
    voice = flite[index // 2 % len(flite)] if index % 2 == 0 else espeak[int(rng.integers(len(espeak)))]
    rows: list[Row] = []
    for emotion, kinds in ACTS.items():
        for number, kind in enumerate(kinds):
            cues = summarize(describe_prosody(act(voice, kind, 0.0 if emotion == "neutral" else 1.0, 1000 + index)))
            if cues is not None:
                rows.append((emotion, number, np.array(cues)))
    return rows


def axes() -> np.ndarray:
    """The matrix that sums standardized cues up: (axes, cues)."""
    return np.array([[(name in names) / len(names) for name in Functionals._fields] for names in AXES.values()])


def fit(voices: list[list[Row]], seed: int = 0) -> dict[str, np.ndarray]:
    """Fit the head.

    Args:
        voices: What `acted` returns, of each voice.
        seed: Of the strengths that are drawn.

    Returns:
        Name → tensor of the weights' file.
    """
    rng = np.random.default_rng(seed)
    voices = [rows for rows in voices if rows and any(emotion == "neutral" for emotion, _, _ in rows)]
    neutral = np.stack([cues for rows in voices for emotion, _, cues in rows if emotion == "neutral"])
    mean, deviation = neutral.mean(0), neutral.std(0)

    def standardize(cues: np.ndarray) -> np.ndarray:
        return np.clip((cues - mean) / deviation, -3, 3)

    changes: dict[tuple[Emotion, int], list[np.ndarray]] = {}
    samples, targets, aroused = [], [], []
    for rows, rest in zip(voices, neutral):
        for emotion, number, cues in rows:
            changes.setdefault((emotion, number), []).append(standardize(cues) - standardize(rest))
            for _ in range(max(1, round(12 * ACTS[emotion][number].share / 10)) * (3 if emotion == "neutral" else 1)):
                strength = rng.uniform(*STRENGTHS)
                start = rest if rng.random() < 0.5 else neutral[rng.integers(len(neutral))]
                samples.append(standardize(start + strength * (cues - rest)))
                targets.append(AROUSAL[emotion] * min(strength, 1.3))
                aroused.append(AROUSAL[emotion] * strength > 0.3)
    z, y = np.stack(samples), np.array(targets)
    weight = np.linalg.solve(z.T @ z + len(z) * RIDGE * np.eye(z.shape[1]), z.T @ y)
    bias = float((y - z @ weight).mean())
    matrix = axes()
    centre = (standardize(neutral) @ matrix.T).mean(0)
    spread = np.cov((standardize(neutral) @ matrix.T).T) + 0.15 * np.eye(len(matrix))
    means, covariances, priors, emotions = [], [], [], []
    for (emotion, number), found in changes.items():
        moved = np.stack(found) @ matrix.T
        middle = moved.mean(0)
        means.append(centre + middle)
        covariances.append(spread + 0.5 * np.cov(moved.T) + 0.09 * np.outer(middle, middle))
        priors.append(PRIOR.get(emotion, 1.0) * ACTS[emotion][number].share / 10)
        emotions.append(EMOTIONS.index(emotion))
    slope, offset = _logistic(z @ weight + bias, np.array(aroused))
    for name, ordinary in ORDINARY.items():
        mean[Functionals._fields.index(name)] = ordinary
    return {
        "mean": mean, "deviation": deviation, "arousal.weight": weight, "arousal.bias": np.array([bias]),
        "aroused": np.array([slope, offset]), "axes": matrix, "means": np.stack(means), "covariances": np.stack(covariances),
        "priors": np.array(priors), "emotions": np.array(emotions, np.float64), "temperature": np.array([TEMPERATURE]),
    }  # fmt: skip


def _logistic(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and offset of a logistic regression, with either side weighed alike."""
    weights = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    slope, offset = 1.0, 0.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-(slope * x + offset)))
        gradient = np.array([(weights * (y - p) * x).sum(), (weights * (y - p)).sum()])
        curve = weights * p * (1 - p)
        hessian = np.array([[(curve * x * x).sum(), (curve * x).sum()], [(curve * x).sum(), curve.sum()]]) + 1e-6 * np.eye(2)
        slope, offset = np.array([slope, offset]) + np.linalg.solve(hessian, gradient)
    return float(slope), float(offset)


def train(output: str, cache: str | None = None, voices: int = 108, workers: int | None = None) -> None:
    """Render, fit and write.

    Args:
        output: The weights' file.
        cache: Where the functionals are kept between runs.
        voices: How many voices act.
        workers: Number of processes; one per core where not given.
    """
    from safetensors.numpy import save_file

    rows: dict[int, list[Row]] = pickle.loads(Path(cache).read_bytes()) if cache is not None and Path(cache).exists() else {}
    missing = [index for index in range(voices) if index not in rows]
    rows |= dict(zip(missing, parallel_map(acted, missing, workers or len(os.sched_getaffinity(0)))))
    if cache is not None:
        Path(cache).write_bytes(pickle.dumps(rows))
    tensors = fit([rows[index] for index in range(voices)])
    save_file({name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}, output)


if __name__ == "__main__":
    run(train, many=None)
