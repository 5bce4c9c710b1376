"""What configurations say of windows and of drawing them, grouped: the same words for every diffusion here."""

import math
from dataclasses import dataclass
from typing import Literal

from tbd.errors import InputError
from tbd.utils.input_checks import require_at_least


@dataclass(frozen=True)
class WindowConfig:
    """How long the windows are, and how they continue one another.

    Args:
        frames: Frames of one window, the past included.
        past: Frames of the window before that a window repeats.
    """

    frames: int
    past: int

    def __post_init__(self) -> None:
        require_at_least(1, frames=self.frames)
        require_at_least(0, past=self.past)


@dataclass(frozen=True)
class GeometricSpacing:
    """Denoising steps at noise levels that fall by equal ratios, instead of at equally spaced timesteps.

    Slow movements of small amplitude, such as brows and head in plain speech, are decided where there is several times as much
    noise as signal. Equally spaced timesteps spend two or three of ten steps there, and what they draw moves too little.

    Args:
        noisiest: σ/α of the second step. The first starts from noise alone.
        cleanest: σ/α of the last step.

    Raises:
        InputError: If the noise does not fall from one to the other.

    Example:
        >>> [round(ratio, 2) for ratio in GeometricSpacing(noisiest=16.0, cleanest=0.25).ratios(5)]
        [16.0, 4.0, 1.0, 0.25]
    """

    noisiest: float = 16.0
    cleanest: float = 0.15

    def __post_init__(self) -> None:
        if not 0 < self.cleanest < self.noisiest < math.inf:
            raise InputError(f"spacing falls from noisiest to cleanest, both above 0, not from {self.noisiest} to {self.cleanest}.")

    def ratios(self, steps: int) -> list[float]:
        """Compute σ/α of all steps but the first.

        Args:
            steps: Number of denoising steps, from 1.

        Returns:
            Falling ratios, one fewer than steps.
        """
        if steps == 2:  # nothing to span: the middle
            return [math.sqrt(self.noisiest * self.cleanest)]
        fall = self.cleanest / self.noisiest
        return [self.noisiest * fall ** (i / (steps - 2)) for i in range(steps - 1)]


@dataclass(frozen=True)
class SamplingConfig:
    """How windows are drawn. No trained weight depends on it.

    Args:
        num_inference_steps: Denoising steps.
        crossfade_frames: Frames over which a window's difference to the past that it continues fades out; 0 for none.
        uncond_mode: What ε(∅) means. ``neutral`` is a neutral face, so that the emotion's scale leads away from neutral and leaves
            neutral plans alone; ``nothing`` withholds the plan, as in classifier-free guidance, and leads away from the average of
            all emotions.
        spacing: At which noise levels the steps are; None for the noise scheduler's own choice. Schedulers that take no timesteps
            from outside, such as DDIM, keep theirs.
    """

    num_inference_steps: int
    crossfade_frames: int = 0
    uncond_mode: Literal["neutral", "nothing"] = "neutral"
    spacing: GeometricSpacing | None = None

    def __post_init__(self) -> None:
        require_at_least(1, num_inference_steps=self.num_inference_steps)
        require_at_least(0, crossfade_frames=self.crossfade_frames)
