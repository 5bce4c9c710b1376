"""ArcFace (Deng et al. 2019) for CSIM: the residual networks of InsightFace's `arcface_torch`, with their names and shapes."""

import os
from typing import Literal

from torch import Tensor, nn

from tbd.metrics.faces.identity import FaceEmbedder
from tbd.utils.options.literals import checks_literals
from tbd.weights import load_into

_BLOCKS = {"r18": (2, 2, 2, 2), "r34": (3, 4, 6, 3), "r50": (3, 4, 14, 3), "r100": (3, 13, 30, 3)}


class _Block(nn.Module):
    """Normalisation first, the stride in the second convolution."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.downsample = None if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return y + (x if self.downsample is None else self.downsample(x))


class ArcFaceEmbedder(FaceEmbedder):
    """ArcFace's network: embeds a face in 512 numbers.

    It sees faces as insightface's `norm_crop` cuts them (`tbd.metrics.faces.crops.arcface_crops`), on the five points of our mesh.

    Args:
        weights: A registered name or a file with the backbone's state dict (`backbone.pth`). `None` leaves it untrained.
        depth: Depth of the network that the weights are for.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.
        InputError: If the file holds another network.

    Example:
        >>> import torch
        >>> ArcFaceEmbedder(None, depth="r18").embed(torch.zeros(1, 3, 112, 112, dtype=torch.uint8)).shape
        torch.Size([1, 512])
    """

    crops = "aligned_faces"
    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    @checks_literals
    def __init__(self, weights: str | os.PathLike | None = "arcface-r50", depth: Literal["r18", "r34", "r50", "r100"] = "r50") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1, self.prelu = nn.BatchNorm2d(64), nn.PReLU(64)
        inputs = 64
        for i, (outputs, count) in enumerate(zip((64, 128, 256, 512), _BLOCKS[depth]), 1):
            blocks = [_Block(inputs if k == 0 else outputs, outputs, 2 if k == 0 else 1) for k in range(count)]
            self.add_module(f"layer{i}", nn.Sequential(*blocks))
            inputs = outputs
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * 7 * 7, 512)
        self.features = nn.BatchNorm1d(512)
        if weights is not None:
            load_into(self, weights, f"ArcFace {depth}")
        self.eval()

    def embed(self, faces: Tensor) -> Tensor:
        """Embed (F, 3, 112, 112) uint8 RGB crops, (F, 512)."""
        x = faces.float() / 127.5 - 1  # (F, 3, 112, 112)
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (F, 512, 7, 7)
        return self.features(self.fc(self.bn2(x).flatten(1)))
