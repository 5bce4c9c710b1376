"""Does a face show the emotion that was asked for, in a classifier's eyes?"""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from tbd.metrics.base import Array, ClipMetric


class EmotionClassifier(nn.Module):
    """Face chips of one clip → scores of emotions."""

    emotions: ClassVar[tuple[str, ...]]
    """What the scores' columns mean, in the names of `tbd.think.action_units.EMOTIONS`."""

    @abstractmethod
    def scores(self, faces: Tensor) -> Tensor:
        """(F, 3, 224, 224) uint8 RGB → (len(emotions),) float, the clip's."""


class EmotionAccuracy(ClipMetric):
    """Top-1 accuracy over clips, 0..1, and the confusion matrix.

    With `contempt=False` seven classes are used: clips asked for contempt are counted apart and contempt is never the answer.
    """

    reads = ("preds.faces", "target.emotion")
    unit = ""
    higher_is_better = True

    def __init__(self, classifier: EmotionClassifier, contempt: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)

    def update(self, faces: Array, emotion: int) -> None:
        raise NotImplementedError

    def compute(self) -> Tensor:
        """() float64."""
        raise NotImplementedError

    def confusion(self) -> Tensor:
        """(8, 8) int64, rows asked, columns seen, of this process's clips."""
        raise NotImplementedError
