"""What configurations say of training, grouped: the same words for every diffusion here."""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from tbd.utils.input_checks import require_at_least, require_within


@dataclass(frozen=True)
class ConditioningDropout:
    """How often training samples go without a condition, so that guidance can leave it out when drawing.

    Args:
        muscles: Probability that the muscles are withheld.
        emotion: Probability that the emotion is withheld as well, given that the muscles are.
        audio: Probability that the audio is withheld.
        past: Probability that a window continues nothing.
        emotion_alone: Probability that the emotion alone is withheld, given that the muscles are kept: for a guidance that wants
            predictions from muscles without an emotion.

    Example:
        >>> kept = ConditioningDropout(muscles=0.5, emotion=0.5).keep(torch.tensor([[0.1, 0.1, 0.9, 0.9], [0.1, 0.9, 0.9, 0.9]]))
        >>> kept["muscles"].tolist(), kept["emotion"].tolist()
        ([0.0, 0.0], [0.0, 1.0])
    """

    muscles: float = 0.25
    emotion: float = 0.5
    audio: float = 0.1
    past: float = 0.2
    emotion_alone: float = 0.0

    conditions: ClassVar[tuple[str, ...]] = ("muscles", "emotion", "audio", "past")
    """What may be withheld, in the order of the columns that decide."""

    def __post_init__(self) -> None:
        shares = {name: getattr(self, name) for name in (*self.conditions, "emotion_alone")}
        require_within(0, 1, **shares)

    def keep(self, uniform: Tensor) -> dict[str, Tensor]:
        """Decide which conditions each sample keeps.

        Args:
            uniform: (B, n) numbers 0..1, one column for each of `conditions`, and further ones that are not read.

        Returns:
            Condition → (B,) 1 where it is kept, 0 where it is withheld.
        """
        kept = {name: (uniform[:, i] >= getattr(self, name)).float() for i, name in enumerate(self.conditions)}
        # one column for both, since only one of the two probabilities counts for a sample
        alone = (uniform[:, self.conditions.index("emotion")] >= self.emotion_alone).float()
        kept["emotion"] = torch.where(kept["muscles"] > 0, alone, kept["emotion"])
        return kept


@dataclass(frozen=True)
class TrainingNoise:
    """Which noise training adds.

    Args:
        past: Standard deviation of the noise on the clean past, since a past that was drawn is never clean; without it, errors
            feed on themselves from window to window.
        offset: Strength of a shift of the noise that a whole clip shares, against drift of colour and identity: without it a
            model trusts the mean of its input, even in the noise that drawing begins with.
        timestep_bias: 0 trains all noise levels alike; 1 each in proportion to its timestep, since audio and plan decide the
            noisy ones and the others hardly need them.
    """

    past: float = 0.03
    offset: float = 0.0
    timestep_bias: float = 0.0

    def __post_init__(self) -> None:
        require_at_least(0, past=self.past, offset=self.offset)


@dataclass(frozen=True)
class InitialWeights:
    """Weights that a training starts from.

    Args:
        path: A checkpoint or exported folder, such as that of the stage before, or the name of a packaged model.
        skip: Patterns of names that are not taken from it, as a shell's, such as those of a part that is new.
    """

    path: str
    skip: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingConfig:
    """What training alone reads, but for the optimizer.

    Args:
        conditioning_dropout: How often training withholds which condition.
        noise: Which noise training adds.
        seed: Seed of the run, which decides all noise with the samples' numbers; None for that of ``seed_everything``.
    """

    conditioning_dropout: ConditioningDropout = ConditioningDropout()
    noise: TrainingNoise = TrainingNoise()
    seed: int | None = None


@dataclass(frozen=True)
class ValidationClips:
    """What each validation draws with the model's own guidance.

    Args:
        count: Number of clips; 0 for none.
        num_inference_steps: Denoising steps; None for the model's own number.
    """

    count: int = 8
    num_inference_steps: int | None = 4

    def __post_init__(self) -> None:
        require_at_least(0, count=self.count)
        require_at_least(1, num_inference_steps=self.num_inference_steps)
