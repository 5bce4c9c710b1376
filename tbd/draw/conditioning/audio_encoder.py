"""Audio encoders: waveforms → one feature per video frame."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tbd.draw.conditioning.log_mel import log_mel
from tbd.draw.pretrained import PortableModule, from_source, plain
from tbd.errors import InputError
from tbd.media.rates import SAMPLE_RATE, SAMPLES_PER_FRAME
from tbd.speech.alignment import SYMBOLS, phone_track
from tbd.speech.recognizer import PhoneRecognizer

if TYPE_CHECKING:  # whose import takes seconds
    from transformers import PreTrainedModel


class AudioEncoder(PortableModule, ABC):
    """Turns speech into features at the video's frame rate.

    An implementation maps (B, (T + 2·context)·640) samples at 16 kHz in −1..1 to (B, T, dim). The `context` frames on each
    side are read but not returned, so that the first and last frame know their surroundings.

    One that has a `recognizer` also takes phones; others are given none, or ignore them.
    """

    dim: int
    """Width of the features."""
    context: int
    """Frames read on each side of a window."""
    recognizer: PhoneRecognizer | None = None
    """Recognizes the phones of a recording, where the encoder takes any."""

    @abstractmethod
    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        """Compute the features of B windows.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            phones: (B, (T + 2·context)·4) places in `tbd.speech.alignment.SYMBOLS`.

        Returns:
            (B, T, dim) features.
        """

    def encode_recording(self, audio: np.ndarray) -> Tensor | None:
        """Encode a whole recording at once, for encoders whose every feature depends on all of it.

        Args:
            audio: (N,) samples.

        Returns:
            (F, W) features that `cut_window` cuts; None, by default, for an encoder that reads windows by themselves.
        """
        return None

    def cut_window(self, features: Tensor, start: int, frames: int) -> Tensor:
        """Cut the features of a window out of those of its recording.

        Args:
            features: (F, W) what `encode_recording` has made.
            start: First frame of the window; may lie before the recording.
            frames: T, frames of the window.

        Returns:
            (T, dim) features; beyond the recording's ends those of its first and last frame.
        """
        return features[torch.arange(start, start + frames, device=features.device).clamp(0, len(features) - 1)]

    def listen(self, audio: np.ndarray) -> np.ndarray | None:
        """Recognize the phones of a whole recording.

        Args:
            audio: (N,) samples.

        Returns:
            (4·ceil(N / 640),) uint8 places in `tbd.speech.alignment.SYMBOLS`; None for an encoder that takes none.
        """
        return None if self.recognizer is None else phone_track(self.recognizer.listen(audio), frames_of(len(audio)))


class LogMel(nn.Module):
    """Log-mel spectrogram at 100 Hz, 4 columns per video frame; made with `torch.stft`, so it runs on any device.

    The mel scale is Slaney's (linear below 1 kHz, logarithmic above), the windows are 25 ms Hann every 10 ms, centred.

    Args:
        bins: Number of mel bands between 50 Hz and 7.6 kHz.

    Example:
        >>> LogMel(20)(torch.zeros(1, 6400)).shape
        torch.Size([1, 20, 40])
    """

    window: Tensor
    filters: Tensor

    def __init__(self, bins: int = 80) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(400), persistent=False)
        self.register_buffer("filters", _mel_filters(bins), persistent=False)  # (bins, 257)

    def forward(self, audio: Tensor) -> Tensor:
        """(B, N) samples → (B, bins, N // 160), roughly zero-mean and unit-variance for speech at −23 dB."""
        if torch.compiler.is_compiling():  # a decorator would import the compiler for who does not compile
            from tbd.draw.conditioning.uncompiled import uncompiled_log_mel

            return uncompiled_log_mel(audio, self.window, self.filters)
        return log_mel(audio, self.window, self.filters)


class MelEncoder(AudioEncoder):
    """Log-mel and a small convolutional stack: no weights to fetch, real-time on a CPU.

    Args:
        dim: Width of the features.
        bins: Number of mel bands.
        context: Frames read on each side of a window.
        dropout: Fraction of channels dropped in training.
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
        """Compute the features of B windows; see `AudioEncoder.forward`.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            phones: Not read.

        Returns:
            (B, T, dim) features.
        """
        return self.encode(self.stem(self.mel(audio)))

    def encode(self, x: Tensor) -> Tensor:
        """(B, dim/2, 4·(T + 2·context)) columns at 100 Hz → (B, T, dim) features."""
        x = self.out(self.down(self.blocks(x)))  # (B, dim, T+2C)
        return x[..., self.context : x.shape[-1] - self.context].transpose(1, 2)


class PhoneEncoder(MelEncoder):
    """Phones from a recognizer, and a spectrum so coarse that it holds how loud and how bright a voice is, but not whose it is.

    A recognizer has learnt from thousands of speakers. An encoder of fine spectra learns its training's voices exactly and
    generalizes less well to others; given both, a denoiser relies on the spectra, since they fit its training's voices better.

    Args:
        recognizer: Recognizes the phones of a recording.
        dim: Width of the features.
        bins: Number of mel bands.
        context: Frames read on each side of a window.
        dropout: Fraction of channels dropped in training.
        noise: Standard deviation of noise on the bands in training, where speech has one of 1: the more of it, the more the model
            relies on phones and the less on the spectrum.
        phone_errors: Largest share of the phones that training takes for others. Each sample has a share of its own, from 0 to this:
            of clear synthetic voices recognizers name nearly all phones, of people in a room they do not.

    Raises:
        InputError: If the share of errors is outside 0..1.
    """

    def __init__(
        self,
        recognizer: PhoneRecognizer,
        dim: int = 320,
        bins: int = 16,
        context: int = 8,
        dropout: float = 0.1,
        noise: float = 0.0,
        phone_errors: float = 0.0,
    ) -> None:
        super().__init__(dim, bins, context, dropout)
        if not 0 <= phone_errors <= 1:
            raise InputError(f"phone_errors is a share from 0 to 1, not {phone_errors}.")
        self.recognizer, self.noise, self.phone_errors = recognizer, noise, phone_errors
        self.embedding = nn.Embedding(len(SYMBOLS), dim // 2)

    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        """Compute the features of B windows; see `AudioEncoder.forward`.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            phones: (B, (T + 2·context)·4) places in `tbd.speech.alignment.SYMBOLS`.

        Returns:
            (B, T, dim) features.

        Raises:
            ValueError: If there are no phones.
        """
        if phones is None:
            raise ValueError("A PhoneEncoder takes phones: give the DataModule a recognizer, which adds them to its batches.")
        if self.training and self.phone_errors > 0:
            phones = mistake_phones(phones, self.phone_errors)
        embedded = self.embedding(phones.long()).transpose(1, 2)  # (B, dim/2, 4(T+2C))
        mel = self.mel(audio)  # (B, bins, 4(T+2C))
        if self.training and self.noise > 0:
            mel = mel + self.noise * torch.randn_like(mel)
        return self.encode(self.stem(mel) + embedded)


_PHONE_COLUMNS = 9  # about 90 ms, a phone's length


def mistake_phones(phones: Tensor, most: float) -> Tensor:
    """Replace phones as a recognizer does that errs: by others of the same recording, or by silence.

    Args:
        phones: (B, N) places in `tbd.speech.alignment.SYMBOLS`, at 100 Hz.
        most: Largest share of the time that is mistaken, 0..1. Samples have shares from 0 to it, most of them small.

    Returns:
        (B, N) phones.
    """
    size, columns = phones.shape
    share = most * torch.rand(size, 1, device=phones.device) ** 1.5
    # pieces of a phone's length, which begin elsewhere in each sample
    first = torch.randint(_PHONE_COLUMNS, (size, 1), device=phones.device)
    piece = (torch.arange(columns, device=phones.device) + first) // _PHONE_COLUMNS
    pieces = columns // _PHONE_COLUMNS + 2
    mistaken = (torch.rand(size, pieces, device=phones.device) < share).gather(1, piece)
    dropped = (torch.rand(size, pieces, device=phones.device) < 0.25).gather(1, piece)
    others = phones.roll(int(torch.randint(columns // 4, max(3 * columns // 4, columns // 4 + 1), ())), 1)
    return torch.where(mistaken, others.masked_fill(dropped, 0), phones)


def normalised(sound: Tensor) -> Tensor:
    """(B, N) samples → the same without mean and with unit variance, as wav2vec 2.0's own feature extractor makes them."""
    sound = sound - sound.mean(1, keepdim=True)
    return sound / (sound.var(1, correction=0, keepdim=True) + 1e-7).sqrt()


class Wav2Vec2Encoder(AudioEncoder):
    """Hidden states of a frozen wav2vec 2.0 (or HuBERT, WavLM), resampled to the frame rate and mapped to `dim`.

    Args:
        model: Hub name or folder of the network, or its configuration as transformers' ``to_dict`` gives it (``model_type`` among
            it) for random weights.
        dim: Width of the features.
        context: Frames read on each side of a window; the network reads no further than the window and these.
        layer: Which hidden states; −1 are the last.

    Raises:
        InputError: If there are no such weights.
    """

    hub_arguments = ("model",)
    """See `tbd.utils.hub`."""

    def __init__(self, model: str | dict[str, Any], dim: int = 768, context: int = 8, layer: int = -1) -> None:
        super().__init__()
        from transformers import AutoConfig, AutoModel

        self.dim, self.context, self.layer = dim, context, layer
        self.model: PreTrainedModel = (
            cast("PreTrainedModel", from_source(AutoModel, model))
            if isinstance(model, str)
            else AutoModel.from_config(AutoConfig.for_model(**model))
        )
        self.model.requires_grad_(False)
        self.project = nn.Linear(self.model.config.hidden_size, dim)

    def train(self, mode: bool = True) -> "Wav2Vec2Encoder":
        """Set the training mode of all but the frozen network."""
        super().train(mode)
        self.model.eval()  # it drops layers and hides parts of the sound otherwise
        return self

    def describe(self, init_args: dict[str, Any]) -> dict[str, Any]:
        """See `PortableModule.describe`."""
        config = {**self.model.config.to_diff_dict(), "model_type": self.model.config.model_type}
        return {"model": plain(config), "dim": self.dim, "context": self.context, "layer": self.layer}

    def forward(self, audio: Tensor, phones: Tensor | None = None) -> Tensor:
        """Compute the features of B windows; see `AudioEncoder.forward`.

        Args:
            audio: (B, (T + 2·context)·640) samples.
            phones: Not read.

        Returns:
            (B, T, dim) features.
        """
        with torch.no_grad():
            states = self.model(normalised(audio), output_hidden_states=True).hidden_states[self.layer]  # (B, about 2(T+2C), W)
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
    """Count the video frames that cover `samples` at 16 kHz."""
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
