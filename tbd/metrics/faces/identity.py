"""Identity of a face: CSIM with a pluggable embedder."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from tbd.media.rates import FPS
from tbd.metrics.base import Array, ClipMean, FrozenModule, Unmeasurable, full_precision, to_uint8
from tbd.metrics.inputs import CHECKS, require_finite_output
from tbd.metrics.sampling import sample_frames
from tbd.utils.input_checks import require_at_least


class FaceEmbedder(nn.Module):
    """Base class of networks that turn faces into vectors which point the same way where the person is the same.

    An implementation that was trained on insightface's crops sets `crops` to ``aligned_faces``.

    Example:
        >>> class MeanColour(FaceEmbedder):
        ...     def embed(self, faces):
        ...         return faces.float().mean((2, 3))
        >>> MeanColour().embed(torch.zeros(4, 3, 224, 224, dtype=torch.uint8)).shape
        torch.Size([4, 3])
    """

    crops: ClassVar[Literal["faces", "aligned_faces"]] = "faces"
    """The field that it sees: dlib's chips of 224, or insightface's crops of 112 (`tbd.metrics.faces.crops.CUTTERS`)."""

    @abstractmethod
    def embed(self, faces: Tensor) -> Tensor:
        """Embed faces. Resizing and scaling are the network's own.

        Args:
            faces: (F, 3, side, side) uint8 RGB, cut as `crops` says.

        Returns:
            (F, D) float32.
        """


class IdentitySimilarity(ClipMean):
    """CSIM: the mean over frames of the cosine between a face's embedding and the reference's, −1..1, higher is better.

    The reference is the mean of the recorded clip's unit embeddings, or of the one portrait that was given. The embedder is
    part of the metric's name: cosines of two embedders are not comparable, and each has its own value for strangers.

    Args:
        embedder: Turns faces into vectors; its `crops` is the field that this metric reads.
        batch_size: Number of faces at a time.
        faces_per_clip: Number of faces of each clip, spread evenly over it; None for all.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> class MeanColour(FaceEmbedder):
        ...     def embed(self, faces):
        ...         return faces.float().mean((2, 3))
        >>> metric = IdentitySimilarity(MeanColour())
        >>> face = torch.full((2, 3, 224, 224), 90, dtype=torch.uint8)
        >>> metric.update(face, face // 2)
        >>> round(float(metric.compute()), 6)
        1.0
    """

    reads: tuple[str, ...] = ("preds.faces", "target.faces")
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = -1.0, 1.0

    def __init__(self, embedder: FaceEmbedder, batch_size: int = 32, faces_per_clip: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_at_least(1, batch_size=batch_size, faces_per_clip=faces_per_clip)
        self._embedder, self.batch_size, self.faces_per_clip = FrozenModule(embedder), batch_size, faces_per_clip
        self.reads = (f"preds.{embedder.crops}", f"target.{embedder.crops}")

    def embed(self, faces: Array) -> Tensor:
        """Embed faces as vectors of length 1.

        Args:
            faces: (F, 3, side, side) uint8, cut as the embedder sees them.

        Returns:
            (F, D) float64.

        Raises:
            Unmeasurable: If F is 0.
        """
        CHECKS[self._embedder.network.crops](faces, "faces")
        faces = to_uint8(faces)
        if not len(faces):
            raise Unmeasurable("No face was seen in the clip or in its reference.")
        with full_precision(self.device):
            embedder = self._embedder.on(self.device)
            embeds = torch.cat([embedder.embed(part.to(self.device)) for part in faces.split(self.batch_size)])
        require_finite_output(embeds, type(embedder).__name__)
        return nn.functional.normalize(embeds.double(), dim=1)

    def direction(self, faces: Array) -> Tensor:
        """Average faces' embeddings into one vector of length 1, (D,) float64; see `embed`."""
        return nn.functional.normalize(self.embed(faces).mean(0), dim=0)

    def measure(self, preds: Array, target: Array) -> dict[str, float]:
        """Compare one clip with its reference.

        Args:
            preds: (F, 3, side, side) uint8, cut as the embedder sees them.
            target: (G, 3, side, side) uint8, cut likewise.

        Returns:
            ``value``, the mean cosine.

        Raises:
            Unmeasurable: If there is no face in either.
        """
        preds, target = (sample_frames(torch.as_tensor(faces), self.faces_per_clip) for faces in (preds, target))
        return {"value": float((self.embed(preds) @ self.direction(target)).mean())}


class IdentityDrift(IdentitySimilarity):
    """Drift of a face over a clip: 1 − the cosine between the mean embeddings of its first and last second, 0..2, lower is better.

    A face that turns into another one over a long clip has the same CSIM in the mean as one that is a little off throughout. Recorded
    clips are not at 0, since heads turn; compare with them.

    Args:
        embedder: See `IdentitySimilarity`.
        batch_size: Number of faces at a time.
        faces_per_clip: Number of faces of the first and of the last second together; None for all.
        kwargs: Options of `torchmetrics.Metric`.

    Example:
        >>> class MeanColour(FaceEmbedder):
        ...     def embed(self, faces):
        ...         return faces.float().mean((2, 3))
        >>> faces = torch.full((75, 3, 224, 224), 90, dtype=torch.uint8)
        >>> metric = IdentityDrift(MeanColour())
        >>> metric.update(faces)
        >>> round(float(metric.compute()), 6)
        0.0
    """

    higher_is_better = False
    plot_lower_bound, plot_upper_bound = 0.0, 2.0

    def __init__(self, embedder: FaceEmbedder, batch_size: int = 32, faces_per_clip: int | None = None, **kwargs: Any) -> None:
        super().__init__(embedder, batch_size, faces_per_clip, **kwargs)
        self.reads = (f"preds.{embedder.crops}",)

    def measure(self, preds: Array) -> dict[str, float]:  # type: ignore[override]  # it reads one field
        """Compare a clip's beginning with its end.

        Args:
            preds: (F, 3, side, side) uint8, cut as the embedder sees them, of consecutive frames.

        Returns:
            ``value``, the drift.

        Raises:
            Unmeasurable: If fewer than two seconds show a face.
        """
        if len(preds) < 2 * FPS:
            raise Unmeasurable(f"Drift needs two seconds of a face, {2 * FPS} frames; there are {len(preds)}.")
        each = None if self.faces_per_clip is None else max(self.faces_per_clip // 2, 1)
        first, last = (sample_frames(torch.as_tensor(part), each) for part in (preds[:FPS], preds[-FPS:]))
        return {"value": 1 - float(self.direction(first) @ self.direction(last))}
