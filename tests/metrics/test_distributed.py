"""One process and two give the same results: a prime number of clips, uneven shares, and a share of none (gloo)."""

import os
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from tbd import metrics
from tbd.metrics.quality import frechet, kernel_distance
from tbd.think.emotions import EMOTIONS
from tests.ranks import run_ranks

CLIPS = 7
SHARES = {"uneven": (range(5), range(5, 7)), "interleaved": (range(0, 7, 2), range(1, 7, 2)), "one is empty": (range(7), range(0))}
EXACT = ("LMD", "PSNR", "blinks", "accuracy", "KID")
"""Sums of integers and chosen rows: the same bits. The others are sums of floats, equal to twelve digits."""


FEATURES = 192


class _Pixels(nn.Module):
    """Stands for Inception and its 2,048 features, which take their time: the features' code is tested elsewhere."""

    def forward(self, frames):
        return frames.flatten(1).float()


@mock.patch.object(frechet, "InceptionFeatures", lambda flavour, weights: _Pixels())
@mock.patch.object(frechet, "FEATURES", FEATURES)
@mock.patch.object(kernel_distance, "FEATURES", FEATURES)
def build() -> dict[str, metrics.ClipMetric]:
    return {
        "LMD": metrics.MouthLandmarkDistance(),
        "PSNR": metrics.FramePSNR(),
        "blinks": metrics.BlinkRate(),
        "accuracy": metrics.EmotionAccuracy(
            metrics.CallableEmotionClassifier(lambda faces: faces[:, 0, 0, :8].float(), EMOTIONS)
        ),
        "separation": metrics.EmotionSeparation(),
        "FMD": metrics.FrechetMotionDistance(),
        "FID": metrics.FrameFID(allow_biased=True),
        "KID": metrics.FrameKID(most=10),
    }  # fmt: skip


def feed(made: dict[str, metrics.ClipMetric], clips: range) -> None:
    for clip in clips:
        rng = np.random.default_rng(clip)
        length = 20 + 3 * clip
        points = rng.normal(100, 30, (2, length, 68, 2))
        if clip == 3:
            points[:] = np.nan  # a clip without a face
        frames = torch.from_numpy(rng.integers(0, 256, (2, length, 3, 8, 8), np.uint8))
        motion = torch.from_numpy(rng.random((length, 58)).astype(np.float32))
        made["LMD"].update(*points)
        made["PSNR"].update(*frames)
        made["blinks"].update(motion)
        made["accuracy"].update(torch.from_numpy(rng.integers(0, 256, (2, 3, 224, 224), np.uint8)), clip)
        made["separation"].update(motion, clip % 8)
        made["FMD"].update(motion, motion.flip(0) ** 2)
        made["FID"].update(*frames)
        made["KID"].update(*frames)


def results(made: dict[str, metrics.ClipMetric]) -> dict[str, float]:
    return {name: metric.compute().item() for name, metric in made.items()}


def main(rank: int, world: int, port: str, folder: str) -> None:
    """What each process of `tests.ranks` does."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=world)
    made, found = build(), {}
    for name, shares in SHARES.items():
        for metric in made.values():
            metric.reset()
        feed(made, shares[rank])
        found[name] = results(made)
        with made["LMD"].sync_context():
            found[name]["clips"], found[name]["without a face"] = int(made["LMD"].clips), int(made["LMD"].unmeasured)
    torch.save(found, Path(folder) / f"{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def single():
    made = build()
    feed(made, range(CLIPS))
    return results(made)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    run_ranks("tests.metrics.test_distributed", str(folder))
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("share", SHARES)
def test_two_processes_agree_with_one(single, two, share):
    for found in two:
        clips, lost = found[share].pop("clips"), found[share].pop("without a face")
        assert (clips, lost) == (CLIPS - 1, 1)
        for name, expected in single.items():
            if name in EXACT:
                assert found[share][name] == expected, name
            else:
                assert found[share][name] == pytest.approx(expected, rel=1e-9), name
        assert all(np.isfinite(value) and value != 0 for value in single.values())
