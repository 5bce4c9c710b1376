"""A GPU gives the numbers that a CPU gives, also within autocast."""

import math

import pytest
import torch

from tbd import metrics
from tbd.metrics.mfcc import mfcc
from tbd.think.emotions import EMOTIONS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")

G = torch.Generator().manual_seed(0)
FRAMES, OTHER = torch.randint(0, 256, (2, 12, 3, 96, 96), dtype=torch.uint8, generator=G)
AUDIO = torch.randn(40 * 640, generator=G) / 10
SPEAKING = torch.randint(0, 256, (40, 3, 96, 96), dtype=torch.uint8, generator=G)
CHIPS = torch.randint(0, 256, (5, 3, 224, 224), dtype=torch.uint8, generator=G)
POINTS = 100 + 30 * torch.rand(2, 12, 68, 2, generator=G)
MOTIONS = torch.rand(2, 60, 58, generator=G)

CASES = {
    "PSNR": (lambda file: metrics.FramePSNR(), (FRAMES, OTHER)),
    "SSIM": (lambda file: metrics.FrameSSIM(), (FRAMES, OTHER)),
    "LPIPS": (lambda file: metrics.FrameLPIPS("alex", file("alexnet")), (FRAMES, OTHER)),
    "LMD": (lambda file: metrics.MouthLandmarkDistance(), tuple(POINTS)),
    "FMD": (lambda file: metrics.FrechetMotionDistance(), tuple(MOTIONS)),
    "SyncNet": (lambda file: metrics.SyncNetDistance("wav2lip", file("syncnet")), (SPEAKING, AUDIO)),
    "FID": (lambda file: metrics.FrameFID("torchmetrics", file("torchmetrics"), allow_biased=True), (FRAMES, OTHER)),
    "FID eat": (lambda file: metrics.FrameFID("eat", file("eat"), allow_biased=True), (FRAMES, OTHER)),
    "KID": (lambda file: metrics.FrameKID("torchmetrics", file("torchmetrics")), (FRAMES, OTHER)),
    "accuracy": (lambda file: metrics.EmotionAccuracy(metrics.EmotionFAN(None)), (CHIPS, EMOTIONS.index("sad"), CHIPS)),
    "separation": (lambda file: metrics.EmotionSeparation(), (MOTIONS[0], EMOTIONS.index("sad"))),
}


@pytest.mark.parametrize("name", CASES)
def test_it_agrees_with_the_cpu(name, stand_in):
    build, inputs = CASES[name]
    torch.manual_seed(0)
    metric, found = build(stand_in), []
    for device in ("cpu", "cuda"):
        metric = metric.to(device)
        metric.reset()
        metric.update(*inputs)
        if name == "separation":
            metric.update(MOTIONS[1], EMOTIONS.index("happy"))
        found.append(float(metric.compute()))
    with torch.autocast("cuda", dtype=torch.bfloat16):
        metric.reset()
        metric.update(*(x.cuda() if isinstance(x, torch.Tensor) else x for x in inputs))
        if name == "separation":
            metric.update(MOTIONS[1].cuda(), EMOTIONS.index("happy"))
        found.append(float(metric.compute()))
    assert math.isfinite(found[0])  # enough was given to measure anything
    assert found[1] == pytest.approx(found[0], rel=1e-4, abs=1e-6)
    assert found[2] == pytest.approx(found[1], rel=1e-6, abs=1e-9)


def test_cepstra_agree_with_the_cpu():
    samples = (AUDIO * 32768).round()
    assert torch.allclose(mfcc(samples.cuda()).cpu(), mfcc(samples), atol=1e-8)
