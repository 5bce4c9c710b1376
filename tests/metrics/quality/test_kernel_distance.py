"""KID against torchmetrics."""

import pytest
import torch
from torch import nn
from torchmetrics.image.kid import poly_mmd

from tbd.errors import InputError
from tbd.metrics import (
    FrameKID,
)
from tbd.metrics.quality.kernel_distance import kernel_distance


def test_kernel_distance_is_torchmetrics():
    x, y = torch.rand(30, 64).double(), torch.rand(30, 64).double() ** 2
    assert float(kernel_distance(x, y)) == pytest.approx(float(poly_mmd(x, y)), abs=1e-10)


def test_kid_takes_the_same_frames_however_clips_are_shared_out(stand_in):
    frames = torch.randint(0, 256, (9, 3, 20, 20), dtype=torch.uint8)
    metric = FrameKID("torchmetrics", stand_in("torchmetrics"), most=4)
    metric.features = lambda frames: nn.functional.pad(frames.flatten(1).double(), (0, 2048 - 1200))
    samples = []
    for order in ([0, 3, 6], [6, 0, 3]):
        metric.reset()
        for start in order:
            metric.update(frames[start : start + 3], frames[start : start + 3] // 2)
        samples.append(metric.preds.features())
    assert torch.equal(*samples) and len(samples[0]) == 4 and metric.counts() == (9, 9)
    still = frames[:1].expand(9, -1, -1, -1)
    metric.reset()
    metric.update(still, frames)
    keys = metric.preds_sample[:, 0]
    assert len(set(keys.tolist())) == 4, "frames of a still clip are told apart by their place"


def test_kid_is_the_kernel_distance_of_its_features(stand_in, fid, pictures, other):
    metric = FrameKID("torchmetrics", stand_in("torchmetrics"))
    metric._network = fid._network
    metric.update(pictures[:2], other[:2])
    expected = 1000 * kernel_distance(fid.features(pictures[:2]), fid.features(other[:2]))
    assert float(metric.compute()) == pytest.approx(float(expected), rel=1e-9)
    metric.reset()
    metric.update(pictures[:1], other)
    with pytest.raises(InputError, match="at least two frames"):
        metric.compute()
