"""How near generated frames come to true ones, without any pretrained weights: for machines with no network.

The numbers compare rows of one table with each other. They are no FID: that name belongs to Inception features.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEATURES = "64 features of 4 random convolutions (He initialisation, seed 0; mean and deviation over the frame), per frame"


class RandomFeatures(nn.Module):
    """Frames (N, 3, H, W) in 0..1 → (N, 64): the same random network everywhere (cf. Naeem et al. 2020, arXiv 2002.09797)."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        widths = (3, 32, 64, 64, 32)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        for layer in self.layers:
            fan_in = layer.weight[0].numel()
            layer.weight.data = torch.randn(layer.weight.shape, generator=generator) * (2 / fan_in) ** 0.5
            nn.init.zeros_(layer.bias)
        self.requires_grad_(False)

    def forward(self, frames: Tensor) -> Tensor:
        x = frames * 2 - 1
        for layer in self.layers:
            x = F.relu(layer(x))
        return torch.cat([x.mean((2, 3)), x.std((2, 3))], 1)


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Between two Gaussians fitted to features (N, D) and (M, D) (Dowson & Landau 1982).

    Example:
        >>> x = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
        >>> round(frechet_distance(x, x), 4), round(frechet_distance(x, x + 1), 3)
        (0.0, 4.0)
    """
    a, b = a.double(), b.double()
    cov_a, cov_b = a.T.cov(), b.T.cov()
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp(min=0).sqrt().sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross)


class IdentityNet(nn.Module):
    """A small classifier of the portraits seen in training; the layer before its last tells faces apart."""

    def __init__(self, portraits: int) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 128)
        blocks = [layer for a, b in pairwise(widths) for layer in (nn.Conv2d(a, b, 3, stride=2, padding=1), nn.GroupNorm(8, b), nn.ReLU())]
        self.body = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 64))
        self.head = nn.Linear(64, portraits)

    def forward(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W) in 0..1 → (N, 64)."""
        return self.body(frames * 2 - 1)

    def fit(self, frames: Tensor, labels: Tensor, steps: int) -> None:
        """Learn from uint8 frames (N, 3, H, W), shifted, cropped and relit at random."""
        optimizer = torch.optim.AdamW(self.parameters(), 1e-3)
        generator = torch.Generator().manual_seed(0)
        for _ in range(steps):
            rows = torch.randint(len(frames), (64,), generator=generator).to(frames.device)
            x = frames[rows].float() / 255
            x = x * (1 + 0.3 * torch.randn(len(x), 3, 1, 1, device=x.device)) + 0.1 * torch.randn(len(x), 3, 1, 1, device=x.device)
            shift = torch.randint(-6, 7, (2,), generator=generator).tolist()
            x = torch.roll(x, shift, (2, 3)) + 0.05 * torch.randn_like(x)
            loss = F.cross_entropy(self.head(self(x.clamp(0, 1))), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@torch.no_grad()
def measure(
    videos: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
    portraits: Sequence[np.ndarray],
    mouths: Sequence[np.ndarray],
    identity: IdentityNet,
    device: torch.device,
) -> dict[str, float]:
    """Figures of generated clips.

    Args:
        videos, truth: (T, 3, H, W) uint8, clip by clip.
        portraits: (3, H, W) uint8 of each clip.
        mouths: (H, W) 0..1 where the lower face is, of each clip.
        identity: tells faces apart.
        device: where to compute.

    Returns:
        ``frechet_distance`` to the true frames on `FEATURES`; ``identity_distance``, 1 − cosine between a frame's and its
        portrait's embedding; ``error`` and ``mouth_error``, mean absolute difference from the true frame in 8-bit steps;
        ``jumps``, largest mean change between neighbouring frames as a multiple of the true video's largest.
    """
    features = RandomFeatures().to(device)

    def tensors(clips: Sequence[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.concatenate(clips)).to(device).float() / 255

    distances, errors, mouth_errors, jumps = [], [], [], []
    for video, true, portrait, mouth in zip(videos, truth, portraits, mouths):
        ours, face = identity(tensors([video])), identity(tensors([portrait[None]]))
        distances.append(float(1 - F.cosine_similarity(ours, face).mean()))
        difference = np.abs(video.astype(np.float32) - true)
        errors.append(float(difference.mean()))
        mouth_errors.append(float((difference * mouth).sum() / (mouth.sum() * difference.shape[0] * 3)))
        change, true_change = (np.abs(np.diff(x.astype(np.float32), axis=0)).mean((1, 2, 3)) for x in (video, true))
        jumps.append(float(change.max() / max(true_change.max(), 1e-3)))
    return {
        "frechet_distance": frechet_distance(features(tensors(videos)), features(tensors(truth))),
        "identity_distance": float(np.mean(distances)),
        "error": float(np.mean(errors)),
        "mouth_error": float(np.mean(mouth_errors)),
        "jumps": float(np.mean(jumps)),
    }
