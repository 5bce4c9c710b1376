"""A published network that learns plans: what trains, what stays, and what it starts as."""

import dataclasses
import sys

import lightning as L
import numpy as np
import pytest
import torch

from tbd.draw.export import load_model, save_loaded_model
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.draw.video.hallo.adapted import AdaptedHalloDenoiser
from tbd.draw.video.hallo.convert import load_published
from tbd.errors import InputError
from tbd.training.main import lightning_cli, resolve
from tests.draw.tiny_motion import QUIET
from tests.draw.tiny_video import TinyVideoData, clip
from tests.draw.video.hallo.peer import published_state
from tests.draw.video.hallo.tiny_published import TINY_FROM_HALLO
from tests.test_configs import CONFIGS

SIDE = 64


class Data(TinyVideoData):
    """Windows of 18 frames of 64 pixels, whose latents are an eighth."""

    def __init__(self) -> None:
        super().__init__(batch_size=1, window_frames=18)
        self.context_frames = 8

    def clips(self, split):
        one = clip(1, frames=18, side=SIDE)
        return [dataclasses.replace(one, region_masks=np.random.default_rng(0).random((5, 8, 8)).astype(np.float32))]


def model() -> VideoDiffusion:
    config = str(CONFIGS / "experiment/video_from_hallo.yaml")
    memory = "--model.init_args.memory.cast_frozen_to_bf16=false"
    return lightning_cli(["--config", config, *TINY_FROM_HALLO, memory], run=False).model


def test_adapters_and_plan_attention_alone_train(tmp_path):
    torch.manual_seed(0)
    trained = model()
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    trainer = L.Trainer(max_steps=2, num_sanity_val_steps=0, limit_val_batches=0, **QUIET)
    trainer.fit(trained, Data())
    changed = {name for name, value in trained.state_dict().items() if not torch.equal(value, before[name])}
    kinds = ("lora_B", "emotion_value", "muscle_value")
    assert all(any(kind in name for name in changed) for kind in kinds)  # what comes before a zero moves from the second step on
    assert all(any(part in name for part in ("lora_", "emotion_", "muscle_", "null_tokens", "plan_encoder")) for name in changed)


def test_it_starts_as_the_published_network(tmp_path):
    state = published_state("hallo")
    torch.save(state, tmp_path / "net.pth")
    adapted, plain = AdaptedHalloDenoiser(str(tmp_path / "net.pth"), 24, 4).eval(), load_published(state).eval()
    name, tokens = "down_blocks.0.attentions.0.transformer_blocks.0.attn1", torch.randn(1, 16, 32)
    ours, theirs = (network.unet.get_submodule(name).to_q(tokens) for network in (adapted, plain))
    assert torch.equal(ours, theirs) and any("lora_A" in name for name, _ in adapted.unet.named_parameters())
    assert sum(p.numel() for name, p in adapted.named_parameters() if "lora_" in name) < 0.1 * sum(p.numel() for p in plain.parameters())


def test_it_is_exported_without_its_source(tmp_path):
    adapted = model()
    config = str(CONFIGS / "experiment/video_from_hallo.yaml")
    adapted.content = resolve(["--config", config, *TINY_FROM_HALLO])["model"]
    save_loaded_model(adapted, tmp_path / "model")
    again = load_model(tmp_path / "model", VideoDiffusion)
    assert {name: value.shape for name, value in adapted.state_dict().items()} == {n: v.shape for n, v in again.state_dict().items()}


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"There are no weights nowhere\.pth; give hallo, emocast"):
        AdaptedHalloDenoiser("nowhere.pth")
    torch.save(published_state("hallo"), tmp_path / "net.pth")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(InputError, match="pip install 'tbd"):
        AdaptedHalloDenoiser(str(tmp_path / "net.pth"))
