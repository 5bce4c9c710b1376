"""Audio augmentation that depends on a sample's number alone."""

import inspect

from torch import Tensor, nn

from tbd.draw.randomness import seed_of, seeded


def augmented(augment: nn.Module, audio: Tensor, ids: Tensor, seed: int) -> Tensor:
    """Augment waveforms, each in the same way whenever its number comes again.

    A module that takes ``seeds``, as `tbd.data.datasets.augment.AudioAugment` does, changes each sample by its own. Any other draws from
    PyTorch's global generator, which starts at a seed of the whole batch.

    Args:
        augment: (B, N) → (B, N).
        audio: (B, N) samples.
        ids: (B,) the samples' numbers.
        seed: Seed of the run.

    Returns:
        (B, N) augmented samples.
    """
    augment = augment.to(audio.device)
    seeds = [seed_of(seed, 1, number) for number in ids.tolist()]  # 1: not those of the noise
    if "seeds" in inspect.signature(augment.forward).parameters:
        return augment(audio, seeds=seeds)
    with seeded(seed_of(*seeds), audio.device):
        return augment(audio)
