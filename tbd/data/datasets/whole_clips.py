"""`PerformedClips`: whole clips on which a model is tested, with its conditions and the true motion."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from tbd.data.datasets.packed import TrainingClip
from tbd.face.motion import Motion
from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.media.wav import read_wave
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import MusclePlan


@dataclass(frozen=True)
class PerformedClip:
    """One clip of a test.

    Args:
        name: Unique; the noise that generation starts from depends on it.
        audio: (N,) float32 at 16 kHz in −1..1.
        plan: The emotion and the muscles that move.
        planned: Whether the plan is known.
        motion: The true motion.
        emotion: Index of its label in `EMOTIONS`; None where it has none.
        bilabials: (K, 2) seconds of b, p and m; None where they are not known.
    """

    name: str
    audio: np.ndarray
    plan: MusclePlan
    planned: bool
    motion: Motion
    emotion: int | None = None
    bilabials: np.ndarray | None = None


class PerformedClips(Dataset):
    """Reads clips one by one. Indexed by a list of numbers, it gives a list of `PerformedClip`.

    Args:
        clips: Clips of one split.
    """

    def __init__(self, clips: Sequence[TrainingClip]) -> None:
        self.clips = clips
        self.names: list[str] = []
        seen: Counter[str] = Counter()
        for clip in clips:  # data sets that are mixed may use a name twice
            seen[clip.name] += 1
            self.names.append(clip.name if seen[clip.name] == 1 else f"{clip.name} ({seen[clip.name]})")

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> PerformedClip:
        clip = self.clips[index]
        silence = np.zeros(clip.frames * SAMPLES_PER_FRAME, np.float32)
        return PerformedClip(
            name=self.names[index],
            audio=silence if clip.audio is None else read_wave(clip.audio),
            plan=clip.plan or MusclePlan(),
            planned=clip.plan is not None,
            motion=Motion.load(clip.motion),
            emotion=EMOTIONS.index(clip.emotion) if clip.emotion in EMOTIONS else None,
            bilabials=None if clip.phones is None else _bilabials(clip.phones),
        )

    def __getitems__(self, indices: Sequence[int]) -> list[PerformedClip]:
        return [self[index] for index in indices]


def _bilabials(path: Path) -> np.ndarray:
    from tbd.data.synthetic.visemes import bilabial_times
    from tbd.speech.phones import load_phones

    return bilabial_times(load_phones(path))
