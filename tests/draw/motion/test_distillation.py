"""A trained model gets another ear; its denoiser stays."""

from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
import yaml
from torch.utils.data import DataLoader

from tbd.draw.conditioning.audio_encoder import MelEncoder, PhoneEncoder
from tbd.draw.export import save_model, write_model
from tbd.draw.motion.distillation import AudioDistillation, save_distilled
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.optim import OptimizerConfig
from tbd.errors import InputError
from tbd.speech.alignment import SYMBOLS
from tbd.think.plan import MusclePlan
from tbd.training.main import lightning_cli
from tests.draw.conftest import tiny_model
from tests.speech.humming import Humming

HEARING = Path(__file__).resolve().parents[3] / "configs" / "experiment" / "audio_distillation.yaml"
HUMMING = {"class_path": "tests.speech.humming.Humming"}
PART = "tbd.draw.motion.denoiser.MotionTransformer"


@pytest.fixture
def trained(tmp_path) -> Path:
    """A model folder."""
    model = tiny_model()
    encoder = {"class_path": "tbd.draw.conditioning.audio_encoder.MelEncoder", "init_args": {"dim": 32, "bins": 20, "context": 4}}
    content = {
        "class_path": "tbd.draw.motion.diffusion.MotionDiffusion",
        "init_args": {
            "denoiser": {"class_path": PART, "init_args": {"dim": 32, "depth": 2, "heads": 2}},
            "plan_encoder": {"class_path": "tbd.draw.conditioning.plan_encoder.MuscleTokenEncoder", "init_args": {"dim": 32}},
            "audio_encoder": encoder,
            "noise_scheduler": {"class_path": "diffusers.DDIMScheduler", "init_args": {"prediction_type": "sample"}},
            "guidance": {"class_path": "tbd.draw.guidance.base.NoGuidance"},
            "sampling": {"num_inference_steps": 2},
            "windows": {"frames": 30, "past": 6},
        },
    }
    write_model(content, model.state_dict(), tmp_path / "trained")
    return tmp_path / "trained"


def test_a_new_ear_learns_and_the_denoiser_stays(trained, tmp_path):
    torch.manual_seed(0)
    task = AudioDistillation(PhoneEncoder(Humming(), 32, bins=8, context=4, dropout=0.0), str(trained), optimizer=OptimizerConfig(3e-3, 2))
    before = {name: value.clone() for name, value in task.state_dict().items()}
    batch = {
        "audio": torch.randn(2, 28 * 640) * torch.rand(2, 28, 1).repeat_interleave(640, 2).flatten(1),
        "phones": torch.randint(len(SYMBOLS), (2, 28 * 4), dtype=torch.uint8),
        "mask": torch.ones(2, 20),
    }
    first = task.error(batch, batch["audio"]).item()
    trainer = L.Trainer(max_steps=40, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path)
    trainer.fit(task, DataLoader([batch] * 40, batch_size=None))
    assert task.error(batch, batch["audio"]).item() < 0.5 * first
    changed = {name for name, value in task.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("student.audio_encoder.") for name in changed)

    trainer.save_checkpoint(tmp_path / "run.ckpt")
    encoder = {
        "class_path": "tbd.draw.conditioning.audio_encoder.PhoneEncoder",
        "init_args": {"dim": 32, "bins": 8, "context": 4, "recognizer": HUMMING},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": {"init_args": {"model": str(trained), "audio_encoder": encoder}}}))
    save_distilled(tmp_path / "run.ckpt", tmp_path / "config.yaml", tmp_path / "out")
    joined, old = load_motion_model(tmp_path / "out"), load_motion_model(trained)
    assert isinstance(joined.audio_encoder, PhoneEncoder)
    assert torch.equal(joined.denoiser.proj_out.weight, old.denoiser.proj_out.weight)
    audio = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    assert sum(len(piece) for piece in joined.generate(audio, MusclePlan())) == 50


def test_an_ear_begins_with_what_it_shares(trained):
    own = MelEncoder(32, bins=20, context=4)
    task = AudioDistillation(own, str(trained))
    audio = torch.randn(1, 28 * 640)
    assert torch.equal(task.eval().audio_encoder(audio), task.teacher(audio)) and task.audio_encoder is not task.teacher


def test_misfits_are_refused(trained):
    with pytest.raises(ValueError, match="width 16"):
        AudioDistillation(MelEncoder(16, bins=20, context=4), str(trained))
    with pytest.raises(ValueError, match="reads 5 frames around a window; the model's own 4"):
        AudioDistillation(MelEncoder(32, bins=20, context=5), str(trained))


def test_the_experiment_trains_exports_and_draws(trained, corpus, tmp_path):
    """`configs/experiment/audio_distillation.yaml` whole: the command, its saved configuration, its checkpoint, the folder."""
    cli = lightning_cli(
        [
            f"--config={HEARING}",
            f"--model.init_args.model={trained}",
            "--model.init_args.audio_encoder.init_args.dim=32",
            "--model.init_args.audio_encoder.init_args.context=4",
            "--model.init_args.audio_encoder.init_args.recognizer=tests.speech.humming.Humming",
            "--data.init_args.recognizer=tests.speech.humming.Humming",
            f"--data.init_args.root={corpus}",
            "--data.init_args.batch_size=2",
            "--data.init_args.window_frames=20",
            "--trainer.accelerator=cpu",
            "--trainer.max_steps=3",
            "--trainer.val_check_interval=1",
            f"--trainer.default_root_dir={tmp_path / 'run'}",
        ],
        run=False,
    )
    cli.trainer.fit(cli.model, cli.datamodule)
    assert float(cli.trainer.callback_metrics["train/error"]) < 1000  # the corpus is almost silent
    (last,) = (tmp_path / "run").rglob("last.ckpt")
    assert torch.load(last, weights_only=False)["global_step"] == 3  # whether or not the error has improved
    cli.trainer.save_checkpoint(tmp_path / "run.ckpt")
    config = {"model": yaml.safe_load(cli.parser.dump(cli.config))["model"]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    save_distilled(tmp_path / "run.ckpt", tmp_path / "config.yaml", tmp_path / "out")
    assert isinstance(load_motion_model(tmp_path / "out").audio_encoder, PhoneEncoder)
    with pytest.raises(InputError, match="AudioDistillation trained no model that draws"):
        save_model(tmp_path / "run.ckpt", tmp_path / "config.yaml", tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()


def test_a_run_of_another_kind_is_refused(trained, tmp_path):
    with pytest.raises(InputError, match="is of a MotionDiffusion, which trained no audio encoder"):
        save_distilled(trained, trained / "config.yaml", tmp_path / "out")
    assert not (tmp_path / "out").exists()
