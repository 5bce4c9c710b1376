"""Plan encoders: plans → tokens that a denoiser attends to."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.conditioning.plan_tensors import SIDES, UNITS, PlanTensors
from tbd.draw.pretrained import PortableModule
from tbd.think.action_units import REGIONS
from tbd.think.emotions import EMOTIONS, blend_matrix
from tbd.utils.user_warnings import warn


class PlanEmbeds(NamedTuple):
    """Tokens of B plans, in two groups that guidance switches separately: emotions (global) and muscles (local).

    A token's presence is its strength at each frame; 0 hides it. So a timeline reaches the right frames by construction, and
    dropping a condition is a presence of zero.

    A tuple, since PyTorch 2.11's FSDP looks for a module's outputs in tuples, lists and dicts alone.
    """

    global_tokens: Tensor
    """(B, S, D) emotions."""
    global_presence: Tensor
    """(B, S, T) 0..1."""
    local_tokens: Tensor
    """(B, N, D) muscles."""
    local_presence: Tensor
    """(B, N, T) 0..1."""
    local_region: Tensor
    """(B, N) int64, a local token's region: a place in `REGIONS`, or ``len(REGIONS)`` for one that concerns the whole face."""

    def only(self, keep_global: Tensor, keep_local: Tensor) -> "PlanEmbeds":
        """Hide groups of tokens.

        Args:
            keep_global: (B,) 0 where the emotions are hidden, 1 elsewhere.
            keep_local: (B,) 0 where the muscles are hidden, 1 elsewhere.

        Returns:
            The same plans with those groups hidden.
        """
        return PlanEmbeds(
            self.global_tokens,
            self.global_presence * keep_global[:, None, None],
            self.local_tokens,
            self.local_presence * keep_local[:, None, None],
            self.local_region,
        )

    def from_frame(self, frame: int) -> "PlanEmbeds":
        """Leave the first frames out.

        Args:
            frame: The first frame that stays.

        Returns:
            The same plans for the frames from there on.
        """
        presence = {name: getattr(self, name)[..., frame:] for name in ("global_presence", "local_presence")}
        return self._replace(**presence)

    @classmethod
    def cat(cls, parts: Sequence["PlanEmbeds"]) -> "PlanEmbeds":
        """Join batches, one behind the other: the branches of one guided step run as one batch."""
        return cls(*map(torch.cat, zip(*parts)))


class PlanEncoder(PortableModule, ABC):
    """Turns plans into tokens.

    An implementation maps `PlanTensors` and the frames' times to `PlanEmbeds` of width `dim`. Each plan of the batch must
    be encoded by itself (the same whatever else is in the batch), and a hidden or padded action must have presence 0.
    """

    dim: int
    """Width of the tokens."""

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

        Returns:
            Tokens of width `dim`.
        """


class MuscleTokenEncoder(PlanEncoder):
    """One token per action of a plan and one per segment of its timeline, learnt with the denoiser.

    A local token is the sum of two embeddings: of the action unit with its side, and of the region. Its intensity and timing are
    its presence. One more local token is always present and marks that the muscles are given, since "no muscle moves" and "the
    muscles are unknown" are different plans. A global token is a linear map of the emotion weights, so mixtures lie between
    their parts.

    Args:
        dim: Width of the tokens.

    Example:
        >>> from tbd.think.plan import MuscleAction, MusclePlan
        >>> plans = PlanTensors.collate([MusclePlan(actions=(MuscleAction(unit=12, intensity=0.8),))])
        >>> MuscleTokenEncoder(32)(plans, torch.arange(5) / 25).local_tokens.shape
        torch.Size([1, 2, 32])
    """

    def __init__(self, dim: int = 320) -> None:
        super().__init__()
        self.dim = dim
        # an action on one side is another movement than on both, not the sum of two embeddings
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
        """Encode a batch; see `PlanEncoder.forward`.

        Args:
            plans: B plans in window time.
            times: (T,) seconds of the window's frames.

        Returns:
            S global and 1 + N local tokens.
        """
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
    """The emotion label alone: the usual condition of emotional talking heads, and the ablation's baseline.

    A segment's token is its strongest emotion, without intensity. The local group is one token of zeros that is always present:
    guidance can switch it, but it holds nothing of any muscle.

    Args:
        dim: Width of the tokens.
    """

    def __init__(self, dim: int = 320) -> None:
        super().__init__()
        self.dim = dim
        self.emotion = nn.Embedding(len(EMOTIONS), dim)

    def adapt_state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give new emotions an embedding; see `PlanEncoder.adapt_state`."""
        return {**state, "emotion.weight": _blended(state["emotion.weight"])}  # (E, D)

    def forward(self, plans: PlanTensors, times: Tensor) -> PlanEmbeds:
        """Encode a batch; see `PlanEncoder.forward`.

        Args:
            plans: B plans in window time.
            times: (T,) seconds of the window's frames.

        Returns:
            S global tokens and one local one.
        """
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
    neutral_weight = (emotion * neutral).sum(-1, keepdim=True)  # (B, S, 1)
    others = emotion * (1 - neutral)
    others = others / others.sum(-1, keepdim=True).clamp(min=1e-6) * (1 - neutral_weight)
    return (others + emotion * neutral).argmax(-1)
