"""Changing the sound of training batches so that each sample is changed by its number alone."""

import inspect

from torch import Tensor, nn

from tbd.draw.randomness import seed_of, seeded


def augmented(augment: nn.Module, audio: Tensor, ids: Tensor, seed: int) -> Tensor:
    """Change waveforms, the same ones in the same way whenever they come again.

    A module that takes ``seeds``, as `tbd.data.datasets.augment.AudioAugment` does, changes each sample by its own. Any other draws from
    PyTorch's global generator, which begins at a seed of the whole batch.

    Args:
        augment: (B, N) → (B, N).
        audio: (B, N).
        ids: (B,) the samples' numbers.
        seed: of the run.

    Returns:
        (B, N).
    """
    augment = augment.to(audio.device)
    seeds = [seed_of(seed, 1, number) for number in ids.tolist()]  # 1: not those of the noise
    if "seeds" in inspect.signature(augment.forward).parameters:
        return augment(audio, seeds=seeds)
    with seeded(seed_of(*seeds), audio.device):
        return augment(audio)
