"""What every training shares: hyperparameters without networks, and checkpoints that rebuild a model from class paths."""

import gc
from collections.abc import Callable
from pathlib import Path

import lightning as L
import pytest
import torch
import yaml
from torch import nn

from tbd.draw.conditioning.audio_encoder import MelEncoder
from tbd.draw.export import write_model
from tbd.draw.motion.denoiser import MotionTransformer
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.motion.distillation import AudioDistillation
from tbd.draw.motion.loading import load_motion_model
from tbd.draw.optim import OptimizerConfig
from tbd.draw.window_options import WindowConfig
from tbd.training.main import lightning_cli
from tests.draw import tiny_motion
from tests.draw.conftest import tiny_model
from tests.draw.tiny_video import tiny_video_model

MOTION_MINI = Path(__file__).resolve().parents[2] / "configs" / "experiment" / "motion_mini.yaml"


def storages() -> dict[int, int]:
    """Address → bytes of every tensor that is alive."""
    gc.collect()
    # other tests' parameters stay alive, sparse ones among them, which have no storage
    tensors = [found for found in gc.get_objects() if isinstance(found, torch.Tensor) and found.layout is torch.strided]
    return {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}


def copies(build: Callable[[], nn.Module]) -> float:
    """Bytes of the tensors that building a network leaves alive, in shares of its own weights and buffers.

    A tiny network's noise scheduler adds some hundredths.
    """
    before = storages()
    network = build()
    new = sum(size for place, size in storages().items() if place not in before)
    own = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in (*network.parameters(), *network.buffers())}
    return new / sum(own.values())


@pytest.fixture
def folder(tmp_path) -> Path:
    """A model folder."""
    content = yaml.safe_load(MOTION_MINI.read_text())["model"]
    parts = content["init_args"]
    parts["denoiser"]["init_args"] = {"dim": 32, "depth": 2, "heads": 2}
    for name, options in {"plan_encoder": {"dim": 32}, "audio_encoder": {"dim": 32, "bins": 20, "context": 4}}.items():
        parts[name]["init_args"] = options
    write_model(content, tiny_model().state_dict(), tmp_path / "model")
    return tmp_path / "model"


def test_models_built_in_python_hold_their_weights_once():
    assert copies(tiny_model) < 1.2
    assert copies(tiny_video_model) < 1.2


def test_loaded_models_and_distillation_hold_their_weights_once(folder):
    assert copies(lambda: load_motion_model(folder)) < 1.2
    assert copies(lambda: AudioDistillation(MelEncoder(32, bins=24, context=4), str(folder))) < 1.2


def cli(root: Path):
    corpus = tiny_motion.write_corpus(root / "corpus")
    options = [*tiny_motion.TINY, f"--data.init_args.root={corpus}", "--data.init_args.batch_size=2", "--trainer.accelerator=cpu"]
    return lightning_cli([f"--config={MOTION_MINI}", *options, f"--trainer.default_root_dir={root}"], run=False)


def test_the_command_line_s_model_holds_its_weights_once_and_is_rebuilt_from_class_paths(tmp_path):
    assert copies(lambda: cli(tmp_path / "one").model) < 1.2
    made = cli(tmp_path / "two")
    made.trainer.strategy.connect(made.model)
    made.trainer.save_checkpoint(tmp_path / "a.ckpt")
    saved = torch.load(tmp_path / "a.ckpt", weights_only=True)["hyper_parameters"]
    assert saved["denoiser"]["class_path"].endswith("MotionTransformer") and saved["denoiser"]["init_args"]["dim"] == 32
    rebuilt = MotionDiffusion.load_from_checkpoint(tmp_path / "a.ckpt")
    assert isinstance(rebuilt.denoiser, MotionTransformer) and rebuilt.past_frames == 4
    assert all(torch.equal(a, b) for a, b in zip(rebuilt.state_dict().values(), made.model.state_dict().values()))


def test_a_model_built_in_python_is_loaded_with_its_components_as_arguments(tmp_path):
    model = tiny_model(windows=WindowConfig(30, 7), optimizer=OptimizerConfig(learning_rate=0.25))
    assert not any(isinstance(value, nn.Module) for value in model.hparams.values()) and model.hparams["windows"] == {
        "frames": 30,
        "past": 7,
    }
    trainer = L.Trainer(**tiny_motion.QUIET)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    names = ("denoiser", "plan_encoder", "audio_encoder", "noise_scheduler", "guidance")
    loaded = MotionDiffusion.load_from_checkpoint(tmp_path / "a.ckpt", **{name: getattr(tiny_model(), name) for name in names})
    assert loaded.past_frames == 7 and loaded.optimizer == OptimizerConfig(learning_rate=0.25)
    assert torch.equal(loaded.denoiser.proj_out.weight, model.denoiser.proj_out.weight)
