"""Plans as padded tensors: what DataModules collate and plan encoders read."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tbd.draw.conditioning.captions import NEUTRAL, caption_feeling, caption_regions
from tbd.think.action_units import ACTION_UNITS, REGIONS
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import RELEASE, RISE, MusclePlan

UNITS = tuple(ACTION_UNITS)


SIDES = ("both", "left", "right")


_ALWAYS = 1e4
"""Seconds that stand for "open-ended": far outside any recording, near enough for float32 to subtract from."""


@dataclass
class PlanTensors:
    """Plans as padded tensors, so that a batch of them can be cut into windows and moved to a device.

    Actions, each (B, N): `unit` int64 (0 is padding, k is ``UNITS[k-1]``), `side` and `region` int64 (places in `SIDES`
    and `REGIONS`), `intensity` 0..1, and `onset`, `apex`, `offset` in seconds from the start of the window.
    Segments: `emotion` (B, S, E) weights in the order of `EMOTIONS` times the intensity (zeros are padding), `start`
    and `end` (B, S) in seconds from the start of the window.
    Words, for text encoders: `segment_text` (B, S) and `region_text` (B, 5) int64 are places in `texts`, which the whole batch
    shares, so that picking rows and moving to a device touch numbers alone. Place 0 is the neutral feeling; it also stands
    where there is no segment or no muscle of the region.
    """

    unit: Tensor
    side: Tensor
    region: Tensor
    intensity: Tensor
    onset: Tensor
    apex: Tensor
    offset: Tensor
    emotion: Tensor
    start: Tensor
    end: Tensor
    segment_text: Tensor
    region_text: Tensor
    texts: tuple[str, ...]

    @classmethod
    def collate(cls, plans: Sequence[MusclePlan]) -> "PlanTensors":
        """Pad a list of plans to the longest."""
        actions = max([1] + [len(p.actions) for p in plans])
        segments = max(len(p.timeline()) for p in plans)
        b = len(plans)
        places = {NEUTRAL: 0}
        out = cls(
            *(torch.zeros(b, actions, dtype=torch.long) for _ in range(3)),
            *(torch.zeros(b, actions) for _ in range(4)),
            torch.zeros(b, segments, len(EMOTIONS)),
            torch.zeros(b, segments),
            torch.zeros(b, segments),
            torch.zeros(b, segments, dtype=torch.long),
            torch.zeros(b, len(REGIONS), dtype=torch.long),
            (),
        )
        for i, plan in enumerate(plans):
            for j, a in enumerate(plan.actions):
                onset = -_ALWAYS if a.onset is None else a.onset
                apex = onset + RISE if a.apex is None else max(a.apex, onset + 1e-3)
                out.unit[i, j] = UNITS.index(a.unit) + 1
                out.side[i, j] = SIDES.index(a.side)
                out.region[i, j] = REGIONS.index(ACTION_UNITS[a.unit].region)
                out.intensity[i, j], out.onset[i, j], out.apex[i, j] = a.intensity, onset, apex
                out.offset[i, j] = _ALWAYS if a.offset is None else a.offset
            for j, s in enumerate(plan.timeline()):
                for name, weight in s.emotions.items():
                    # a neutral feeling has no intensity of its own, yet must differ from "nothing was said"
                    out.emotion[i, j, EMOTIONS.index(name)] = weight * (1.0 if name == "neutral" else s.intensity)
                out.start[i, j] = s.start if s.start > 0 else -_ALWAYS
                out.end[i, j] = _ALWAYS if s.end is None else s.end
                out.segment_text[i, j] = places.setdefault(caption_feeling(s), len(places))
            for region, text in caption_regions(plan).items():
                out.region_text[i, REGIONS.index(region)] = places.setdefault(text, len(places))
        return replace(out, texts=tuple(places))

    def __getitem__(self, rows: Tensor | slice) -> "PlanTensors":
        return replace(self, **{name: value[rows] for name, value in self._tensors().items()})

    def to(self, device: torch.device | str) -> "PlanTensors":
        return replace(self, **{name: value.to(device) for name, value in self._tensors().items()})

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process takes its own texts along, not those of the corpus that it was picked from."""
        used = sorted({0, *self.segment_text.unique().tolist(), *self.region_text.unique().tolist()})
        kept = torch.tensor(used, device=self.segment_text.device)
        ids = {name: torch.searchsorted(kept, getattr(self, name)) for name in ("segment_text", "region_text")}
        return {**self.__dict__, **ids, "texts": tuple(self.texts[i] for i in used)}

    def _tensors(self) -> dict[str, Tensor]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "texts"}

    def shifted(self, seconds: Tensor) -> "PlanTensors":
        """The same plans seen from windows that start `seconds` (B,) later."""
        return replace(self, **{name: getattr(self, name) - seconds[:, None] for name in ("onset", "apex", "offset", "start", "end")})

    def neutral(self) -> "PlanTensors":
        """The same plans with nothing felt; the muscles stay."""
        emotion = torch.zeros_like(self.emotion)
        emotion[:, 0, EMOTIONS.index("neutral")] = 1
        always = {"start": torch.full_like(self.start, -_ALWAYS), "end": torch.full_like(self.end, _ALWAYS)}
        return replace(self, emotion=emotion, segment_text=torch.zeros_like(self.segment_text), **always)

    def action_presence(self, times: Tensor) -> Tensor:
        """(B, N, T) intensity of each action at `times` (T,) seconds; `MuscleAction.envelope` in torch."""
        t = times[None, None]
        rise = _smoothstep((t - self.onset[..., None]) / (self.apex - self.onset).clamp(min=1e-3)[..., None])
        fall = _smoothstep((t - self.offset[..., None]) / RELEASE)
        return (self.intensity * (self.unit > 0))[..., None] * rise * (1 - fall)

    def region_presence(self, times: Tensor) -> Tensor:
        """(B, 5, T) intensity of the strongest action of each region of `REGIONS` at `times` (T,) seconds."""
        own = F.one_hot(self.region, len(REGIONS))  # (B, N, 5)
        return (self.action_presence(times)[:, :, None] * own[..., None]).amax(1)

    def segment_presence(self, times: Tensor) -> Tensor:
        """(B, S, T) 0..1: how far each segment reigns at `times` (T,) seconds; neighbours cross-fade over `RISE`."""
        t = times[None, None]
        there = _smoothstep((t - self.start[..., None]) / RISE) * (1 - _smoothstep((t - self.end[..., None]) / RISE))
        return there * (self.emotion.sum(-1) > 0)[..., None]


def _smoothstep(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
