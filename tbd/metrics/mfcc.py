"""Mel-frequency cepstra as SyncNet takes them: `python_speech_features.mfcc` with its defaults, in torch.

16 kHz, frames of 25 ms every 10 ms without a window function, pre-emphasis 0.97, 512-point FFT, 26 triangular filters from
0 to 8 kHz, 13 coefficients of the orthonormal DCT-II, lifter 22, and the logarithm of the frame's energy in place of the
first coefficient.
"""

import math
from functools import cache

import torch
from torch import Tensor

from tbd.media.rates import SAMPLE_RATE

COEFFICIENTS = 13
_LENGTH, _STEP, _FFT, _FILTERS, _EMPHASIS, _LIFTER = 400, 160, 512, 26, 0.97, 22
_LEAST = torch.finfo(torch.float64).eps
"""Stands for energies of exactly 0, which have no logarithm."""


def mfcc(audio: Tensor) -> Tensor:
    """Compute cepstra of one recording, or of a batch of equal length.

    Args:
        audio: (..., N) samples in the range of 16-bit integers, as SyncNet was trained: −32768..32767.

    Returns:
        (..., T, 13) float64 with ``T = 1 + ⌈max(N − 400, 0) / 160⌉``; the last frame is filled up with zeros. The logarithm of
        quiet frames is sensitive, so all is computed in double precision.
    """
    audio = audio.double()
    audio = torch.cat([audio[..., :1], audio[..., 1:] - _EMPHASIS * audio[..., :-1]], -1)
    count = 1 + math.ceil(max(audio.shape[-1] - _LENGTH, 0) / _STEP)
    audio = torch.nn.functional.pad(audio, (0, (count - 1) * _STEP + _LENGTH - audio.shape[-1]))
    frames = audio.unfold(-1, _LENGTH, _STEP)  # (..., T, 400)
    power = torch.fft.rfft(frames, _FFT).abs().square() / _FFT  # (..., T, 257)
    energy = _logarithm(power.sum(-1))
    cepstra = _logarithm(power @ _filters().T.to(audio.device)) @ _cosines().to(audio.device)  # (..., T, 13)
    return torch.cat([energy[..., None], cepstra[..., 1:]], -1)


def _logarithm(energy: Tensor) -> Tensor:
    return torch.where(energy == 0, _LEAST, energy).log()


@cache
def _filters() -> Tensor:
    """(26, 257) triangles whose corners lie on whole FFT bins, evenly spaced in mel."""
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    mels = torch.linspace(0, top, _FILTERS + 2, dtype=torch.float64)
    corners = torch.floor((_FFT + 1) * 700 * (10 ** (mels / 2595) - 1) / SAMPLE_RATE)
    bins = torch.arange(_FFT // 2 + 1, dtype=torch.float64)
    left, middle, right = (corners[i : i + _FILTERS, None] for i in range(3))
    rise, fall = (bins - left) / (middle - left), (right - bins) / (right - middle)
    return torch.where(bins < middle, rise, fall).clamp(min=0).nan_to_num(0)


@cache
def _cosines() -> Tensor:
    """(26, 13) the orthonormal DCT-II, each coefficient with its lifter."""
    n, k = torch.arange(_FILTERS, dtype=torch.float64)[:, None], torch.arange(COEFFICIENTS, dtype=torch.float64)
    basis = torch.cos(math.pi * k * (2 * n + 1) / (2 * _FILTERS)) * math.sqrt(2 / _FILTERS)
    basis[:, 0] /= math.sqrt(2)
    return basis * (1 + _LIFTER / 2 * torch.sin(math.pi * k / _LIFTER))
