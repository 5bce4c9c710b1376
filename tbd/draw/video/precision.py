"""Mixed precision without the detours of autocast: normalisation in bf16, and frozen weights that are bf16 already."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.errors import InputError


@dataclass(frozen=True)
class MemoryOptions:
    """What training does to need less memory.

    Args:
        gradient_checkpointing: Compute activations again instead of keeping them: ``nothing``, ``some`` that are cheap, or ``most``.
        cast_frozen_to_bf16: Keep what does not train in bf16; for training in ``bf16-mixed``, which would cast it at every use.
        compiled_budget: With ``compile``, the share 0..1 of each compiled part's activations that is kept; the compiler chooses those that
            take longest to compute again. A finer choice than `gradient_checkpointing`, and instead of it.

    Raises:
        InputError: If the budget is not within 0..1, or comes beside `gradient_checkpointing`.
    """

    gradient_checkpointing: Literal["nothing", "some", "most"] = "nothing"
    cast_frozen_to_bf16: bool = False
    compiled_budget: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.compiled_budget <= 1:
            raise InputError(f"compiled_budget is a share from 0 to 1, not {self.compiled_budget:g}.")
        if self.compiled_budget < 1 and self.gradient_checkpointing != "nothing":
            raise InputError("Give compiled_budget or gradient_checkpointing: both say which activations are computed again.")


class _GroupNorm(nn.GroupNorm):
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.group_norm(x, self.num_groups, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


class _LayerNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            weight, bias = (None if p is None else p.to(x.dtype) for p in (self.weight, self.bias))
            return F.layer_norm(x, self.normalized_shape, weight, bias, self.eps)


def keep_norm_dtype(module: nn.Module) -> None:
    """Let group and layer norms compute in the precision of their input.

    Autocast runs them in float32 and hands float32 on, so that each layer behind casts it back: twice the memory for what
    is kept for the backward pass, and a third of all kernels (counted at Stable Diffusion's size). Their means and deviations are
    float32 inside in any case. Nothing changes without autocast.
    """
    for part in module.modules():
        if type(part) is nn.GroupNorm:
            part.__class__ = _GroupNorm
        elif type(part) is nn.LayerNorm:
            part.__class__ = _LayerNorm


def cast_frozen_to_bf16(module: nn.Module) -> None:
    """Keep what does not train in bf16, for training under bf16 autocast, which would cast it at every use."""
    for parameter in module.parameters():
        if not parameter.requires_grad and parameter.is_floating_point():
            parameter.data = parameter.data.to(torch.bfloat16)
