"""TensorFlow's padding ``same``, for weights that were trained with it."""

from collections.abc import Sequence

from torch import Tensor, nn


def pad_same(x: Tensor, window: Sequence[int], step: Sequence[int], value: float = 0.0) -> Tensor:
    """Pad as TensorFlow does, so that a step is taken from every place: more behind than before where the padding is odd.

    Args:
        x: (B, C, ...) with one axis for each number of `window`.
        window: Size of the convolution or pooling.
        step: Its stride.
        value: What stands in the padding.

    Returns:
        The padded tensor.

    Example:
        >>> import torch
        >>> pad_same(torch.ones(1, 1, 4), [3], [2]).tolist()
        [[[1.0, 1.0, 1.0, 1.0, 0.0]]]
    """
    pads: list[int] = []
    for side, width, stride in zip(reversed(x.shape[2:]), reversed(window), reversed(step)):
        total = max(width - stride if side % stride == 0 else width - side % stride, 0)
        pads += [total // 2, total - total // 2]
    return nn.functional.pad(x, pads, value=value)
