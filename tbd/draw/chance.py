"""Chance in training that depends on nothing but a seed and a sample's number.

Neither the number of GPUs, nor the order of ranks, nor a kill and resume change what a sample meets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def seed_of(*numbers: int) -> int:
    """One seed from several whole numbers, different for (1, 2) and (2, 1)."""
    seed = 0
    for number in numbers:
        seed = (seed * 6364136223846793005 + int(number) + 1442695040888963407) % 2**63
    return seed ^ (seed >> 31)


@dataclass
class Chance:
    """What the samples of one training batch meet.

    Args:
        noise: (B, T, C, h, w) normal.
        past_noise: the same shape, normal.
        shift: (B, 1, C, 1, 1) normal, one number for each channel of a whole clip.
        uniform: (B, n) 0..1.
    """

    noise: Tensor
    past_noise: Tensor
    shift: Tensor
    uniform: Tensor

    @classmethod
    def of(cls, samples: Sequence[int], seed: int, shape: tuple[int, int, int, int], n: int, device: torch.device) -> "Chance":
        """Draw.

        Args:
            samples: B numbers, each of which stands for one sample of one epoch.
            seed: of the run.
            shape: (T, C, h, w) of the latents.
            n: columns of `uniform`.
            device: where to draw; another kind of device draws other numbers.
        """
        rows = []
        for sample in samples:
            generator = torch.Generator(device).manual_seed(seed_of(seed, sample))
            normal = torch.randn(2, *shape, generator=generator, device=device)
            shift = torch.randn(1, shape[1], 1, 1, generator=generator, device=device)
            rows.append((normal[0], normal[1], shift, torch.rand(n, generator=generator, device=device)))
        return cls(*(torch.stack(column) for column in zip(*rows)))
