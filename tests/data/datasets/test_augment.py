import pytest
import torch

from tbd.data.datasets.augment import AudioAugment

EFFECTS = ("tract", "equalizer", "band", "room", "noise", "babble", "clipping", "coarse", "swell", "gain")


def bursts(batch=6, seconds=2.0):
    """(B, N) noise in syllables, each row with its own rhythm, and their (B, N) loudness."""
    generator = torch.Generator().manual_seed(1)
    count = int(seconds * 16000)
    times = torch.arange(count) / 16000
    rates = torch.linspace(2.1, 4.3, batch)[:, None]
    envelope = torch.sin(torch.pi * (times * rates + torch.rand(batch, 1, generator=generator))).clamp(min=0) ** 2
    tone = torch.sin(2 * torch.pi * 180 * times) + 0.5 * torch.sin(2 * torch.pi * 720 * times)
    return 0.2 * envelope * (tone + 0.3 * torch.randn(batch, count, generator=generator))


def alone(effect):
    return AudioAugment(**{name: float(name == effect) for name in EFFECTS})


def augmented(augment, sound, seed=0):
    return augment(sound, torch.Generator().manual_seed(seed))


def loudness(sound):
    return torch.nn.functional.avg_pool1d(sound.square()[:, None], 320, 80)[:, 0].sqrt()


def lag(a, b):
    """(B,) shift in 5 ms steps at which two loudness curves fit best."""
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    size = 2 * a.shape[1]
    crossed = torch.fft.irfft(torch.fft.rfft(b, size) * torch.fft.rfft(a, size).conj(), size)
    best = crossed.argmax(1)
    return torch.where(best > size // 2, best - size, best)


@pytest.mark.parametrize("effect", [*EFFECTS, "all"])
def test_sound_keeps_its_length_and_timing(effect):
    sound = bursts()
    changed = augmented(AudioAugment(*[1.0] * len(EFFECTS)) if effect == "all" else alone(effect), sound)
    assert changed.shape == sound.shape
    assert torch.isfinite(changed).all()
    assert changed.abs().max() <= 1
    assert lag(loudness(sound), loudness(changed)).abs().max() <= (2 if effect in ("room", "all") else 1)


@pytest.mark.parametrize("effect", EFFECTS)
def test_each_effect_changes_the_sound(effect):
    sound = bursts()
    change = (augmented(alone(effect), sound) - sound).square().mean(1).sqrt() / sound.square().mean(1).sqrt()
    assert change.min() > 1e-3


def test_no_effect_changes_nothing():
    sound = bursts()
    torch.testing.assert_close(augmented(AudioAugment(*[0.0] * len(EFFECTS)), sound), sound, atol=1e-5, rtol=1e-4)


def test_a_generator_repeats_itself_and_clips_differ():
    sound = bursts(1).expand(4, -1).contiguous()
    first, again, other = (augmented(AudioAugment(), sound, seed) for seed in (0, 0, 1))
    torch.testing.assert_close(first, again)
    assert (first - other).abs().max() > 1e-3
    assert (first[0] - first[1]).abs().max() > 1e-3


def test_the_tract_moves_the_envelope_and_not_the_pitch():
    times = torch.arange(32000) / 16000
    # a buzz of 125 Hz with one formant at 1 kHz
    harmonics = torch.arange(1, 60)[:, None] * 125.0
    sound = (torch.exp(-(((harmonics - 1000) / 250) ** 2)) * torch.sin(2 * torch.pi * harmonics * times)).sum(0)[None].expand(24, -1) * 0.05
    power = torch.fft.rfft(augmented(alone("tract"), sound.contiguous())).abs().square()
    frequency = torch.linspace(0, 8000, power.shape[1])
    centre = (power * frequency).sum(1) / power.sum(1)
    assert centre.min() < 930
    assert centre.max() > 1070
    near = ((frequency / 125).round() * 125 - frequency).abs() < 4
    assert (power[:, near].sum(1) / power.sum(1)).min() > 0.9


def test_noise_keeps_to_its_levels():
    sound = bursts(64)
    noise = augmented(alone("noise"), sound) - sound
    ratio = 20 * torch.log10(sound.square().mean(1).sqrt() / noise.square().mean(1).sqrt())
    assert ratio.min() > 4.9
    assert ratio.max() < 40.1
    assert ratio.max() - ratio.min() > 20
