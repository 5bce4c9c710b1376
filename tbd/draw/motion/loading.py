"""Trained motion models, ready to draw."""

import os

from tbd import MOTION_MODEL
from tbd.draw.export import load_model
from tbd.draw.motion.sampler import MotionSampler


def load_motion_model(name: str | os.PathLike = MOTION_MODEL) -> MotionSampler:
    """Load a trained motion model.

    Args:
        name: A folder, checkpoint, packaged model or hub repository, as for `load_model`.

    Returns:
        The model, ready to draw, without its training; `tbd.draw.export.load_model` loads a `MotionDiffusion` whole.

    Raises:
        InputError: If there is no such model, or its files do not fit together.

    Example:
        >>> load_motion_model().window_frames
        110
    """
    return load_model(name, MotionSampler)
