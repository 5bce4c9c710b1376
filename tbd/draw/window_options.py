"""What configurations say of windows and of drawing them, grouped: the same words for every diffusion here."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class WindowConfig:
    """How long the windows are, and how they continue one another.

    Args:
        frames: Frames of one window, the past included.
        past: Frames of the window before that a window repeats.
    """

    frames: int
    past: int


@dataclass(frozen=True)
class SamplingConfig:
    """How windows are drawn. No trained weight depends on it.

    Args:
        num_inference_steps: Denoising steps.
        crossfade_frames: Frames over which a window's difference to the past that it continues fades out; 0 for none.
        uncond_mode: What ε(∅) means. ``neutral`` is a neutral face, so that the emotion's scale leads away from neutral and leaves
            neutral plans alone; ``nothing`` withholds the plan, as in classifier-free guidance, and leads away from the average of
            all emotions.
    """

    num_inference_steps: int
    crossfade_frames: int = 0
    uncond_mode: Literal["neutral", "nothing"] = "neutral"
