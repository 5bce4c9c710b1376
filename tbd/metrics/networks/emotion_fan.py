"""Emotion-FAN (Meng et al. 2019): a ResNet-18 whose frames are weighed by attention, for one prediction a clip.

The layers have the published names and shapes, so that published weights load, EAT's checkpoint for MEAD among them.
"""

import os
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from tbd.errors import InputError
from tbd.metrics.faces.emotion import EmotionClassifier
from tbd.think.emotions import Emotion
from tbd.utils.options.literals import checks_literals
from tbd.weights import load_state

Dataset = Literal["mead", "afew", "ck+"]
CLASSES: Mapping[Dataset, tuple[Emotion, ...]] = {
    "mead": ("happy", "angry", "disgusted", "fear", "sad", "neutral", "surprised", "contempt"),
    "afew": ("happy", "angry", "disgusted", "fear", "sad", "neutral", "surprised"),
    "ck+": ("happy", "angry", "disgusted", "fear", "sad", "contempt", "surprised"),
}
"""The classes in the order of the checkpoints that were trained on a data set: EAT's on MEAD, the authors' on AFEW and on CK+, where
contempt stands in neutral's place (`cate2label` of their `load.py`)."""


class EmotionFAN(EmotionClassifier):
    """Emotion-FAN with its weights.

    With ``relation`` attention a frame's weight α comes from its own features f; the frames' α-weighted mean v is set beside
    each, β comes of both, and the prediction of ``Σ α [f, v] / Σ α β``. That is what the published *evaluation* computes: its
    numerator lacks the β of the training pass (and of the paper's eq. 7). Scores must be theirs, so ours lacks it as well.
    With ``self`` attention the prediction comes of v.

    Args:
        weights: A registered name or a file. `None` leaves the network as `torch` initialises it.
        attention: The head that the weights were trained for.
        dataset: What the weights were trained on, which is what their classes are: eight for MEAD, seven without contempt for AFEW,
            seven without neutral for CK+.
        batch_size: Number of frames at a time.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.
        InputError: If the file holds another network.

    Example:
        >>> network = EmotionFAN(None)
        >>> len(network.emotions), network.scores(torch.zeros(2, 3, 224, 224, dtype=torch.uint8)).shape
        (8, torch.Size([8]))
    """

    conv1: nn.Module
    bn1: nn.Module
    relu: nn.Module
    maxpool: nn.Module
    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module
    avgpool: nn.Module

    @checks_literals
    def __init__(
        self,
        weights: str | os.PathLike | None = "emotion-fan-mead",
        attention: Literal["relation", "self"] = "relation",
        dataset: Dataset = "mead",
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        from torchvision.models import resnet18

        trunk = resnet18()
        for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool"):
            self.add_module(name, getattr(trunk, name))
        self.alpha = nn.Sequential(nn.Linear(512, 1), nn.Sigmoid())
        self.beta = nn.Sequential(nn.Linear(1024, 1), nn.Sigmoid())
        classes = len(CLASSES[dataset])
        self.pred_fc1, self.pred_fc2 = nn.Linear(512, classes), nn.Linear(1024, classes)
        self.attention, self.batch_size, self.emotions = attention, batch_size, CLASSES[dataset]
        if weights is not None:
            state = {key: value for key, value in load_state(weights).items() if not key.startswith("fc.")}
            try:
                self.load_state_dict(state)
            except RuntimeError as error:
                raise InputError(
                    f"{os.fspath(weights)} does not hold Emotion-FAN's weights for the {classes} classes of {dataset} ({error})."
                ) from error
        self.eval()

    def features(self, faces: Tensor) -> Tensor:
        """Compute (F, 512) features of (F, 3, 224, 224) float frames in 0..1."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(faces))))  # (F, 64, 56, 56)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (F, 512, 7, 7)
        return self.avgpool(x).flatten(1)  # (F, 512)

    def scores(self, faces: Tensor) -> Tensor:
        """Classify (F, 3, 224, 224) uint8 RGB: (classes,) probabilities of the clip. Frames go in as 0..1, without normalisation."""
        f = torch.cat([self.features(part / 255) for part in faces.split(self.batch_size)])  # (F, 512)
        alpha = self.alpha(f)  # (F, 1)
        v = (alpha * f).sum(0) / alpha.sum()  # (512,)
        if self.attention == "self":
            return self.pred_fc1(v).softmax(-1)
        both = torch.cat([f, v.expand_as(f)], 1)  # (F, 1024)
        beta = self.beta(both)  # (F, 1)
        return self.pred_fc2((alpha * both).sum(0) / (alpha * beta).sum()).softmax(-1)
