"""What keeps drawn lips from following real speech? The jaw's correlation taken apart, on the clips of `benchmarks.real_speech`.

Protocol ``lip_limits-1``. What a recording tells of a jaw at all: networks and regressions that learn from these very faces, each judged on
people that it has not seen (so they are no model to ship). What phones tell by the rules of the procedural corpus: by the phones of aligned
words, by the nearest phones without words, by both, and with the voice's loudness added. And what the motion model draws by itself, without
the idle motion of a pipeline: one seed, and the mean over seeds. Each figure is the best correlation within ±6 frames, its interval
bootstrapped over people.

    python -m benchmarks.lip_limits CLIP.wav ... --manifest clips.csv --output out.json
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.common import environment, run, table, write_results
from benchmarks.real_speech import (
    ARTICULATORS,
    LONGEST,
    SpeechClip,
    articulation,
    best_correlation,
    draw_all,
    drawings_of,
    interval,
    read_clips,
)
from tbd import MOTION_MODEL
from tbd.data.synthetic.visemes import loudness_of, speech_lips
from tbd.draw.motion.loading import load_motion_model
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.speech.alignment import SYMBOLS, phone_track
from tbd.speech.phones import Phone, load_phones, save_phones
from tbd.speech.recognizer import SphinxRecognizer
from tbd.speech.rhythm import mel_levels

FOLDS = 5
"""Parts of the people, each judged by what has learnt from the others."""
_LOUDNESS = 0.3
"""Weight of loudness beside the jaw, both with a deviation of 1."""
_MEL_OFFSETS, _PHONE_OFFSETS = range(-30, 31, 3), range(-20, 21, 5)
"""Hundredths of a second around a frame that a regression is given."""
_EPOCHS, _WINDOW, _WIDTH = 25, 75, 64
Tracks = Mapping[str, np.ndarray]
"""Clip → (T,) a track."""


def recognize(clips: Mapping[str, SpeechClip], words: bool, kept: Path | None) -> dict[str, list[Phone]]:
    """Clip → its phones, kept in a folder where one is given."""
    recognizer, found = SphinxRecognizer(words), {}
    for name, clip in clips.items():
        path = None if kept is None else kept / f"{name}_{recognizer.name}.csv"
        if path is None or not path.exists():
            found[name] = recognizer.listen(clip.audio)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                save_phones(found[name], path)
        else:
            found[name] = load_phones(path)
    return found


def standardized(values: np.ndarray) -> np.ndarray:
    """The same, each column with mean 0 and deviation 1."""
    return (values - values.mean(0)) / (values.std(0) + 1e-3)


def around(values: np.ndarray, frames: int, offsets: Sequence[int]) -> np.ndarray:
    """(frames, offsets · C) values at 100 Hz around the middle of each frame, without their mean."""
    rows = ((np.arange(frames)[:, None] + 0.5) * 100 / FPS + np.array(offsets)).astype(int)
    seen = values[np.clip(rows, 0, len(values) - 1)].reshape(frames, -1)
    return seen - seen.mean(0)


Learner = Callable[[list[np.ndarray], list[np.ndarray]], Callable[[np.ndarray], np.ndarray]]
"""Inputs (T, C) and targets (T,) of clips → a function from one to the other."""


def ridge(inputs: list[np.ndarray], targets: list[np.ndarray], penalty: float = 3000.0) -> Callable[[np.ndarray], np.ndarray]:
    """Linear regression with an L2 penalty."""
    size = inputs[0].shape[1]
    gram = sum((x.T @ x for x in inputs), np.zeros((size, size)))
    weights = np.linalg.solve(gram + penalty * np.eye(size), sum((x.T @ y for x, y in zip(inputs, targets)), np.zeros(size)))
    return lambda values: values @ weights


class _Network(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.proj_in, self.dropout = nn.Linear(size, _WIDTH), nn.Dropout(0.3)
        self.recurrent = nn.GRU(_WIDTH, _WIDTH, bidirectional=True, batch_first=True)
        self.proj_out = nn.Linear(2 * _WIDTH, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dropout(torch.relu(self.proj_in(x)))  # (B, T, W)
        return self.proj_out(self.dropout(self.recurrent(x)[0]))[..., 0]  # (B, T)


def network(inputs: list[np.ndarray], targets: list[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """A bidirectional recurrent network of 60 thousand weights."""
    torch.manual_seed(0)
    model, rng = _Network(inputs[0].shape[1]), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    long = [i for i, x in enumerate(inputs) if len(x) >= _WINDOW] or list(range(len(inputs)))
    length = min(_WINDOW, *(len(inputs[i]) for i in long))
    for _ in range(_EPOCHS):
        order = rng.permutation(long)
        for first in range(0, len(order), 16):
            cuts = [(i, rng.integers(len(inputs[i]) - length + 1)) for i in order[first : first + 16]]
            x, y = (torch.tensor(np.stack([v[i][at : at + length] for i, at in cuts]), dtype=torch.float32) for v in (inputs, targets))
            loss = (model(x + 0.2 * torch.randn_like(x)) - y).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    return lambda values: model(torch.tensor(values, dtype=torch.float32)[None]).detach().numpy()[0]


def held_out(clips: Mapping[str, SpeechClip], inputs: Tracks, targets: Tracks, learn: Learner) -> dict[str, np.ndarray]:
    """Clip → what is predicted of it by what has learnt from other people's."""
    people = sorted({clip.person for clip in clips.values()})
    order = np.random.default_rng(0).permutation(len(people))
    fold = {people[k]: place % FOLDS for place, k in enumerate(order)}
    out = {}
    for number in range(min(FOLDS, len(people))):
        seen = [name for name, clip in clips.items() if fold[clip.person] != number]
        predict = learn([inputs[name] for name in seen], [standardized(targets[name]) for name in seen])
        out |= {name: predict(inputs[name]) for name, clip in clips.items() if fold[clip.person] == number}
    return out


