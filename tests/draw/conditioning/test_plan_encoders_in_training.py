"""Every plan encoder trains with the diffusion and draws, through the trainer and back from a folder."""

import lightning as L
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from tbd.draw.conditioning.plan_encoder import LabelEncoder
from tbd.draw.export import save_model
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.motion.training_options import MotionTraining
from tbd.draw.optim import OptimizerConfig
from tbd.draw.training_options import ConditioningDropout
from tbd.think.plan import MuscleAction, MusclePlan
from tests.draw.conditioning.tiny_text import WIDTH, text_model_folder, tiny_text_encoder
from tests.draw.conftest import tiny_model
from tests.draw.motion.test_diffusion import PLAN, batch, drawn, voice

ENCODERS = {
    "label": lambda: LabelEncoder(32),
    "clip": lambda: tiny_text_encoder("clip", 32),
    "t5": lambda: tiny_text_encoder("t5", 32),
    "t5-trained": lambda: tiny_text_encoder("t5", 32, trained=True),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_one_step_trains_what_should_learn(name):
    model = tiny_model(plan_encoder=ENCODERS[name](), training=MotionTraining(ConditioningDropout(muscles=0.0, audio=0.0))).train()
    model.losses(batch())["loss"].backward()
    grads = {key: parameter.grad for key, parameter in model.plan_encoder.named_parameters()}
    assert all(grad is not None and grad.abs().sum() > 0 for key, grad in grads.items() if not key.startswith("text_model"))
    if name in ("clip", "t5"):
        frozen, _ = model.plan_encoder.reader.load()
        assert all(not p.requires_grad and p.grad is None for p in frozen.parameters())
    if name == "t5-trained":
        assert any(grad is not None and grad.abs().sum() > 0 for key, grad in grads.items() if key.startswith("text_model"))


@pytest.mark.parametrize("name", ENCODERS)
def test_it_draws_and_hears_the_emotion(name):
    model = tiny_model(plan_encoder=ENCODERS[name]())
    happy, sad = (drawn(model, voice(2), PLAN.model_copy(update={"emotions": {e: 1.0}})) for e in ("happy", "sad"))
    assert np.isfinite(happy).all() and not np.allclose(happy, sad, atol=1e-4)


@pytest.mark.parametrize("name", ENCODERS)
def test_muscles_are_drawn_where_they_are_read(name):
    model = tiny_model(plan_encoder=ENCODERS[name]())
    one, other = (drawn(model, voice(1), MusclePlan(actions=(MuscleAction(unit=unit, intensity=0.8),))) for unit in (4, 15))
    assert np.allclose(one, other, atol=1e-5) == (name == "label")


def test_a_run_validates_first_saves_no_text_weights_and_draws_from_its_folder(tmp_path):
    """The sanity check reads texts in inference mode; the training that follows must be able to use them."""
    model = tiny_model(plan_encoder=tiny_text_encoder("clip", 32), optimizer=OptimizerConfig(warmup_steps=1)).train()
    data = DataLoader([batch(2)], batch_size=None)
    trainer = L.Trainer(
        max_steps=1, num_sanity_val_steps=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(model, data, data)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "last.ckpt")
    parts = {
        "denoiser": {
            "class_path": "tbd.draw.motion.denoiser.MotionTransformer",
            "init_args": {"dim": 32, "depth": 2, "heads": 2, "dropout": 0.0},
        },
        "plan_encoder": {
            "class_path": "tbd.draw.conditioning.text_plan_encoder.TextPlanEncoder",
            "init_args": {"dim": 32, "text_model": str(text_model_folder("clip")), "width": WIDTH},
        },
        "audio_encoder": {
            "class_path": "tbd.draw.conditioning.audio_encoder.MelEncoder",
            "init_args": {"dim": 32, "bins": 20, "context": 4},
        },
        "noise_scheduler": {
            "class_path": "diffusers.DDIMScheduler",
            "init_args": {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample", "clip_sample": False},
        },
        "guidance": {"class_path": "tbd.draw.guidance.progressive.ProgressiveGuidance"},
        "sampling": {"num_inference_steps": 3}, "windows": {"frames": 30, "past": 6},
    }  # fmt: skip
    config = {"model": {"class_path": "tbd.draw.motion.diffusion.MotionDiffusion", "init_args": parts}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    save_model(tmp_path / "last.ckpt", tmp_path / "config.yaml", tmp_path / "model")
    assert not any("text_model" in key or "reader" in key for key in load_file(tmp_path / "model" / "model.safetensors"))
    loaded = load_motion_model(tmp_path / "model")
    assert np.allclose(drawn(loaded, voice(1)), drawn(model.eval(), voice(1)), atol=0.02)  # half precision


def test_lightning_checkpoints_rebuild_the_text_encoder(tmp_path):
    model = tiny_model(plan_encoder=tiny_text_encoder("clip", 32))
    before = drawn(model, voice(1))
    trainer = L.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    # parts that were built in Python are no plain values, so that a checkpoint holds their weights alone
    parts = {name: getattr(tiny_model(), name) for name in ("denoiser", "audio_encoder", "noise_scheduler", "guidance")}
    parts["plan_encoder"] = tiny_text_encoder("clip", 32)
    loaded = type(model).load_from_checkpoint(tmp_path / "a.ckpt", **parts).eval()
    assert loaded.plan_encoder.reader._parts is None
    assert np.allclose(drawn(loaded, voice(1)), before, atol=1e-5)
