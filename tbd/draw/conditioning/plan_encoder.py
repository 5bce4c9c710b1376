"""Plans → tokens that a denoiser attends to."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.conditioning.plan_tensors import SIDES, UNITS, PlanTensors
from tbd.think.action_units import REGIONS
from tbd.think.emotions import EMOTIONS, blend_matrix
from tbd.utils.user_warnings import warn


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

    def adapt_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Fit weights that were trained with shorter tables of emotions and action units.

        An encoder that has a weight for each emotion gives those that were added since the weights that their blends make of the
        others (`EmotionSpec.blend`): plans of the emotions that were trained are drawn as before, to the last bit.

        Args:
            state: The encoder's weights by name.

        Returns:
            The weights in the shapes that this encoder has.

        Raises:
            InputError: If the weights know more emotions than the table, or a new emotion has no blend.
        """
        return dict(state)

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
        self.muscles_given = nn.Parameter(torch.randn(dim))
        self.emotion = nn.Linear(len(EMOTIONS), dim)

    def adapt_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give new emotions a column of the map and new action units embeddings of 0; see `PlanEncoder.adapt_state`."""
        weight, units = state["emotion.weight"], state["unit.weight"]  # (D, E), (U, D)
        missing = self.unit.num_embeddings - len(units)
        if missing > 0:
            names = ", ".join(f"AU{unit}" for unit in UNITS[-missing // len(SIDES) :])
            warn(f"The model was trained before {names} was added to tbd.think.action_units; of that it sees the region alone.")
            units = F.pad(units, (0, 0, 0, missing))
        return {**state, "emotion.weight": _blended(weight.T).T, "unit.weight": units}

    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        local = self.unit(plans.unit * len(SIDES) + plans.side) + self.region(plans.region)  # (B, N, D)
        presence = plans.action_presence(times)  # (B, N, T)
        return PlanEmbeds(
            self.emotion(plans.emotion),  # (B, S, D)
            plans.segment_presence(times),  # (B, S, T)
            torch.cat([self.muscles_given.expand(len(local), 1, -1), local], 1),  # (B, 1+N, D)
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

    def adapt_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give new emotions an embedding; see `PlanEncoder.adapt_state`."""
        return {**state, "emotion.weight": _blended(state["emotion.weight"])}  # (E, D)

    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        tokens = self.emotion(_strongest(plans.emotion))  # (B, S, D)
        presence = plans.segment_presence(times)  # (B, S, T)
        everywhere = torch.full_like(plans.unit[:, :1], len(REGIONS))
        return PlanEmbeds(tokens, presence, torch.zeros_like(tokens[:, :1]), torch.ones_like(presence[:, :1]), everywhere)


def _blended(rows: Tensor) -> Tensor:
    """(E', D) rows of the emotions that were trained → (E, D) of all in the table."""
    if len(rows) == len(EMOTIONS):
        return rows
    added = torch.from_numpy(blend_matrix(len(rows))[len(rows) :]).to(rows)
    return torch.cat([rows, added @ rows])


def _strongest(emotion: Tensor) -> Tensor:
    """(B, S, E) weights times intensity → (B, S) the place of the greatest weight; neutral's weight is whole already."""
    neutral = F.one_hot(torch.tensor(EMOTIONS.index("neutral"), device=emotion.device), len(EMOTIONS))
    calm = (emotion * neutral).sum(-1, keepdim=True)  # (B, S, 1)
    felt = emotion * (1 - neutral)
    felt = felt / felt.sum(-1, keepdim=True).clamp(min=1e-6) * (1 - calm)
    return (felt + emotion * neutral).argmax(-1)
