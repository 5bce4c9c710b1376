"""Randomness in training that depends on nothing but a seed and a sample's number.

Neither the number of GPUs, nor the order of ranks, nor a kill and resume, nor how often one validates changes what a sample meets.
There are two kinds. What belongs to a sample (its noise and timestep, which conditions are withheld, how its sound is changed) is
drawn anew from the run's seed and the sample's number. What belongs to no sample (dropout within networks, which draws from
PyTorch's global generator) begins each batch at a seed of the run's seed, the process and the batch's number: nothing needs to be
kept in checkpoints, and whatever else draws from that generator between two batches changes nothing.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


def seed_of(*numbers: int) -> int:
    """One seed from several whole numbers, different for (1, 2) and (2, 1)."""
    seed = 0
    for number in numbers:
        seed = (seed * 6364136223846793005 + int(number) + 1442695040888963407) % 2**63
    return seed ^ (seed >> 31)


def clip_seed(run: int, clip: str) -> int:
    """A clip's own seed, 0 .. 2⁶³ − 1: of the run's seed and its id alone, so that no clip depends on its neighbours.

    Example:
        >>> clip_seed(0, "a") == clip_seed(0, "a") != clip_seed(0, "b")
        True
    """
    name = json.dumps([run, clip], separators=(",", ":"), ensure_ascii=False)
    return int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) >> 1


def run_seed(given: int | None = None) -> int:
    """The seed of this run: the given one, or that of `seed_everything`, or 0."""
    return int(os.environ.get("PL_GLOBAL_SEED", 0)) if given is None else given


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Within it, PyTorch's global generators begin at `seed`; after it they go on where they were.

    Args:
        seed: 0 .. 2⁶³ − 1.
        device: whose generator is used besides the CPU's.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@dataclass
class SampleNoise:
    """What the samples of one batch meet.

    Args:
        noise: (B, T, C, …) normal.
        past_noise: the same shape, normal.
        shift: (B, 1, C, 1, …) normal, one number for each channel of a whole clip.
        uniform: (B, n) 0..1, the same on every device.
    """

    noise: Tensor
    past_noise: Tensor
    shift: Tensor
    uniform: Tensor

    @classmethod
    def of(cls, samples: Sequence[int], seed: int, shape: tuple[int, ...], n: int, device: torch.device) -> "SampleNoise":
        """Draw.

        Args:
            samples: B numbers, each of which stands for one sample of one epoch.
            seed: of the run.
            shape: (T, C, …) of what is diffused.
            n: columns of `uniform`.
            device: where normal numbers are drawn; another kind of device draws others.
        """
        window = torch.Size(shape).numel()
        normal = torch.empty(len(samples), 2 * window + shape[1], device=device)
        here, host, uniform = torch.Generator(device), torch.Generator(), torch.empty(len(samples), n)
        for i, sample in enumerate(samples):
            own = seed_of(seed, sample)
            normal[i].normal_(generator=here.manual_seed(own))  # one call a sample, or starting kernels would take longest
            uniform[i].uniform_(generator=host.manual_seed(own))
        noise, past_noise, shift = normal.split([window, window, shape[1]], 1)
        wide = (1, shape[1], *(1 for _ in shape[2:]))
        return cls(noise.unflatten(1, shape), past_noise.unflatten(1, shape), shift.unflatten(1, wide), uniform.to(device))
