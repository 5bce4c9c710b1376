"""Fit what tells laughs, sobs, sighs and whispers from speech (`tbd.think.voice.vocal_events`), and write its weights.

    python -m benchmarks.voice.train_events --speech FOLDER --output tbd/assets/think/vocal_events.safetensors

Recordings are made of speech and of what `benchmarks.voice.vocalizing` makes, one after the other or alone, under random microphones,
rooms and noise; every stretch of them that is mostly one of the two is a sample. The speech is that of synthesizers that act
(`benchmarks.voice.acting`) and of FOLDER, whose licence must let weights ship: Debian's asterisk-core-sounds-{en,es,fr,it,ru}-wav (five
speakers, CC BY-SA 3.0). No recording of a laugh, a sob, a sigh or a whisper is used.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import run
from benchmarks.voice.acting import ACTS, act, record
from benchmarks.voice.vocalizing import vocalize
from tbd.data.synthetic.engines import find_voices
from tbd.media import read_audio
from tbd.media.rates import SAMPLE_RATE
from tbd.speech.pitch import HOP
from tbd.speech.prosody import describe_prosody
from tbd.speech.rhythm import mel_levels
from tbd.think.voice.vocal_cues import measure_cues, stretches_of
from tbd.think.voice.vocal_events import CLASSES, VocalClass

ACTED = 110
"""Sentences of synthesizers."""
RECORDED = 260
"""Recordings of the folder, chosen at random."""
LONGEST = 6 * SAMPLE_RATE
MOSTLY = 0.6
"""Share of what sounds in a stretch that is one class."""
PRIOR = {"speech": 3.0}
"""How frequent a class is, relative to the rest."""
SMOOTHING, NOISE, DECAY = 0.05, 0.25, 1e-3
"""Of the labels; of the cues, in standard deviations; of the weights."""
LANGUAGES = ("en", "de", "fr", "es", "it")


def collect_speech(folder: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Collect speech, each piece trimmed, at most six seconds long, with a peak of 0.5.

    Args:
        folder: Recordings of people who speak, .wav of 30 kB or more at any depth.
        rng: Chooses.

    Returns:
        The pieces.
    """
    paths = [
        path for path in sorted(Path(folder).rglob("*.wav")) if path.stat().st_size > 30_000 and path.parent.name not in ("moh", "silence")
    ]
    chosen = [paths[i] for i in rng.permutation(len(paths))[:RECORDED]]
    voices = [voice for voice in find_voices() if voice.language in LANGUAGES]
    kinds = [kind for acts in ACTS.values() for kind in acts]
    acted = (
        act(voices[int(rng.integers(len(voices)))], kinds[int(rng.integers(len(kinds)))], float(rng.uniform()), int(rng.integers(10**6)))
        for _ in range(ACTED)
    )
    return [_trimmed(np.asarray(sound, np.float32)) for sound in (*(read_audio(path) for path in chosen), *acted)]


def _trimmed(sound: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    kept = sound[loud[0] : loud[-1] + 1][:LONGEST]
    return 0.5 * kept / np.abs(kept).max()


def sample(kind: VocalClass, speech: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make one recording.

    Args:
        kind: One of `CLASSES`.
        speech: Pieces to choose from.
        rng: Decides on everything else.

    Returns:
        (N,) float32 samples at 16 kHz, and (N,) the number of each sample's class, -1 of none.
    """
    parts: list[np.ndarray] = []
    labels: list[np.ndarray] = []

    def add(sound: np.ndarray, label: str | None) -> None:
        parts.append(sound)
        labels.append(np.full(len(sound), -1 if label is None else CLASSES.index(label)))

    def pause() -> None:
        add(np.zeros(int(SAMPLE_RATE * rng.uniform(0.05, 0.7)), np.float32), None)

    def talk() -> None:
        piece, count = speech[int(rng.integers(len(speech)))], int(rng.uniform(0.7, 3.5) * SAMPLE_RATE)
        start = int(rng.integers(max(1, len(piece) - count)))
        add(piece[start : start + count] * 10 ** (rng.uniform(-8, 8) / 20), "speech")
        pause()

    pause()
    for _ in range(int(rng.integers(1, 4)) if kind == "speech" else int(rng.random() < 0.45)):
        talk()
    if kind != "speech":
        add(vocalize(kind, rng, speech[int(rng.integers(len(speech)))][: 3 * SAMPLE_RATE] if kind == "whisper" else None), kind)
        pause()
        for _ in range(int(rng.random() < 0.45)):
            talk()
    return record(np.concatenate(parts), rng), np.concatenate(labels)


def stretches(sound: np.ndarray, labels: np.ndarray) -> tuple[list[np.ndarray], list[int]]:
    """Cut a recording into samples.

    Args:
        sound: (N,) samples at 16 kHz.
        labels: (N,) classes.

    Returns:
        Cues and class of every stretch that is mostly one class.
    """
    prosody = describe_prosody(sound)
    at = labels[np.minimum(np.arange(len(prosody)) * HOP + HOP // 2, len(labels) - 1)]
    cues, classes = [], []
    for row, (start, stop) in zip(measure_cues(prosody, mel_levels(sound)), stretches_of(prosody)):
        sounding = prosody.speech[start:stop] & (at[start:stop] >= 0)
        counts = np.bincount(at[start:stop][sounding], minlength=len(CLASSES))
        if counts.sum() >= 0.1 * (stop - start) and counts.max() >= MOSTLY * counts.sum():
            cues.append(row)
            classes.append(int(counts.argmax()))
    return cues, classes


def fit(cues: np.ndarray, classes: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Fit a multinomial regression.

    Args:
        cues: (samples, cues).
        classes: (samples,) numbers of `CLASSES`.
        seed: Of the noise on the cues.

    Returns:
        Name → tensor of the weights' file.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    mean, deviation = cues.mean(0), cues.std(0) + 1e-6
    z = torch.tensor(np.clip((cues - mean) / deviation, -3, 3), dtype=torch.float32)
    z = torch.cat([z + NOISE * torch.randn(z.shape, generator=generator) for _ in range(3)])
    target = torch.tensor(np.tile(classes, 3))
    wanted = np.array([PRIOR.get(name, 1.0) for name in CLASSES])
    weights = torch.tensor(wanted / wanted.sum() * len(classes) / np.maximum(np.bincount(classes, minlength=len(CLASSES)), 1)).float()
    layer = torch.nn.Linear(z.shape[1], len(CLASSES))
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(layer(z), target, weight=weights, label_smoothing=SMOOTHING)
        value = value + DECAY * layer.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return {"mean": mean, "deviation": deviation, "weight": layer.weight.detach().numpy(), "bias": layer.bias.detach().numpy()}


def train(speech: str, output: str, count: int = 1500, seed: int = 2) -> None:
    """Make the recordings, fit and write.

    Args:
        speech: Recordings of people who speak; see the top of this file.
        output: The weights' file.
        count: Recordings, as many of each class.
        seed: Of all that is made.
    """
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)
    pieces = collect_speech(speech, rng)
    cues, classes = [], []
    for number in range(count):
        rows, labels = stretches(*sample(CLASSES[number % len(CLASSES)], pieces, rng))
        cues += rows
        classes += labels
    tensors = fit(np.array(cues), np.array(classes))
    save_file({name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}, output)
    print({name: int(n) for name, n in zip(CLASSES, np.bincount(classes, minlength=len(CLASSES)))})


if __name__ == "__main__":
    run(train, many=None)
