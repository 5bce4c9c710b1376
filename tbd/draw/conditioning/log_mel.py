"""The log-mel spectrogram that audio encoders begin with."""

import torch
from torch import Tensor


def log_mel(audio: Tensor, window: Tensor, filters: Tensor) -> Tensor:
    """Compute a log-mel spectrogram at 100 Hz.

    Args:
        audio: (B, N) samples at 16 kHz.
        window: (400,) of each spectrum.
        filters: (bins, 257) mel bands.

    Returns:
        (B, bins, N // 160), roughly zero-mean and unit-variance for speech at −23 dB.
    """
    with torch.autocast(audio.device.type, enabled=False):
        spectrum = torch.stft(audio.float(), 512, 160, 400, window, return_complex=True)[..., :-1]  # (B, 257, N/160)
        mel = filters @ spectrum.abs().square()
        return (torch.log10(mel + 1e-5) + 1.5) / 1.5