Phones = Mapping[bool, Mapping[str, list[Phone]]]
"""Whether words were recognized, or the nearest phones → clip → its phones."""


def predictions(clips: Mapping[str, SpeechClip], name: str, targets: Tracks, phones: Phones) -> dict[str, Tracks]:
    """What is tried → clip → a track of one articulator."""
    frames = {clip: len(track) for clip, track in targets.items()}
    loudness = {clip: loudness_of(found.audio, frames[clip]) for clip, found in clips.items()}
    lips = {
        words: {clip: articulation(speech_lips(p, loudness[clip]).values, name) for clip, p in found.items()}
        for words, found in phones.items()
    }
    one_hot = np.eye(len(SYMBOLS))
    spoken = {c: around(one_hot[phone_track(p, frames[c])], frames[c], _PHONE_OFFSETS) for c, p in phones[True].items()}
    mel = {clip: standardized(mel_levels(found.audio)) for clip, found in clips.items()}
    sound_around = {clip: around(values, frames[clip], _MEL_OFFSETS) for clip, values in mel.items()}
    near = {clip: around(values, frames[clip], range(-6, 7, 3)) for clip, values in mel.items()}
    return {
        "rules, phones of words": lips[True],
        "rules, nearest phones": lips[False],
        "rules, mean of both": {clip: lips[True][clip] + lips[False][clip] for clip in clips},
        "rules, phones of words, and loudness": {
            clip: standardized(lips[True][clip]) + _LOUDNESS * standardized(np.clip(loudness[clip], -30, 6)) for clip in clips
        },
        "other people's film: regression from phones": held_out(clips, spoken, targets, lambda x, y: ridge(x, y, 400.0)),
        "other people's film: regression from sound": held_out(clips, sound_around, targets, ridge),
        "other people's film: network from sound": held_out(clips, near, targets, network),
    }


