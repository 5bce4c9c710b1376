"""Emotion of a face, as a classifier of pixels sees it."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from tbd.errors import InputError
from tbd.metrics.base import Array, ClipMetric, FrozenModule, Unmeasurable, full_precision, to_uint8
from tbd.metrics.inputs import LeftOut, check_faces, require_finite_output
from tbd.think.emotions import EMOTIONS, Emotion, parse_emotion
from tbd.weights import WeightsNotFoundError


class EmotionClassifier(nn.Module):
    """Base class of networks that score the emotions of a clip.

    An implementation sets `emotions` to the emotions of its scores' columns, in the words of `EMOTIONS` (seven without contempt
    will do), and scores a clip as a whole.

    Example:
        >>> class Bright(EmotionClassifier):
        ...     emotions = ("happy", "sad")
        ...     def scores(self, faces):
        ...         light = faces.float().mean() / 255
        ...         return torch.stack([light, 1 - light])
        >>> Bright().scores(torch.full((4, 3, 224, 224), 255, dtype=torch.uint8)).tolist()
        [1.0, 0.0]
    """

    emotions: tuple[Emotion, ...]

    @abstractmethod
    def scores(self, faces: Tensor) -> Tensor:
        """Score one clip.

        Args:
            faces: (F, 3, 224, 224) uint8 RGB face chips, F at least 1.

        Returns:
            (len(emotions),) float, the greater the likelier.
        """


class CallableEmotionClassifier(EmotionClassifier):
    """A classifier made of any function of frames.

    Args:
        function: (F, 3, 224, 224) uint8 RGB → (F, K) scores per frame, averaged over frames.
        emotions: Emotions of the K columns, in any known spelling.

    Example:
        >>> bright = CallableEmotionClassifier(lambda faces: faces.float().mean((2, 3))[:, :2], ["Happiness", "Sadness"])
        >>> bright.emotions, bright.scores(torch.zeros(4, 3, 224, 224, dtype=torch.uint8)).shape
        (('happy', 'sad'), torch.Size([2]))
    """

    def __init__(self, function: Callable[[Tensor], Tensor], emotions: Sequence[str]) -> None:
        super().__init__()
        self.function, self.emotions = function, tuple(parse_emotion(emotion) for emotion in emotions)

    @override
    def scores(self, faces: Tensor) -> Tensor:
        return self.function(faces).float().mean(0)


class TransformersEmotionClassifier(EmotionClassifier):
    """An image classifier of `transformers` whose labels are emotions; the mean over frames of its probabilities.

    Args:
        model: A folder, or a hub repository that is in the local cache already.
        batch_size: Number of frames at a time.

    Raises:
        WeightsNotFoundError: If the model is not on this machine.
        InputError: If one of its labels is no emotion.

    Example:
        >>> issubclass(TransformersEmotionClassifier, EmotionClassifier)
        True
        >>> classifier = TransformersEmotionClassifier("models/emotion-vit")  # doctest: +SKIP
    """

    def __init__(self, model: str, batch_size: int = 32) -> None:
        super().__init__()
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        try:
            self.processor = AutoImageProcessor.from_pretrained(model, local_files_only=True)
            self.model = AutoModelForImageClassification.from_pretrained(model, local_files_only=True)
        except (OSError, ValueError) as error:
            message = f"The image classifier {model} is neither a folder nor in the hub's local cache."
            raise WeightsNotFoundError(model, message, f"hf download {model}") from error
        labels = self.model.config.id2label
        self.emotions = tuple(parse_emotion(labels[i]) for i in range(len(labels)))
        self.batch_size = batch_size

    @override
    def scores(self, faces: Tensor) -> Tensor:
        total = torch.zeros(len(self.emotions), device=self.model.device)
        for part in faces.split(self.batch_size):
            pixels = self.processor(images=list(part.cpu()), return_tensors="pt")["pixel_values"]
            total += self.model(pixels.to(self.model.device)).logits.softmax(-1).sum(0)
        return total / len(faces)


class EmotionAccuracy(ClipMetric):
    """Top-1 accuracy over clips, 0..1, higher is better, with its confusion matrix and its ceiling.

    The ceiling is the same classifier's accuracy on the recorded clips, where they are given: an accuracy means little
    without it. A value above the ceiling means that the classifier was over-fitted to, not that people would agree.

    Args:
        classifier: Classifies a clip's face chips.
        contempt: False gives the seven-class figure: contempt is never predicted, and clips labelled with it are left out. A
            classifier that does not know contempt gives that figure anyway.
        with_ceiling: Whether the recorded clips are classified as well; not where there are none and a portrait stands for them.
        kwargs: Options of `torchmetrics.Metric`.

    States: `matrix` and `ceiling_matrix` (8, 8), `left_out` (clips whose label the classifier does not know), `unmeasured`.

    Example:
        >>> classifier = CallableEmotionClassifier(lambda faces: faces.float().mean((2, 3))[:, :2], ["happy", "sad"])
        >>> metric = EmotionAccuracy(classifier)
        >>> red = torch.zeros(2, 3, 224, 224, dtype=torch.uint8)
        >>> red[:, 0] = 255
        >>> metric.update(red, EMOTIONS.index("happy"))
        >>> metric.update(red, EMOTIONS.index("sad"))
        >>> metric.compute()
        tensor(0.5000, dtype=torch.float64)
    """

    reads: tuple[str, ...] = ("preds.faces", "target.emotion", "target.faces")
    unit = ""
    higher_is_better = True
    plot_lower_bound, plot_upper_bound = 0.0, 1.0
    matrix: Tensor
    ceiling_matrix: Tensor
    left_out: Tensor

    def __init__(self, classifier: EmotionClassifier, contempt: bool = True, with_ceiling: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not with_ceiling:
            self.reads = self.reads[:2]
        self._classifier = FrozenModule(classifier)
        self.known = tuple(e for e in classifier.emotions if contempt or e != "contempt")
        for name in ("matrix", "ceiling_matrix"):
            self.add_state(name, torch.zeros(len(EMOTIONS), len(EMOTIONS), dtype=torch.int64), "sum")
        self.add_state("left_out", torch.zeros((), dtype=torch.int64), "sum")

    def classify(self, faces: Array) -> Emotion:
        """Classify one clip. Changes nothing.

        Args:
            faces: (F, 3, 224, 224) uint8.

        Returns:
            The most likely of the classifier's emotions.

        Raises:
            Unmeasurable: If there is no face.
            InputError: If the classifier's scores are not finite, or not one for each of its emotions.
        """
        check_faces(faces, "faces")
        faces = to_uint8(faces)
        if not len(faces):
            raise Unmeasurable("No face was seen in the clip.")
        with full_precision(self.device):
            classifier = self._classifier.on(self.device)
            scores = require_finite_output(classifier.scores(faces.to(self.device)), type(classifier).__name__)
        if scores.shape != (len(classifier.emotions),):
            raise InputError(f"A classifier of {len(classifier.emotions)} emotions gave scores of the shape {tuple(scores.shape)}.")
        choices = [i for i, emotion in enumerate(classifier.emotions) if emotion in self.known]
        return classifier.emotions[choices[int(scores[choices].argmax())]]

    def update(self, preds: Array, target: int, target_faces: Array | None = None) -> None:
        """Classify one clip.

        Args:
            preds: (F, 3, 224, 224) uint8 chips (`tbd.metrics.faces.crops.face_chips`); where F is 0 the clip is unmeasured.
            target: The label, an index into `EMOTIONS`.
            target_faces: Chips of the recorded clip, for the ceiling.

        Raises:
            Unmeasurable: If there is no face; the ceiling has the recorded clip all the same.
            LeftOut: If the classifier does not know the label.
        """
        if EMOTIONS[target] not in self.known:
            self.left_out += 1
            raise LeftOut(f"The classifier has no class for {EMOTIONS[target]}, so clips of it are left out.")
        # both are classified before either is counted: a classifier that fails leaves nothing half done
        refused, found = None, []
        for matrix, chips in ((self.matrix, preds), (self.ceiling_matrix, target_faces)):
            try:
                found += [] if chips is None else [(matrix, EMOTIONS.index(self.classify(chips)))]
            except Unmeasurable as error:
                refused = error if chips is preds else refused
        for matrix, emotion in found:
            matrix[target, emotion] += 1
        if refused is not None:
            raise refused

    def compute(self) -> Tensor:
        """Compute the accuracy, () float64, NaN where no clip was classified."""
        return _accuracy(self.matrix)

    def ceiling(self) -> Tensor:
        """Compute the accuracy on the recorded clips of this process, () float64."""
        return _accuracy(self.ceiling_matrix)

    def confusion(self) -> Tensor:
        """Return (8, 8) int64, rows labels, columns predictions, in the order of `EMOTIONS`; of this process's clips alone."""
        return self.matrix.clone()

    def recall(self) -> dict[Emotion, float]:
        """Compute for each labelled emotion the part of its clips that show it; of this process's clips alone."""
        labelled = self.matrix.sum(1)
        return {e: float(self.matrix[i, i] / labelled[i]) for i, e in enumerate(EMOTIONS) if labelled[i]}


def _accuracy(matrix: Tensor) -> Tensor:
    return matrix.diagonal().sum().double() / matrix.sum()
