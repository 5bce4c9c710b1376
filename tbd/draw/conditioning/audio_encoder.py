"""What a denoiser hears: waveforms → one feature per video frame."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.pretrained import from_source, plain
from tbd.media.rates import SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.speech.alignment import SYMBOLS, phone_track
from tbd.speech.recognizer import PhoneRecognizer


class AudioEncoder(nn.Module, ABC):
    """Turns speech into features at the video's frame rate.

    An implementation maps (B, (T + 2·context)·640) samples at 16 kHz in −1..1 to (B, T, dim). The `context` frames on each
    side are heard but not returned, so that the first and last frame know their surroundings.

    One that has a `recognizer` is also told which phones are heard; others are given no phones, or ignore them.
    """

    dim: int
    context: int
    recognizer: PhoneRecognizer | None = None

    @abstractmethod
    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        """Features of B windows.

        Args:
            audio: (B, (T + 2·context)·640).
            phones: (B, (T + 2·context)·4) places in `tbd.speech.alignment.SYMBOLS`.

        Returns:
            (B, T, dim).
        """

    def listen(self, audio: np.ndarray) -> np.ndarray | None:
        """The phones of a whole recording of (N,) samples: (4·ceil(N / 640),) uint8; None for an encoder of sound alone."""
        return None if self.recognizer is None else phone_track(self.recognizer.listen(audio), frames_of(len(audio)))


class LogMel(nn.Module):
    """Log-mel spectrogram at 100 Hz, 4 columns per video frame; made with `torch.stft`, so it runs on any device.

    The mel scale is Slaney's (linear below 1 kHz, logarithmic above), the windows are 25 ms Hann every 10 ms, centred.

    Args:
        bins: number of mel bands between 50 Hz and 7.6 kHz.
    """

    def __init__(self, bins: int = 80) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(400), persistent=False)
        self.register_buffer("filters", _mel_filters(bins), persistent=False)  # (bins, 257)

    @torch.compiler.disable  # it has complex numbers, which are not worth compiling
    def forward(self, audio: Tensor) -> Tensor:
        """(B, N) samples → (B, bins, N // 160), roughly zero-mean and unit-variance for speech at −23 dB."""
        with torch.autocast(audio.device.type, enabled=False):
            spectrum = torch.stft(audio.float(), 512, 160, 400, self.window, return_complex=True)[..., :-1]  # (B, 257, N/160)
            mel = self.filters @ spectrum.abs().square()
            return (torch.log10(mel + 1e-5) + 1.5) / 1.5


class MelEncoder(AudioEncoder):
    """Log-mel and a small convolutional stack: no weights to fetch, real-time on a CPU.

    Args:
        dim: width of the features.
        bins: mel bands.
        context: frames heard on each side of the window.
        dropout: fraction of channels silenced in training.
    """

    def __init__(self, dim: int = 320, bins: int = 80, context: int = 8, dropout: float = 0.1) -> None:
        super().__init__()
        self.dim, self.context = dim, context
        self.mel = LogMel(bins)
        self.stem = nn.Conv1d(bins, dim // 2, 5, padding=2)
        self.blocks = nn.Sequential(*(_ConvBlock(dim // 2, dilation, dropout) for dilation in (1, 2, 4)))
        self.down = nn.Conv1d(dim // 2, dim, 8, stride=4, padding=2)
        self.out = _ConvBlock(dim, 1, dropout)

    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        return self.encode(self.stem(self.mel(audio)))

    def encode(self, x: Tensor) -> Tensor:
        """Columns at 100 Hz, (B, dim/2, 4(T+2C)) → (B, T, dim)."""
        x = self.out(self.down(self.blocks(x)))  # (B, dim, T+2C)
        return x[..., self.context : x.shape[-1] - self.context].transpose(1, 2)


class PhoneEncoder(MelEncoder):
    """Phones that a recognizer names, and a sound so coarse that it tells how loud and how bright a voice is, but not whose.

    A recognizer has learnt from thousands of speakers. An encoder of fine spectra learns the voices of its training exactly and
    hears others less well; given both, a denoiser trusts the spectra, since they tell its training's voices better.

    Args:
        recognizer: names the phones of a recording.
        dim: width of the features.
        bins: mel bands.
        context: frames heard on each side of the window.
        dropout: fraction of channels silenced in training.
        noise: standard deviation of noise on the bands in training, where speech has one of 1: the more of it, the more phones are
            trusted and the less the sound.
    """

    def __init__(
        self, recognizer: PhoneRecognizer, dim: int = 320, bins: int = 16, context: int = 8, dropout: float = 0.1, noise: float = 0.0
    ) -> None:
        super().__init__(dim, bins, context, dropout)
        self.recognizer, self.noise = recognizer, noise
        self.embedding = nn.Embedding(len(SYMBOLS), dim // 2)

    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        if phones is None:
            raise ValueError("A PhoneEncoder is told phones: give the DataModule a recognizer, which adds them to its batches.")
        said = self.embedding(phones.long()).transpose(1, 2)  # (B, dim/2, 4(T+2C))
        heard = self.mel(audio)
        if self.training and self.noise > 0:
            heard = heard + self.noise * torch.randn_like(heard)
        return self.encode(self.stem(heard) + said)


class Wav2Vec2Encoder(AudioEncoder):
    """Hidden states of a frozen wav2vec 2.0 (or its kin: HuBERT, WavLM), brought to the frame rate and mapped to `dim`.

    Args:
        model: hub name or folder of the network, or its configuration as transformers' ``to_dict`` gives it (``model_type`` among
            it) for random weights.
        dim: width of the features.
        context: frames heard on each side of the window; the network hears no further than the window and these.
        layer: of the hidden states; −1 is the last.

    Raises:
        InputError: there are no such weights.
    """

    hub_arguments = ("model",)
    """See `tbd.utils.hub`."""

    def __init__(self, model: str | dict[str, Any], dim: int = 768, context: int = 8, layer: int = -1) -> None:
        super().__init__()
        from transformers import AutoConfig, AutoModel

        self.dim, self.context, self.layer = dim, context, layer
        self.model = (
            from_source(AutoModel, model) if isinstance(model, str) else AutoModel.from_config(AutoConfig.for_model(**model))
        ).requires_grad_(False)
        self.project = nn.Linear(self.model.config.hidden_size, dim)

    def train(self, mode: bool = True) -> "Wav2Vec2Encoder":
        super().train(mode)
        self.model.eval()  # it drops layers and hides parts of the sound otherwise
        return self

    def describe(self) -> dict[str, Any]:
        """Arguments that build the same encoder, with random weights."""
        config = {**self.model.config.to_diff_dict(), "model_type": self.model.config.model_type}
        return {"model": plain(config), "dim": self.dim, "context": self.context, "layer": self.layer}

    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        with torch.no_grad():
            sound = audio - audio.mean(1, keepdim=True)  # as its own feature extractor does: no mean, unit variance
            sound = sound / (sound.var(1, correction=0, keepdim=True) + 1e-7).sqrt()
            states = self.model(sound, output_hidden_states=True).hidden_states[self.layer]  # (B, about 2(T+2C), W)
            frames = F.interpolate(states.float().mT, audio.shape[1] // SAMPLES_PER_FRAME, mode="linear").mT  # (B, T+2C, W)
        return self.project(frames[:, self.context : frames.shape[1] - self.context])  # (B, T, dim)


class _ConvBlock(nn.Module):
    def __init__(self, dim: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.conv = nn.Conv1d(dim, dim, 3, padding=dilation, dilation=dilation)
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x.transpose(1, 2)).transpose(1, 2)  # over channels alone: a moment's level must not depend on later ones
        return x + self.dropout(self.conv(F.gelu(normed)))  # (B, dim, N)


def frames_of(samples: int) -> int:
    """How many video frames cover `samples` at 16 kHz."""
    return -(-samples // SAMPLES_PER_FRAME)


def _mel_filters(bins: int, low: float = 50.0, high: float = 7600.0) -> Tensor:
    """(bins, 257) triangular filters with unit peak on Slaney's mel scale (Auditory Toolbox, 1998)."""

    def to_mel(hz: Tensor) -> Tensor:
        return torch.where(hz < 1000, hz * 3 / 200, 15 + 27 * torch.log(hz.clamp(min=1) / 1000) / torch.log(torch.tensor(6.4)))

    def to_hz(mel: Tensor) -> Tensor:
        return torch.where(mel < 15, mel * 200 / 3, 1000 * torch.exp((mel - 15) * torch.log(torch.tensor(6.4)) / 27))

    ends = to_mel(torch.tensor([low, high]))
    edges = to_hz(torch.linspace(float(ends[0]), float(ends[1]), bins + 2))
    hz = torch.linspace(0, SAMPLE_RATE / 2, 257)
    rising = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0)
