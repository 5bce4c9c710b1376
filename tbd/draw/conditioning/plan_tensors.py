"""Plans as padded tensors: what DataModules collate and plan encoders read."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tbd.draw.conditioning.captions import NEUTRAL, caption_regions, caption_segment
from tbd.think.action_units import ACTION_UNITS, REGIONS
from tbd.think.emotions import EMOTIONS
from tbd.think.plan import RELEASE, RISE, MusclePlan

UNITS = tuple(ACTION_UNITS)


SIDES = ("both", "left", "right")


OPEN_END = 1e4
"""Seconds that stand for "open-ended": far outside any recording, small enough for float32 to subtract from."""


@dataclass
class PlanTensors:
    """B plans as padded tensors, which can be cut into windows and moved to a device.

    Actions, each (B, N): `unit` int64 (0 is padding, k is ``UNITS[k-1]``), `side` and `region` int64 (places in `SIDES`
    and `REGIONS`), `intensity` 0..1, and `onset`, `apex`, `offset` in seconds from the start of the window.
    Segments: `emotion` (B, S, E) weights in the order of `EMOTIONS` times the intensity (zeros are padding), `start`
    and `end` (B, S) in seconds from the start of the window.
    Words, for text encoders: `segment_text` (B, S) and `region_text` (B, 5) int64 are places in `texts`, which the whole batch
    shares, so that picking rows and moving to a device touch numbers alone. Place 0 is the neutral caption; it also stands
    where there is no segment or no action of the region.
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
            unit=torch.zeros(b, actions, dtype=torch.long),
            side=torch.zeros(b, actions, dtype=torch.long),
            region=torch.zeros(b, actions, dtype=torch.long),
            intensity=torch.zeros(b, actions),
            onset=torch.zeros(b, actions),
            apex=torch.zeros(b, actions),
            offset=torch.zeros(b, actions),
            emotion=torch.zeros(b, segments, len(EMOTIONS)),
            start=torch.zeros(b, segments),
            end=torch.zeros(b, segments),
            segment_text=torch.zeros(b, segments, dtype=torch.long),
            region_text=torch.zeros(b, len(REGIONS), dtype=torch.long),
            texts=(),
        )
        for i, plan in enumerate(plans):
            for j, a in enumerate(plan.actions):
                onset = -OPEN_END if a.onset is None else a.onset
                apex = onset + RISE if a.apex is None else max(a.apex, onset + 1e-3)
                out.unit[i, j] = UNITS.index(a.unit) + 1
                out.side[i, j] = SIDES.index(a.side)
                out.region[i, j] = REGIONS.index(ACTION_UNITS[a.unit].region)
                out.intensity[i, j], out.onset[i, j], out.apex[i, j] = a.intensity, onset, apex
                out.offset[i, j] = OPEN_END if a.offset is None else a.offset
            for j, s in enumerate(plan.timeline()):
                for name, weight in s.emotions.items():
                    # a neutral segment has no intensity of its own, yet must differ from one that is withheld
                    out.emotion[i, j, EMOTIONS.index(name)] = weight * (1.0 if name == "neutral" else s.intensity)
                out.start[i, j] = s.start if s.start > 0 else -OPEN_END
                out.end[i, j] = OPEN_END if s.end is None else s.end
                out.segment_text[i, j] = places.setdefault(caption_segment(s), len(places))
            for region, text in caption_regions(plan).items():
                out.region_text[i, REGIONS.index(region)] = places.setdefault(text, len(places))
        return replace(out, texts=tuple(places))

    def __getitem__(self, rows: Tensor | slice) -> "PlanTensors":
        return self.replaced(**{name: value[rows] for name, value in self._tensors().items()})

    def to(self, device: torch.device | str) -> "PlanTensors":
        """Move all tensors to a device."""
        return self.replaced(**{name: value.to(device) for name, value in self._tensors().items()})

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the plans' own texts alone, not those of the whole corpus that they were picked from."""
        used = sorted({0, *self.segment_text.unique().tolist(), *self.region_text.unique().tolist()})
        kept = torch.tensor(used, device=self.segment_text.device)
        ids = {name: torch.searchsorted(kept, getattr(self, name)) for name in ("segment_text", "region_text")}
        return {**self.__dict__, **ids, "texts": tuple(self.texts[i] for i in used)}

    def replaced(self, **tensors: Tensor) -> "PlanTensors":
        """The same plans with some tensors replaced, each by one of its own shape."""
        other = replace(self)
        for name, tensor in tensors.items():
            setattr(other, name, tensor)
        return other

    def _tensors(self) -> dict[str, Tensor]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "texts"}

    def shifted(self, seconds: Tensor) -> "PlanTensors":
        """Shift times to windows that start `seconds` (B,) later."""
        return self.replaced(**{name: getattr(self, name) - seconds[:, None] for name in ("onset", "apex", "offset", "start", "end")})

    def neutral(self) -> "PlanTensors":
        """Replace the emotions by neutral; the muscles stay."""
        emotion = torch.zeros_like(self.emotion)
        emotion[:, 0, EMOTIONS.index("neutral")] = 1
        start, end = torch.full_like(self.start, -OPEN_END), torch.full_like(self.end, OPEN_END)
        return replace(self, emotion=emotion, segment_text=torch.zeros_like(self.segment_text), start=start, end=end)

    def action_presence(self, times: Tensor) -> Tensor:
        """Compute (B, N, T), the intensity of each action at `times` (T,) seconds; `MuscleAction.envelope` in torch."""
        t = times[None, None]
        rise = _smoothstep((t - self.onset[..., None]) / (self.apex - self.onset).clamp(min=1e-3)[..., None])
        fall = _smoothstep((t - self.offset[..., None]) / RELEASE)
        return (self.intensity * (self.unit > 0))[..., None] * rise * (1 - fall)

    def region_presence(self, times: Tensor) -> Tensor:
        """Compute (B, 5, T), the intensity of the strongest action of each region of `REGIONS` at `times` (T,) seconds."""
        own = F.one_hot(self.region, len(REGIONS))  # (B, N, 5)
        return (self.action_presence(times)[:, :, None] * own[..., None]).amax(1)

    def segment_presence(self, times: Tensor) -> Tensor:
        """Compute (B, S, T) 0..1, the presence of each segment at `times` (T,) seconds; neighbours cross-fade over `RISE`."""
        t = times[None, None]
        there = _smoothstep((t - self.start[..., None]) / RISE) * (1 - _smoothstep((t - self.end[..., None]) / RISE))
        return there * (self.emotion.sum(-1) > 0)[..., None]


def _smoothstep(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
