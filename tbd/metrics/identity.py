"""Whose face it is: CSIM with a pluggable embedder."""

from abc import abstractmethod

from torch import Tensor, nn

from tbd.metrics.base import Array, ClipMean


class FaceEmbedder(nn.Module):
    """Face chips → vectors that lie close together where the person is the same."""

    @abstractmethod
    def embed(self, faces: Tensor) -> Tensor:
        """(F, 3, 224, 224) uint8 RGB → (F, D) float32."""


class IdentitySimilarity(ClipMean):
    """CSIM: mean over frames of the cosine between a face and the target clip's (or portrait's) mean embedding, −1..1."""

    reads = ("preds.faces", "target.faces")
    unit = ""
    higher_is_better = True

    def __init__(self, embedder: FaceEmbedder, **kwargs) -> None:
        super().__init__(**kwargs)

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        raise NotImplementedError
