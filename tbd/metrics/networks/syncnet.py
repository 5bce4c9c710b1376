"""SyncNet (Chung & Zisserman, "Out of Time", 2016): embeds a voice and a mouth so that they lie close where they belong together.

The layers have the names, shapes and paddings of the authors' PyTorch release, so that `syncnet_v2.model` loads.
"""

import os

from torch import Tensor, nn

from tbd.metrics.mfcc import COEFFICIENTS
from tbd.weights import load_into

WINDOW = 5
"""Frames of video in a window."""
CEPSTRA = 4 * WINDOW
"""Frames of sound in a window, at 100 a second."""
SIDE = 224
FEATURES = 1024


def _block2d(inputs: int, outputs: int, kernel: int | tuple[int, int] = 3, padding: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _block3d(inputs: int, outputs: int, kernel: tuple[int, int, int], stride: int = 1, padding: int = 0) -> list[nn.Module]:
    conv = nn.Conv3d(inputs, outputs, kernel, stride=(1, stride, stride), padding=(0, padding, padding))
    return [conv, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)]


def _pool3d(padding: int = 0) -> nn.Module:
    return nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, padding, padding))


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, FEATURES))


class SyncNet(nn.Module):
    """Two networks, one for sound and one for pictures; both give 1024 numbers for a fifth of a second.

    Only the first layer of the mouth's network spans time, so a whole clip goes through it at once: `embed_video` gives what
    the release's loop over windows gives, window by window.
    """

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_block2d(1, 64),
            nn.MaxPool2d(1, stride=1),
            *_block2d(64, 192),
            nn.MaxPool2d(3, stride=(1, 2)),
            *_block2d(192, 384),
            *_block2d(384, 256),
            *_block2d(256, 256),
            nn.MaxPool2d(3, stride=2),
            *_block2d(256, 512, (5, 4), padding=0),
        )
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_block3d(3, 96, (WINDOW, 7, 7), stride=2),
            _pool3d(),
            *_block3d(96, 256, (1, 5, 5), stride=2, padding=1),
            _pool3d(padding=1),
            *_block3d(256, 256, (1, 3, 3), padding=1),
            *_block3d(256, 256, (1, 3, 3), padding=1),
            *_block3d(256, 256, (1, 3, 3), padding=1),
            _pool3d(),
            *_block3d(256, 512, (1, 6, 6)),
        )

    def embed_audio(self, cepstra: Tensor) -> Tensor:
        """Embed (B, 13, 20) cepstra, (B, 1024)."""
        return self.netfcaud(self.netcnnaud(cepstra[:, None]).flatten(1))  # (B, 512) → (B, 1024)

    def embed_video(self, frames: Tensor) -> Tensor:
        """Embed (T, 3, 224, 224) BGR frames, 0..255: (T − 4, 1024), a row for each window of five frames."""
        features = self.netcnnlip(frames.transpose(0, 1)[None])  # (1, 512, T − 4, 1, 1)
        return self.netfclip(features[0, :, :, 0, 0].T)  # (T − 4, 1024)


def load_syncnet(weights: str | os.PathLike = "syncnet_v2") -> SyncNet:
    """Load the trained network.

    Args:
        weights: A registered name, or a file with a state dict of these names.

    Returns:
        SyncNet with its weights.

    Raises:
        WeightsNotFoundError: If the registered file is not on this machine.
        InputError: If the file does not hold this network.
    """
    network = SyncNet()
    load_into(network, weights, "SyncNet")
    return network


def audio_windows(cepstra: Tensor, count: int) -> Tensor:
    """Cut cepstra into windows.

    Args:
        cepstra: (T, 13).
        count: Number of windows.

    Returns:
        (count, 13, 20); window i begins with video frame i.
    """
    windows = cepstra.unfold(0, CEPSTRA, CEPSTRA // WINDOW)  # (n, 13, 20)
    return windows[:count]


__all__ = ["CEPSTRA", "COEFFICIENTS", "FEATURES", "SIDE", "WINDOW", "SyncNet", "audio_windows", "load_syncnet"]
