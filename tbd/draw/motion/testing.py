"""Test clips drawn by a motion model as `tbd generate` would, and measured as `tbd ablate` does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.utilities import rank_zero_info

from tbd.draw.motion.batched import Script, draw_clips
from tbd.draw.randomness import clip_seed
from tbd.draw.sample_means import gather
from tbd.face.motion import Motion

QUICK = ("muscle_error", "au_r", "mouth_error", "mouth_r", "jaw_r", "lips_closed")
"""Metrics that a few clips suffice for."""

if TYPE_CHECKING:
    from tbd.data.datasets.whole_clips import PerformedClip
    from tbd.draw.motion.diffusion import MotionDiffusion


class Performance:
    """What a model has drawn in one validation or test.

    Args:
        names: metrics, of `tbd.metrics.motion_suite.MOTION_METRICS`; all where not given.
        seed: each clip's noise is drawn from it and the clip's name.
        num_inference_steps: instead of the model's own.
    """

    def __init__(self, names: Sequence[str] | None = None, seed: int = 0, num_inference_steps: int | None = None) -> None:
        self.names, self.seed, self.num_inference_steps = names, seed, num_inference_steps
        self.drawn: dict[str, tuple[PerformedClip, Motion]] = {}
        self._said = False

    @torch.no_grad()
    def perform(self, model: "MotionDiffusion", clips: Sequence["PerformedClip"]) -> None:
        """Draw some clips, in full precision as `tbd generate` does, whatever the trainer's is."""
        new = [clip for clip in clips if clip.name not in self.drawn]
        scripts = [Script(clip.audio, clip.plan, clip_seed(self.seed, clip.name)) for clip in new]
        with torch.autocast(model.device.type, enabled=False):
            motions = draw_clips(model, scripts, len(scripts), self.num_inference_steps) if scripts else []
        # sounds are the larger part of what would be kept, and have been heard
        self.drawn |= {clip.name: (replace(clip, audio=clip.audio[:0]), motion) for clip, motion in zip(new, motions)}

    def measure(self) -> dict[str, float]:
        """Metric → number over the clips of all processes, each counted once; forgets them."""
        from tbd.metrics.motion_suite import MOTION_METRICS, MotionSuite  # which drawing alone does without

        names = tuple(self.names or MOTION_METRICS)
        earlier = {name for names in gather(list(self.drawn))[: _rank()] for name in names}
        suite = MotionSuite(names)
        for name in sorted(self.drawn.keys() - earlier):
            clip, motion = self.drawn[name]
            plan = clip.plan if clip.planned else None
            suite.update(motion, clip.motion, plan, clip.emotion, clip.bilabials, motion.metadata.get("seams", ()))
        self.drawn = {}
        found = MotionSuite.merged(gather(suite.state())).compute()
        if found and not self._said and (missing := [name for name in names if name not in found]):
            self._said = True
            rank_zero_info(f"No {', '.join(missing)}: there are too few clips for it, or they do not tell what it is measured against.")
        return found


def _rank() -> int:
    distributed: Any = torch.distributed
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
