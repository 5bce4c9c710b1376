"""`AudioAugment`: change how speech sounds, never when, so that a model trained on a few synthetic voices knows real rooms and people.

Everything is batched and works by Fourier transforms on the device of its input. No effect delays the sound, so the motion
that belongs to it still fits.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tbd.media.rates import SAMPLE_RATE

_FFT, _HOP = 512, 256
_RESPONSE = SAMPLE_RATE // 2  # samples of a room's response
_EQ_POINTS = 10


class AudioAugment(nn.Module):
    """Random voices, rooms, microphones and noises, sampled for each clip of a batch on its own.

    Args:
        tract: Probability of another vocal tract length: the spectral envelope is stretched by 0.8..1.25.
        equalizer: Probability of a smooth random frequency response, ±8 dB, with a tilt of up to 4 dB an octave.
        band: Probability of a limited band, from 50..300 Hz to 2.8..7 kHz, as telephones and codecs have.
        room: Probability of reverberation of 0.1..0.9 s with the direct sound 0..15 dB above it.
        noise: Probability of white to brown noise, 5..40 dB below the speech.
        babble: Probability of other voices of the batch talking, 8..30 dB below.
        clipping: Probability of an overdriven microphone.
        coarse: Probability of 8-bit μ-law samples, as telephones send.
        swell: Probability of a loudness that wanders by ±6 dB over seconds, as that of a speaker who turns.
        gain: Probability of another loudness, 30 dB to 14 dB below full scale.

    Example:
        >>> augment = AudioAugment()
        >>> augment(torch.randn(4, 16000), torch.Generator().manual_seed(0)).shape
        torch.Size([4, 16000])
    """

    def __init__(
        self,
        tract: float = 0.7,
        equalizer: float = 0.7,
        band: float = 0.35,
        room: float = 0.5,
        noise: float = 0.6,
        babble: float = 0.15,
        clipping: float = 0.08,
        coarse: float = 0.08,
        swell: float = 0.5,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.tract, self.equalizer, self.band, self.room, self.noise = tract, equalizer, band, room, noise
        self.babble, self.clipping, self.coarse, self.swell, self.gain = babble, clipping, coarse, swell, gain

    @torch.no_grad()
    def forward(self, audio: Tensor, generator: torch.Generator | None = None, seeds: Sequence[int] | None = None) -> Tensor:
        """Change waveforms.

        Args:
            audio: (B, N) waveforms at 16 kHz in -1..1; floating point.
            generator: Source of randomness, on the device of `audio`; torch's own where not given.
            seeds: B seeds instead: each waveform is changed by its own, whatever else is in the batch, but for the voices in its
                background, which are the batch's.

        Returns:
            (B, N) in -1..1, of the same length and timing.
        """
        random = _Random(len(audio), audio.device, generator) if seeds is None else _SeededRandom(seeds, audio.device)
        sound = audio.float()
        sound = self._colour(sound, random)
        sound = self._swell(sound, random)
        sound = self._reverberate(sound, random)
        sound = self._disturb(sound, random)
        return self._record(sound, random).to(audio.dtype)

    def _colour(self, sound: Tensor, random: "_Random") -> Tensor:
        """Vocal tract, equalizer and band, in one short-time spectrum."""
        window = torch.hann_window(_FFT, device=sound.device)
        spectrum = torch.stft(sound, _FFT, _HOP, window=window, return_complex=True, pad_mode="constant")  # (B, F, S)
        warp = torch.exp(random.chosen(self.tract, math.log(0.8), math.log(1.25), 0.0))  # (B,)
        shape = _warp_envelope(spectrum.abs(), warp)
        spectrum = spectrum * (shape * self._response(spectrum.shape[1], random)[:, :, None])
        return torch.istft(spectrum, _FFT, _HOP, window=window, length=sound.shape[1])

    def _response(self, bins: int, random: "_Random") -> Tensor:
        """(B, F) gain of equalizer and band."""
        device = random.device
        frequency = torch.linspace(0, SAMPLE_RATE / 2, bins, device=device).clamp(min=30)
        octaves = torch.log2(frequency / 1000).clamp(-3, 3)
        place = (torch.log2(frequency / 60) / math.log2(8000 / 60)).clamp(0, 1) * (_EQ_POINTS - 1)
        # a raised-cosine bump around each of ten points, evenly spaced in octaves
        bumps = torch.cos((place[:, None] - torch.arange(_EQ_POINTS, device=device)).clamp(-1, 1) * math.pi) * 0.5 + 0.5  # (F, K)
        chosen = random.chosen(self.equalizer, 1.0, 1.0, 0.0)[:, None]
        decibels = chosen * (random.uniform(-8, 8, _EQ_POINTS) @ bumps.T + random.uniform(-4, 4)[:, None] * octaves)
        low = random.chosen(self.band, math.log2(50), math.log2(300), math.log2(10))[:, None]
        high = random.chosen(self.band, math.log2(2800), math.log2(7000), math.log2(20_000))[:, None]
        # 24 dB an octave below, 60 above
        outside = 24 * (low - torch.log2(frequency)).clamp(min=0) + 60 * (torch.log2(frequency) - high).clamp(min=0)
        return 10 ** ((decibels - outside).clamp(-60, 20) / 20)

    def _swell(self, sound: Tensor, random: "_Random") -> Tensor:
        knots = max(2, sound.shape[1] // SAMPLE_RATE + 1)
        decibels = random.uniform(-6, 6, knots) * random.chosen(self.swell, 1.0, 1.0, 0.0)[:, None]
        curve = nn.functional.interpolate(decibels[:, None], sound.shape[1], mode="linear", align_corners=True)[:, 0]
        return sound * 10 ** (curve / 20)

    def _reverberate(self, sound: Tensor, random: "_Random") -> Tensor:
        """Add a room: noise that falls by 60 dB over the reverberation time, after the direct sound (Moorer 1979)."""
        times = torch.arange(_RESPONSE, device=sound.device) / SAMPLE_RATE
        decay = random.uniform(0.1, 0.9)[:, None]
        tail = random.normal(_RESPONSE) * torch.exp(-math.log(1000) * times / decay)
        tail[:, : SAMPLE_RATE // 500] = 0  # the first reflection comes 2 ms after the direct sound
        level = 10 ** (-random.chosen(self.room, 0, 15, 200) / 20)[:, None]
        tail = tail / tail.square().sum(1, keepdim=True).sqrt() * level
        size = _fast_length(sound.shape[1] + _RESPONSE)
        wet = torch.fft.irfft(torch.fft.rfft(sound, size) * torch.fft.rfft(tail, size), size)
        return sound + wet[:, : sound.shape[1]]

    def _disturb(self, sound: Tensor, random: "_Random") -> Tensor:
        """Noise of a random colour and the voices of others, both relative to the speech."""
        size = _fast_length(sound.shape[1])
        power = _rms(sound)
        slope = random.uniform(0, 2)[:, None]
        bins = torch.arange(1, size // 2 + 2, device=sound.device) / (size // 2)
        shape = torch.complex(random.normal(size // 2 + 1), random.normal(size // 2 + 1)) * bins.clamp(min=0.005) ** (-slope / 2)
        noise = torch.fft.irfft(shape, size)[:, : sound.shape[1]]
        others = sound[random.order()] + sound[random.order()].roll(SAMPLE_RATE // 3, 1) + sound[random.order()].flip(1)
        level = 10 ** (-random.chosen(self.noise, 5, 40, 200) / 20)[:, None]
        murmur = 10 ** (-random.chosen(self.babble, 8, 30, 200) / 20)[:, None]
        return sound + power * (noise / _rms(noise) * level + others / _rms(others) * murmur)

    def _record(self, sound: Tensor, random: "_Random") -> Tensor:
        """The recording level, an overdriven microphone, coarse samples."""
        level = 10 ** (random.uniform(-30, -14) / 20)[:, None]
        sound = torch.where(random.happens(self.gain)[:, None], sound / _rms(sound) * level, sound)
        ceiling = random.chosen(self.clipping, 1.0, 2.5, 1e4)[:, None] * _rms(sound)
        sound = sound.maximum(-ceiling).minimum(ceiling).clamp(-1, 1)
        mu = 255.0
        squeezed = torch.round(sound.sign() * torch.log1p(mu * sound.abs()) / math.log1p(mu) * 127) / 127
        coarse = squeezed.sign() * (torch.exp(squeezed.abs() * math.log1p(mu)) - 1) / mu
        return torch.where(random.happens(self.coarse)[:, None], coarse, sound)


class _Random:
    """Random numbers for a batch: one row per clip."""

    def __init__(self, rows: int, device: torch.device, generator: torch.Generator | None) -> None:
        self.rows, self.device, self.generator = rows, device, generator

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """(B, *shape) in low..high."""
        return torch.rand(self.rows, *shape, device=self.device, generator=self.generator) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        """(B, *shape) of zero mean and unit deviation."""
        return torch.randn(self.rows, *shape, device=self.device, generator=self.generator)

    def happens(self, probability: float) -> Tensor:
        """(B,) true with `probability`."""
        return self.uniform(0, 1) < probability

    def chosen(self, probability: float, low: float, high: float, otherwise: float) -> Tensor:
        """(B,) in low..high with `probability`, else `otherwise`, the value that changes nothing."""
        value = self.uniform(low, high)
        return torch.where(self.happens(probability), value, torch.full_like(value, otherwise))

    def order(self) -> Tensor:
        """(B,) a shuffled order of the batch."""
        return torch.randperm(self.rows, device=self.device, generator=self.generator)


class _SeededRandom(_Random):
    """Random numbers of which each row has its own seed.

    Args:
        seeds: B, below 2⁶³.
        device: where they are wanted. Uniform numbers are made on the CPU, where many small samples are cheapest.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        super().__init__(len(seeds), device, None)
        self.hosts = [torch.Generator().manual_seed(seed) for seed in seeds]
        # one generator serves all rows on a GPU; each call begins it anew, with a seed from the row's own generator
        self.here = torch.Generator(device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        rows = torch.stack([torch.rand(shape, generator=host) for host in self.hosts])
        return rows.to(self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        out = torch.empty(self.rows, *shape, device=self.device)
        for row, host in zip(out, self.hosts):
            row.normal_(generator=self.here.manual_seed(int(torch.randint(2**62, (), generator=host))))
        return out

    def order(self) -> Tensor:
        """(B,) any rows, each row's choice its own."""
        return (self.uniform(0, 1) * self.rows).long().clamp(max=self.rows - 1)


def _warp_envelope(magnitude: Tensor, warp: Tensor) -> Tensor:
    """(B, F, S) factor that moves the spectral envelope at frequency f to f · warp and leaves pitch as it is.

    The envelope is the spectrum without its fine structure: the first 30 cepstral coefficients.
    """
    bins = magnitude.shape[1]
    cepstrum = torch.fft.irfft(torch.log(magnitude + 1e-5), dim=1)  # (B, 2(F-1), S)
    kept = torch.zeros(cepstrum.shape[1], device=magnitude.device)
    kept[:30] = 1
    kept[-29:] = 1
    envelope = torch.fft.rfft(cepstrum * kept[None, :, None], dim=1).real  # log, (B, F, S)
    source = torch.arange(bins, device=magnitude.device) / warp[:, None]  # (B, F) where each bin's new envelope comes from
    below = source.floor().clamp(0, bins - 1)
    share = (source - below).clamp(0, 1)[:, :, None]
    index = below.long()[:, :, None].expand_as(envelope)
    moved = envelope.gather(1, index) * (1 - share) + envelope.gather(1, (index + 1).clamp(max=bins - 1)) * share
    return torch.exp((moved - envelope).clamp(-4.6, 4.6))


def _rms(sound: Tensor) -> Tensor:
    """(B, 1), above zero."""
    return sound.square().mean(1, keepdim=True).sqrt().clamp(min=1e-5)


def _fast_length(length: int) -> int:
    """The next even length that a Fourier transform is fast for: 2^a · 3 or 2^a."""
    power = 1 << (length - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= length else power
