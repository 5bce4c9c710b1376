"""Two processes, with whole weights or shares of them, do what one does with the same global batch."""

from pathlib import Path

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging
from lightning.pytorch.strategies import FSDPStrategy
from torch.distributed.device_mesh import init_device_mesh

from tbd.draw.video.training_options import VideoTraining
from tbd.errors import InputError
from tests.draw.tiny_video import tiny_video_model
from tests.draw.video.processes import train
from tests.ranks import run_ranks

RUNS = ("ddp", "shards", "copies", "shards+")


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """The folder of what each of two processes saw, in all `RUNS`; each imports for longer than it trains, so there is one pair."""
    folder = tmp_path_factory.mktemp("two")
    run_ranks("tests.draw.video.processes", str(folder), *RUNS)
    return folder


def found(folder: Path, run: str) -> list[dict]:
    return [torch.load(folder / f"{run}.{rank}", weights_only=True) for rank in range(2)]


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> dict:
    return train(0, 1, "auto", tmp_path_factory.mktemp("one") / "none.ckpt")


@pytest.mark.parametrize("strategy", ["ddp", "shards", "copies"])
def test_two_processes_are_one_with_the_same_global_batch(one, two, strategy):
    two = found(two, strategy)
    for step, ids in one["ids"].items():
        assert sorted(ids) == sorted(two[0]["ids"][step] + two[1]["ids"][step]) and not set(two[0]["ids"][step]) & set(two[1]["ids"][step])
        assert one["losses"][step] == pytest.approx((two[0]["losses"][step] + two[1]["losses"][step]) / 2, rel=1e-4)
    assert two[0]["logged"] == two[1]["logged"] == pytest.approx(one["logged"], rel=1e-4)  # of both, not the first one's
    assert two[0]["validation"] == two[1]["validation"] == pytest.approx(one["validation"], rel=1e-4)
    assert two[0]["metric"] == two[1]["metric"] == pytest.approx(one["metric"], rel=1e-6)
    for name, weight in one["weights"].items():
        assert torch.equal(two[0]["weights"][name], two[1]["weights"][name])
        assert torch.allclose(weight, two[0]["weights"][name], atol=2e-4), name
    # rows that do not divide by two make the shares a little uneven
    assert two[0]["optimized"] / one["optimized"] == pytest.approx(0.5 if strategy == "shards" else 1, abs=0.05)


def test_one_process_and_two_go_on_from_a_checkpoint_of_shares(two):
    one, two = train(0, 1, "auto", two / "shards.ckpt", goes_on=True), found(two, "shards+")
    assert list(one["losses"]) == list(two[0]["losses"]) == [3, 4]
    for step, loss in one["losses"].items():
        assert loss == pytest.approx((two[0]["losses"][step] + two[1]["losses"][step]) / 2, rel=1e-4)
    for name, weight in one["weights"].items():
        assert torch.allclose(weight, two[0]["weights"][name], atol=2e-4), name


def test_a_model_that_is_shared_out_can_be_compiled(tmp_path):
    """What does not train is laid out as tensor cores want it; a share is left as it is."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1)
    try:
        model = tiny_video_model(training=VideoTraining(trainable=["denoiser.unet.*resnets*"]))
        model.apply_fsdp2(init_device_mesh("cpu", (1, 1), mesh_dim_names=("copies", "shares")))
        model.compile_parts()
    finally:
        torch.distributed.destroy_process_group()
    layouts = {
        p.requires_grad: p.is_contiguous(memory_format=torch.channels_last) for p in model.denoiser.parameters() if p.shape[2:] == (3, 3)
    }
    assert layouts == {False: True, True: False}


def test_a_checkpoint_of_another_configuration_is_refused_before_it_is_shared_out(monkeypatch, tmp_path):
    other = tiny_video_model().state_dict()
    other["denoiser.null_tokens"] = torch.zeros(3, 8)
    torch.save({"state_dict": other}, tmp_path / "other.ckpt")
    model = tiny_video_model()
    model.trainer = L.Trainer(accelerator="cpu", logger=False)
    model.trainer.ckpt_path = str(tmp_path / "other.ckpt")
    monkeypatch.setattr(model, "_device_mesh", "a mesh")
    with pytest.raises(InputError, match=r"belongs to another configuration: denoiser\.null_tokens"):
        model.configure_model()


def test_what_cannot_be_shared_out_is_refused(monkeypatch):
    model = tiny_video_model()
    model.trainer = L.Trainer(accelerator="cpu", logger=False, callbacks=[EMAWeightAveraging()])
    model.configure_model()
    monkeypatch.setattr(model, "_device_mesh", "a mesh")
    with pytest.raises(InputError, match="leave EMAWeightAveraging out"):
        model.configure_model()
    monkeypatch.setattr(model.trainer.strategy, "__class__", FSDPStrategy)
    with pytest.raises(InputError, match=r"configs/trainer/fsdp\.yaml"):
        model.setup("fit")
