"""The video experiments as they ship, with tiny networks: both stages, the export, and a video from it."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tbd.cli.main import main
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.sound import save_sound
from tbd.data.records import ClipRecord
from tbd.draw.export import load_model, save_model
from tbd.draw.video.diffusion import VideoDiffusion
from tbd.errors import InputError
from tbd.training.main import lightning_cli
from tests.draw.tiny_video import TINY

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
LATENTS = "vae@sd-vae-ft-mse-512"


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A cache of three clips with random latents, and a split of them."""
    root = tmp_path_factory.mktemp("stages")
    cache = Cache.claim(root / "cache", source="folder", sizes=[512], crop="portrait-1")
    rng = np.random.default_rng(0)
    for clip, frames in {"a": 24, "b": 20, "c": 16}.items():
        shapes = {
            LATENTS: (frames, 4, 8, 8),
            "coarse": (frames, 4, 8, 8),
            "lips_and_head": (frames, 4, 8, 8),
            "portrait": (4, 8, 8),
            "regions": (5, 8, 8),
        }
        features = {}
        for kind, shape in shapes.items():
            name = kind if kind == LATENTS else f"{kind}@sd-vae-ft-mse-512"
            features[name] = f"features/{name}/{clip}.npy"
            cache.path(features[name]).parent.mkdir(parents=True, exist_ok=True)
            np.save(cache.path(features[name]), rng.random(size=shape).astype(np.float16))
        record = ClipRecord(
            clip,
            "folder",
            clip,
            clip,
            "happy",
            2,
            status="ready",
            frames=frames,
            seconds=frames / 25,
            audio=f"audio/{clip}.wav",
            features=features,
        )
        save_sound(cache.path(record.audio), np.zeros(frames * 640))
        cache.save_record(record)
    cache.write_manifest()
    split = {
        "name": "three",
        "dataset": "folder",
        "by": "clip",
        "source": "made up",
        "splits": {"train": ["a", "b"], "val": ["c"]},
        "rest": None,
    }
    (root / "split.json").write_text(json.dumps(split))
    return root


def fit(root: Path, stage: int, *options: str):
    data = {"root": root / "cache", "split_file": root / "split.json", "num_workers": 0, "batch_size": 1}
    trainer = {
        "accelerator": "cpu", "max_steps": 2, "val_check_interval": 1, "enable_progress_bar": "false", "log_every_n_steps": 1,
        "precision": "bf16-mixed",
        "default_root_dir": root / f"run{stage}",
    }  # fmt: skip
    arguments = [
        "fit",
        "--config",
        str(CONFIGS / f"experiment/video_stage{stage}.yaml"),
        *TINY,
        "--model.init_args.sampling.num_inference_steps=2",
    ]
    arguments += [f"--data.init_args.{name}={value}" for name, value in data.items()]
    arguments += [f"--trainer.{name}={value}" for name, value in trainer.items()]
    return lightning_cli([*arguments, *options])


@pytest.fixture(scope="module")
def trained(root) -> Path:
    """Both stages; the last one's run folder."""
    first = Path(fit(root, 1).trainer.log_dir) / "checkpoints" / "last.ckpt"
    return Path(
        fit(
            root,
            2,
            f"--model.init_args.initial.path={first}",
            "--model.init_args.optimizer.warmup_steps=1",
            "--model.init_args.optimizer.learning_rate=0.01",
        ).trainer.log_dir
    )


def test_the_second_stage_moves_what_moves(root, trained):
    import torch

    states = [
        torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["current_model_state"]
        for run in (next((root / "run1").rglob("version_0")), trained)
    ]
    # the last state is the last, whether or not what is monitored improved, and the best is there by its name
    for run in (next((root / "run1").rglob("version_0")), trained):
        assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)["global_step"] == 2
        assert list(run.glob("checkpoints/best-step=*.ckpt"))
    changed = {
        name for name, value in states[0].items() if not torch.allclose(value.float(), states[1][name].float(), rtol=1e-2, atol=1e-3)
    }
    assert any("conv_in" in name for name in changed) and all("motion_modules" in name or "conv_in" in name for name in changed)


def test_validation_shows_films(trained):
    events = EventAccumulator(str(trained), size_guidance={"images": 0})
    events.Reload()
    films = events.Images("val/video_0")
    assert films and films[0].encoded_image_string.startswith(b"GIF") and films[0].width == 3 * films[0].height
    assert {"val/loss", "val/sample", "train/loss"} & set(events.Tags()["scalars"]) >= {"val/loss", "val/sample"}


def test_an_export_needs_no_hub_and_draws(trained, tmp_path):
    save_model(trained / "checkpoints" / "last.ckpt", trained / "config.yaml", tmp_path / "model")
    described = yaml.safe_load((tmp_path / "model" / "config.yaml").read_text())["model"]["init_args"]
    assert (
        isinstance(described["denoiser"]["init_args"]["unet"], dict)
        and "initial" not in described
        and "trainable" not in described["training"]
    )
    exported, direct = load_model(tmp_path / "model", VideoDiffusion), load_model(trained / "checkpoints" / "last.ckpt", VideoDiffusion)
    half = load_file(tmp_path / "model" / "model.safetensors")
    for (name, a), (_, b) in zip(exported.named_parameters(), direct.named_parameters()):
        assert np.allclose(a, b, atol=2e-3) and half[name].dtype.itemsize == 2, name
    video = list(
        exported.generate(
            np.zeros((16, 16, 3), np.uint8),
            iter(np.zeros((20, 16, 16, 3), np.uint8)),
            np.ones((5, 8, 8)),
            np.zeros(20 * 640, np.float32),
            _plan(),
        )
    )
    assert len(video) == 20


def _plan():
    from tbd.think.plan import MusclePlan

    return MusclePlan(emotions={"sad": 1.0}, intensity=0.5)


def test_a_model_of_another_kind_is_refused(trained):
    from tbd.draw.motion.diffusion import MotionDiffusion

    with pytest.raises(InputError, match="describes a VideoDiffusion; here a MotionDiffusion is wanted"):
        load_model(trained / "checkpoints" / "last.ckpt", MotionDiffusion)


def test_a_truncated_checkpoint_is_refused_before_anything_is_built(root, trained, tmp_path):
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes((trained / "checkpoints" / "last.ckpt").read_bytes()[:-500])
    with pytest.raises(InputError, match="cut short"):
        fit(root, 1, f"--ckpt_path={cut}")


def test_generate_draws_with_the_video_model(trained, tmp_path, capsys):
    """The whole command: thinking, motion, coarse frames, latent video, mp4 with sound."""
    import skimage

    from tbd.data.preprocess.sound import save_sound
    from tbd.media import video_info

    save_sound(tmp_path / "voice.wav", np.sin(np.arange(16000) / 20) * 0.3)
    portrait = str(Path(skimage.__file__).parent / "data" / "astronaut.png")
    arguments = ["generate", "--portrait", portrait, "--audio", str(tmp_path / "voice.wav"), "--emotion", "sad", "--size", "64"]
    arguments += ["--output", str(tmp_path / "out.mp4"), "--num-inference-steps", "2", "--renderer", "video"]
    assert main(arguments) == 2 and "go together" in capsys.readouterr().err
    assert main([*arguments, "--checkpoint", str(trained / "checkpoints" / "last.ckpt")]) == 0
    info = video_info(tmp_path / "out.mp4")
    assert (info.width, info.height) == (64, 64) and info.duration == pytest.approx(1.0, abs=0.05)
    assert main([*arguments, "--checkpoint", str(tmp_path / "none")]) == 2
