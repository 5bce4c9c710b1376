"""Which frames of a clip a metric sees."""

import numpy as np
from torch import Tensor


def sample_frames(frames: Tensor, count: int | None) -> Tensor:
    """Choose frames of a clip, spread as EAT spreads its five.

    Args:
        frames: (T, 3, H, W).
        count: Number of frames; None for all.

    Returns:
        (count, 3, H, W), or all where there are fewer.
    """
    if count is None or len(frames) <= count:
        return frames
    return frames[np.linspace(0, len(frames), count, endpoint=False).astype(int)]
