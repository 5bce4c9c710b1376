import numpy as np
import pytest
import torch

from tbd.data.datasets.motion import WindowDataset
from tbd.data.datasets.packed import Pack
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.think.plan import MuscleAction, MusclePlan

LENGTHS = [50, 7, 30]


def dataset(jitter: bool = False) -> WindowDataset:
    """Every frame's motion and every sample's value is its own number, so that a window shows where it was cut."""
    frames = sum(LENGTHS)
    motion = torch.arange(frames).float()[:, None].expand(-1, 58) / 100
    audio = (torch.arange(frames).repeat_interleave(640) + 1).to(torch.int16)
    plans = [MusclePlan(actions=(MuscleAction(unit=12, intensity=0.5, onset=float(i)),)) for i in range(3)]
    phones = torch.arange(frames).repeat_interleave(4).to(torch.uint8)
    return WindowDataset(
        Pack.of(audio, motion, LENGTHS, phones), PlanTensors.collate(plans), window_frames=20, context_frames=2, jitter=jitter
    )


def test_grid_covers_every_frame_once():
    data = dataset()
    batch = data.__getitems__(list(range(len(data))))
    seen = (batch["motion"][..., 0] * 100).round().long()[batch["mask"] > 0]
    assert sorted(seen.tolist()) == list(range(sum(LENGTHS)))


@pytest.mark.parametrize("jitter", [False, True])
def test_audio_lies_beside_its_motion(jitter):
    data = dataset(jitter)
    batch = data.__getitems__(list(range(5 * len(data))))
    heard = (batch["audio"] * 32768).round().view(-1, 24, 640)
    assert torch.equal(heard, heard[:, :, :1].expand_as(heard))  # whole frames
    frames = (batch["motion"][..., 0] * 100).round() + 1
    assert torch.equal(heard[:, 2:-2, 0] * batch["mask"], frames * batch["mask"])
    phones = batch["phones"].view(-1, 24, 4)
    assert torch.equal(phones[..., 0], phones[..., 3])
    assert torch.equal(phones[:, 2:-2, 0] * batch["mask"], (frames - 1) * batch["mask"])


def test_a_clip_never_hears_its_neighbour():
    batch = dataset()[3]  # the second clip, of 7 frames
    heard = (batch["audio"][0] * 32768).round().view(24, 640)[:, 0]
    assert heard.tolist() == [0, 0, *range(51, 58), *[0] * 15] and batch["mask"][0].sum() == 7


def test_plan_times_are_the_windows():
    batch = dataset().__getitems__([1])  # the first clip from frame 20, 0.8 s
    assert batch["plan"].onset[0, 0] == pytest.approx(0.0 - 0.8)


def test_jitter_stays_inside_and_reaches_both_ends():
    data = dataset(jitter=True)
    starts = (data.__getitems__(list(range(0, 400 * len(data), len(data))))["motion"][:, 0, 0] * 100).round()
    assert starts.min() == 0 and starts.max() == 30


def test_statistics_have_a_floor():
    mean, std = dataset().statistics()
    assert mean[0] == pytest.approx(np.arange(87).mean() / 100, abs=1e-5) and (std > 0).all()
    still = WindowDataset(
        Pack.of(torch.zeros(640, dtype=torch.int16), torch.zeros(1, 58), [1]), PlanTensors.collate([MusclePlan()]), 5, 0, False
    )
    assert still.statistics()[1].min() > 0


def test_both_ways_of_cutting_agree():
    """The gather of a GPU and the copies of a CPU, at both ends of clips and for windows longer than them."""
    data = dataset()
    clip, start = torch.tensor([0, 0, 0, 1, 2, 2]), torch.tensor([0, 30, 41, 0, 10, 29])
    for frames, context in ((20, 2), (60, 0)):
        one, other = (way(clip, start, frames, context) for way in (data.packs[0].gathered, data.packs[0].copied))
        assert one.keys() == other.keys() == {"audio", "motion", "mask", "phones"}
        for key in one:
            assert torch.equal(one[key], other[key]) and one[key].dtype == other[key].dtype