def lip_limits(
    clips: Sequence[Path],
    landmarker: Path | None = None,
    manifest: Path | None = None,
    language: str = "en",
    model: str = MOTION_MODEL,
    seeds: int = 0,
    drawings: Path | None = None,
    phones: Path | None = None,
    second: Path | None = None,
    output: Path | None = None,
) -> None:
    """Take the correlation of jaws and lips apart.

    Args:
        clips: videos, or wave files with a motion beside them.
        landmarker: MediaPipe's face_landmarker.task, for videos.
        manifest: a table of clips with the columns id (the clip's name), person and language.
        language: clips of which language, where there is a manifest.
        model: packaged name, folder, or hub repository of a motion model.
        seeds: drawings of each clip; 0: none, which takes a minute instead of many.
        drawings: a folder where drawings are kept, and from which those that are there are taken; see `benchmarks.real_speech`.
        phones: the same for phones.
        second: a folder with motions of the same faces by another tracker; clips that are not in it are left out.
        output: a .json file for the results; a table goes beside it as .md.
    """
    found = read_clips(clips, landmarker, manifest, LONGEST)
    if manifest is not None:
        found = {name: clip for name, clip in found.items() if clip.language == language}
    if second is not None:
        found = {name: clip for name, clip in found.items() if (second / f"{name}.npz").exists()}
    if len({clip.person for clip in found.values()}) < 2:
        raise InputError("Name clips of two people or more who talk: each is judged by what has learnt from the others.")
    drawn = draw_all(load_motion_model(model), found, seeds, kept=drawings_of(drawings, model)) if seeds else {}
    results: dict[str, Any] = {"protocol": "lip_limits-1", "environment": environment(), "clips": len(found), "seeds": seeds}
    rows: dict[str, list[Any]] = {}
    recognized = {words: recognize(found, words, phones) for words in (True, False)} if second is None else {}
    for name in ARTICULATORS:
        frames = {clip: min(len(c.tracked), len(c.audio) // SAMPLES_PER_FRAME) for clip, c in found.items()}
        targets = {clip: articulation(c.tracked.values[: frames[clip]], name) for clip, c in found.items()}
        tracks = {clip: [articulation(motion, name) for motion in motions] for clip, motions in drawn.items()}
        tried = predictions(found, name, targets, recognized) if second is None else {}
        if drawn:
            tried["drawn"] = {clip: motions[0] for clip, motions in tracks.items()}
            if seeds > 1:
                tried[f"drawn, mean of {seeds} seeds"] = {clip: np.mean(motions, 0) for clip, motions in tracks.items()}
        pairs: dict[str, tuple[Tracks, Tracks]] = {what: (made, targets) for what, made in tried.items()}
        if second is not None:
            other = {clip: articulation(Motion.load(second / f"{clip}.npz").values, name)[: frames[clip]] for clip in found}
            pairs["the other tracker"] = other, targets
            both = {clip: standardized(other[clip]) + standardized(targets[clip][: len(other[clip])]) for clip in found}
            if drawn:
                pairs["drawn, against the other tracker"] = tried["drawn"], other
                pairs["drawn, against the mean of both"] = tried["drawn"], both
        for what, (made, wanted) in pairs.items():
            scores = [best_correlation(made[clip], wanted[clip])[0] for clip in found]
            low, high = interval(scores, [clip.person for clip in found.values()])
            results.setdefault(what, {})[name] = {"mean": float(np.mean(scores)), "interval": (low, high)}
            rows.setdefault(what, [what]).append(f"{np.mean(scores):.2f} ({low:.2f} to {high:.2f})")
    people = len({clip.person for clip in found.values()})
    report = f"## lip_limits-1\n\n{len(found)} clips of {people} people.\n\n" + table(["", *ARTICULATORS], list(rows.values()))
    write_results(output, results, report)


if __name__ == "__main__":
    run(lip_limits, many="clips", default=())
