import pytest
import torch

from tbd.metrics.networks.same_padding import pad_same


@pytest.mark.parametrize(("side", "window", "step"), [(224, 7, 2), (112, 3, 2), (28, 3, 2), (15, 3, 2), (8, 2, 2), (7, 2, 2), (5, 3, 1)])
def test_padding_is_tensorflows(side, window, step):
    """⌈side / step⌉ windows, and the odd pixel behind."""
    padded = pad_same(torch.ones(1, 1, side, side, side), (window,) * 3, (step,) * 3)[0, 0, padded_middle(side), padded_middle(side)]
    out = -(-side // step)
    assert (len(padded) - window) // step + 1 == out
    total = max((out - 1) * step + window - side, 0)
    assert len(padded) == side + total and int(torch.nonzero(padded)[0]) == total // 2


def padded_middle(side: int) -> int:
    return side // 2
