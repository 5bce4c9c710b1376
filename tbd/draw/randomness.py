"""Randomness that depends on nothing but a seed and a sample's number; the one scheme of the motion and the video model.

In training neither the number of GPUs, nor the order of ranks, nor a kill and resume, nor the number of validations changes a
sample's randomness. There are two kinds. What belongs to a sample (its noise and timestep, which conditions are withheld, how its
audio is augmented) is drawn from the run's seed and the sample's number (`SampleNoise`). What belongs to no sample (dropout within
networks, which draws from PyTorch's global generator) starts each batch at a seed of the run's seed, the process and the batch's
number: nothing needs to be kept in checkpoints, and whatever else draws from that generator between two batches changes nothing.

A clip is drawn from a seed of its own (`WindowNoise`), which in tests and evaluations follows from its name (`clip_seed`).
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
    """Combine whole numbers into one seed, different for (1, 2) and (2, 1)."""
    seed = 0
    for number in numbers:
        seed = (seed * 6364136223846793005 + int(number) + 1442695040888963407) % 2**63
    return seed ^ (seed >> 31)


def clip_seed(run: int, clip: str) -> int:
    """Compute a clip's own seed, so that no clip depends on its neighbours.

    Args:
        run: Seed of the run.
        clip: Name of the clip.

    Returns:
        0 .. 2⁶³ − 1.

    Example:
        >>> clip_seed(0, "a") == clip_seed(0, "a") != clip_seed(0, "b")
        True
    """
    name = json.dumps([run, clip], separators=(",", ":"), ensure_ascii=False)
    return int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) >> 1


def run_seed(given: int | None = None) -> int:
    """Return the seed of this run: the given one, or that of `seed_everything`, or 0."""
    return int(os.environ.get("PL_GLOBAL_SEED", 0)) if given is None else given


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Within it, PyTorch's global generators begin at `seed`; after it they go on where they were.

    Args:
        seed: 0 .. 2⁶³ − 1.
        device: The device whose generator is used besides the CPU's.

    Yields:
        Nothing.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@dataclass
class SampleNoise:
    """The random numbers of the samples of one batch.

    Args:
        noise: (B, T, C, …) normal.
        past_noise: (B, T, C, …) normal.
        shift: (B, 1, C, 1, …) normal, one number for each channel of a whole clip.
        uniform: (B, n) 0..1, the same on every device.
    """

    noise: Tensor
    past_noise: Tensor
    shift: Tensor
    uniform: Tensor

    @classmethod
    def of(cls, samples: Sequence[int], seed: int, shape: tuple[int, ...], n: int, device: torch.device) -> "SampleNoise":
        """Draw the numbers of a batch.

        Args:
            samples: B numbers, each of which stands for one sample of one epoch.
            seed: Seed of the run.
            shape: (T, C, …) of a sample.
            n: Number of columns of `uniform`.
            device: Where normal numbers are drawn; another kind of device draws others.

        Returns:
            The numbers of B samples.
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


class WindowNoise:
    """The noise that clips are drawn from, window by window.

    It is drawn on the CPU from each clip's own seed, so that a seed gives the same clip on every device, alone or in a batch.

    Args:
        seeds: One seed for each clip, 0 .. 2⁶³ − 1.
        shape: (T, C, …) of a window.

    Example:
        >>> together, alone = WindowNoise([1, 2], (4, 3)), WindowNoise([2], (4, 3))
        >>> [bool((together.next(2)[1] == alone.next(1)[0]).all()) for _ in range(2)]
        [True, True]
    """

    def __init__(self, seeds: Sequence[int], shape: tuple[int, ...]) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.shape = shape

    def next(self, clips: int) -> Tensor:
        """(b, T, C, …) normal noise of the next window of the first b `clips`."""
        return torch.cat([torch.randn(1, *self.shape, generator=generator) for generator in self.generators[:clips]])
