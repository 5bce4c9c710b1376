"""Test clips, drawn by a motion model as `tbd generate` would and measured as `tbd ablate` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info

from tbd.draw.motion.batched import ClipRequest, WindowSampler, draw_clips
from tbd.draw.randomness import clip_seed
from tbd.draw.sample_means import gather
from tbd.face.motion import Motion
from tbd.think.plan import MusclePlan

QUICK = ("muscle_error", "au_r", "mouth_error", "mouth_r", "jaw_r", "lips_closed")
"""Metrics that a few clips suffice for."""


class RecordedClip(Protocol):
    """A recorded clip that a model is tested on, such as a `tbd.data.datasets.whole_clips.PerformedClip`."""

    @property
    def name(self) -> str:
        """Its name, unique among all; it decides the noise."""

    @property
    def audio(self) -> np.ndarray:
        """(N,) float32 samples at 16 kHz."""

    @property
    def plan(self) -> MusclePlan:
        """The plan that is drawn from."""

    @property
    def planned(self) -> bool:
        """Whether the data set has the plan."""

    @property
    def motion(self) -> Motion:
        """The true motion."""

    @property
    def emotion(self) -> int | None:
        """Place of its label in `EMOTIONS`; None where it has none."""

    @property
    def bilabials(self) -> np.ndarray | None:
        """(K, 2) seconds of its bilabials; None where they are unknown."""


@dataclass(frozen=True)
class _Drawn:
    """What is measured of a clip; the sound is not kept."""

    motion: Motion
    true: Motion
    plan: MusclePlan | None
    emotion: int | None
    bilabials: np.ndarray | None


class MotionClipMetrics:
    """Metrics of the clips that a model has drawn in one validation or test.

    Args:
        names: Metrics of `tbd.metrics.motion_suite.MOTION_METRICS`; all where not given.
        seed: Each clip's noise is drawn from it and the clip's name.
        num_inference_steps: Denoising steps; None for the model's own number.
    """

    def __init__(self, names: Sequence[str] | None = None, seed: int = 0, num_inference_steps: int | None = None) -> None:
        self.names, self.seed, self.num_inference_steps = names, seed, num_inference_steps
        self._drawn: dict[str, _Drawn] = {}
        self._warned = False

    @torch.no_grad()
    def update(self, model: WindowSampler, clips: Sequence[RecordedClip]) -> None:
        """Draw clips, in full precision as `tbd generate` does, whatever the trainer's is.

        Args:
            model: The model.
            clips: The clips; one that comes once more counts once.
        """
        new = [clip for clip in clips if clip.name not in self._drawn]
        requests = [ClipRequest(clip.audio, clip.plan, clip_seed(self.seed, clip.name)) for clip in new]
        with torch.autocast(model.device.type, enabled=False):
            motions = draw_clips(model, requests, len(requests), self.num_inference_steps) if requests else []
        for clip, motion in zip(new, motions):
            plan = clip.plan if clip.planned else None
            self._drawn[clip.name] = _Drawn(motion, clip.motion, plan, clip.emotion, clip.bilabials)

    def compute(self) -> dict[str, float]:
        """Metric → number over the clips of all processes, each counted once; forgets them."""
        from tbd.metrics.motion_suite import MOTION_METRICS, MotionSuite  # which drawing alone does without

        names = tuple(self.names or MOTION_METRICS)
        earlier = {name for names in gather(list(self._drawn))[: _rank()] for name in names}
        suite = MotionSuite(names)
        for name in sorted(self._drawn.keys() - earlier):
            clip = self._drawn[name]
            suite.update(clip.motion, clip.true, clip.plan, clip.emotion, clip.bilabials, clip.motion.metadata.get("seams", ()))
        self._drawn = {}
        found = MotionSuite.merged(gather(suite.state())).compute()
        if found and not self._warned and (missing := [name for name in names if name not in found]):
            self._warned = True
            rank_zero_info(f"No {', '.join(missing)}: there are too few clips, or the clips lack what it is measured against.")
        return found


def _rank() -> int:
    distributed: Any = torch.distributed
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
