"""Plans → tokens that a denoiser attends to."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.think.action_units import ACTION_UNITS, EMOTIONS, REGIONS
from tbd.think.captions import NEUTRAL, caption_feeling, caption_regions
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
    Segments: `emotion` (B, S, 8) weights in the order of `EMOTIONS` times the intensity (zeros are padding), `start`
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


class PlanEmbeds(NamedTuple):
    """What a plan encoder hands to a denoiser, in two groups that guidance can switch separately.

    `global_tokens` (B, S, D) say what is felt; `local_tokens` (B, N, D) say which muscles carry it. A presence, (B, S, T)
    and (B, N, T), says how strongly each token is there at each frame: 0 hides it. So a timeline reaches the right frames
    by construction, and dropping a condition is a presence of zero. `local_region` (B, N) int64 says where on the face a
    local token belongs: a place in `REGIONS`, or ``len(REGIONS)`` for one that concerns the whole face.

    A tuple, since PyTorch 2.11's FSDP looks for a module's outputs in tuples, lists and dicts alone.
    """

    global_tokens: Tensor
    global_presence: Tensor
    local_tokens: Tensor
    local_presence: Tensor
    local_region: Tensor

    def only(self, keep_global: Tensor, keep_local: Tensor) -> "PlanEmbeds":
        """The same plans with a group hidden where `keep_global` or `keep_local`, (B,) of 0 or 1, is 0."""
        return PlanEmbeds(
            self.global_tokens,
            self.global_presence * keep_global[:, None, None],
            self.local_tokens,
            self.local_presence * keep_local[:, None, None],
            self.local_region,
        )

    @classmethod
    def cat(cls, parts: Sequence["PlanEmbeds"]) -> "PlanEmbeds":
        """Batches, one behind the other: the branches of one guided step run as one batch."""
        return cls(*map(torch.cat, zip(*parts)))


class PlanEncoder(nn.Module, ABC):
    """Turns plans into tokens.

    An implementation maps `PlanTensors` and the frames' times to `PlanEmbeds` of width `dim`. Each plan of the batch must
    be encoded by itself (the same whatever else is in the batch), and a hidden or padded action must have presence 0.
    """

    dim: int

    @abstractmethod
    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        """Encode a batch.

        Args:
            plans: B plans, their times in seconds from the start of the window.
            times: (T,) seconds of the window's frames.
        """


class MuscleTokenEncoder(PlanEncoder):
    """One token per action unit at work and one per feeling in the timeline, learnt with the denoiser.

    A local token is the sum of a unit-on-a-side's and a region's embedding; its intensity and timing are its presence. One
    more local token is always there and says that the muscles have been told, since "no muscle moves" and "nobody said
    which muscles move" are different plans. A global token is a linear map of the emotion weights, so mixtures lie between
    their parts.

    Args:
        dim: width of the tokens.
    """

    def __init__(self, dim: int = 320) -> None:
        super().__init__()
        self.dim = dim
        # a unit asked on one side is another movement than on both, not the sum of two words
        self.unit = nn.Embedding((len(UNITS) + 1) * len(SIDES), dim)
        self.region = nn.Embedding(len(REGIONS), dim)
        self.told = nn.Parameter(torch.randn(dim))
        self.emotion = nn.Linear(len(EMOTIONS), dim)

    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        local = self.unit(plans.unit * len(SIDES) + plans.side) + self.region(plans.region)  # (B, N, D)
        presence = plans.action_presence(times)  # (B, N, T)
        return PlanEmbeds(
            self.emotion(plans.emotion),  # (B, S, D)
            plans.segment_presence(times),  # (B, S, T)
            torch.cat([self.told.expand(len(local), 1, -1), local], 1),  # (B, 1+N, D)
            torch.cat([torch.ones_like(presence[:, :1]), presence], 1),  # (B, 1+N, T)
            F.pad(plans.region, (1, 0), value=len(REGIONS)),  # (B, 1+N)
        )


class LabelEncoder(PlanEncoder):
    """The emotion word alone: what the field hands to a diffusion, and the ablation's baseline.

    A segment's token is its strongest emotion, without intensity. The local group is one token of zeros that is always there:
    guidance can switch it, but it says nothing of any muscle.

    Args:
        dim: width of the tokens.
    """

    def __init__(self, dim: int = 320) -> None:
        super().__init__()
        self.dim = dim
        self.emotion = nn.Embedding(len(EMOTIONS), dim)

    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        tokens = self.emotion(_strongest(plans.emotion))  # (B, S, D)
        presence = plans.segment_presence(times)  # (B, S, T)
        everywhere = torch.full_like(plans.unit[:, :1], len(REGIONS))
        return PlanEmbeds(tokens, presence, torch.zeros_like(tokens[:, :1]), torch.ones_like(presence[:, :1]), everywhere)


def _strongest(emotion: Tensor) -> Tensor:
    """(B, S, 8) weights times intensity → (B, S) the place of the greatest weight; neutral's weight is whole already."""
    neutral = F.one_hot(torch.tensor(EMOTIONS.index("neutral"), device=emotion.device), len(EMOTIONS))
    calm = (emotion * neutral).sum(-1, keepdim=True)  # (B, S, 1)
    felt = emotion * (1 - neutral)
    felt = felt / felt.sum(-1, keepdim=True).clamp(min=1e-6) * (1 - calm)
    return (felt + emotion * neutral).argmax(-1)


def _smoothstep(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
