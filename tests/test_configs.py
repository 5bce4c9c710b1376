"""Every configuration that ships is parsed, and every experiment that can run on made-up data runs a step."""

from pathlib import Path

import pytest
import yaml

from tbd.ablation.resolve import leaves
from tbd.draw.checkpoint import PACKAGED
from tbd.draw.motion.loading import MOTION_MODEL
from tbd.training.main import lightning_cli, resolve
from tests.draw.tiny_motion import TINY as TINY_MOTION
from tests.draw.tiny_video import TINY
from tests.draw.video.hallo.tiny_published import TINY_FROM_HALLO

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"
EXPERIMENTS = sorted(CONFIGS.glob("experiment/*.yaml"))
VIDEO = [path for path in EXPERIMENTS if path.stem.startswith("video")]
"""Their pretrained weights are not here: `tests/draw/video/test_stages.py` runs them with tiny ones."""
HEARING = CONFIGS / "experiment" / "audio_distillation.yaml"
"""It teaches an encoder: `tests/draw/motion/test_distillation.py` runs it."""
FILM = CONFIGS / "experiment" / "motion_film.yaml"
"""It mixes a corpus and a cache: `test_film_and_corpus_train_together`."""
LIVELY = CONFIGS / "experiment" / "motion_lively.yaml"
"""It starts from weights of full size, and recognizes phones."""
MOUTH = CONFIGS / "experiment" / "mouth_refiner.yaml"
"""It makes no motion: `tests/draw/mouth/test_refiner.py` runs it."""
MOTION = [path for path in EXPERIMENTS if path not in (*VIDEO, HEARING, FILM, LIVELY, MOUTH)]
TRAINERS = sorted(CONFIGS.glob("trainer/*.yaml"))
LOGGERS = sorted(CONFIGS.glob("logger/*.yaml"))
FRAGMENTS = sorted(set(CONFIGS.rglob("*.yaml")) - set(EXPERIMENTS) - set(TRAINERS) - set(LOGGERS))
MINI = str(CONFIGS / "experiment" / "motion_mini.yaml")


def parsed(*arguments: str):
    return lightning_cli(["--config", MINI, *arguments], run=False)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_experiments_parse_and_say_which_row_they_are(path):
    assert path == MOUTH or path.read_text().startswith("# Leaderboard row")
    tiny = TINY_FROM_HALLO if path.stem == "video_from_hallo" else TINY if path in VIDEO else []
    assert lightning_cli(["--config", str(path), *tiny], run=False).model is not None


def test_the_packaged_model_is_its_experiments():
    """Guidance, noise scheduler, sizes and all else that its folder holds are written in the experiment, but for the later steps' part."""
    folder = PACKAGED / MOTION_MODEL / "config.yaml"
    stored = dict(leaves(yaml.safe_load(folder.read_text(encoding="utf-8"))))
    made = dict(leaves(resolve(["--config", str(CONFIGS / "experiment" / "motion_base.yaml")])))
    differing = {key for key, value in stored.items() if made.get(key) != value}
    assert {key.split(".")[2] for key in differing} == {"audio_encoder"}  # audio_distillation.yaml and motion_lively.yaml
    assert {key for key in stored if ".guidance.init_args." in key} == {key for key in made if ".guidance.init_args." in key}


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_fragments_swap_their_slot(path):
    """A fragment's folder is its slot's name."""
    if path.parent.name == "data":
        data = parsed(f"--data={path}").datamodule
        assert type(data).__name__ == yaml.safe_load(path.read_text())["class_path"].rsplit(".", 1)[1]
        assert data.window_frames in (None, 70)  # None takes the model's
        return
    model = parsed(f"--model.init_args.{path.parent.name}={path}").model
    assert type(getattr(model, path.parent.name)).__name__ == yaml.safe_load(path.read_text())["class_path"].rsplit(".", 1)[1]


@pytest.mark.parametrize("path", TRAINERS, ids=lambda p: p.stem)
def test_trainers_combine_with_an_experiment(path):
    assert "trainer" in yaml.safe_load(path.read_text())
    arguments = ["--trainer.accelerator=cpu", "--trainer.devices=1", "--trainer.precision=32-true"]  # this machine may have no GPU
    assert parsed("--config", str(path), *arguments).trainer is not None


@pytest.mark.parametrize("path", LOGGERS, ids=lambda p: p.stem)
def test_loggers_combine_with_an_experiment(path):
    """Weights & Biases and MLflow are no dependencies: their loggers are parsed, not made."""
    arguments = ["--config", MINI, "--config", str(path), "--trainer.accelerator=cpu"]
    logger = resolve(arguments)["trainer"]["logger"]
    made = [one["class_path"].rpartition(".")[2] for one in (logger if isinstance(logger, list) else [logger])]
    classes = {"csv": "CSVLogger", "tensorboard": "TensorBoardLogger", "wandb": "WandbLogger", "mlflow": "MLFlowLogger"}
    assert made == [classes[path.stem]]


def test_curves_as_a_table(corpus, tmp_path, capsys):
    """A whole run with another logger: learning rate and losses are in it, and the last state is the last."""
    import csv

    import torch

    from tbd.training.main import run

    arguments = ["fit", "--config", MINI, "--config", str(CONFIGS / "logger" / "csv.yaml"), f"--trainer.logger.save_dir={tmp_path}"]
    arguments += TINY_MOTION
    arguments += [f"--data.init_args.root={corpus}", "--data.init_args.batch_size=2", "--trainer.accelerator=cpu", "--trainer.devices=1"]
    arguments += ["--trainer.max_steps=3", "--trainer.val_check_interval=2", "--trainer.log_every_n_steps=1"]
    assert run(arguments) == 0
    with open(tmp_path / "lightning_logs" / "version_0" / "metrics.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["train/lr"]) for row in rows if row["train/lr"]] == pytest.approx([8e-4 * step / 150 for step in (1, 2, 3)])
    assert any(row["val/loss"] for row in rows)
    said = capsys.readouterr().err
    assert "step 3/3, loss " in said and ", lr 1.6e-05" in said and "step 2: val/jawOpen" in said and "CPU thread" in said
    (last,) = tmp_path.rglob("last.ckpt")
    assert torch.load(last, weights_only=False)["global_step"] == 3 and list(tmp_path.rglob("best-step=2.ckpt"))
    # what it says at its end is what measures it, each figure once though validation has two loaders
    command = next(line for line in said.splitlines() if "To measure it: tbd test" in line).partition("tbd ")[2].split()
    for arguments, figure in ((command, "test/muscle_error"), (["validate", *command[1:]], "val/muscle_error")):
        assert run(arguments) == 0
        out, noise = capsys.readouterr()
        assert sum(line.split()[:1] == [figure] for line in out.splitlines()) == 1 and "WeightAveraging" not in noise


def test_film_and_corpus_train_together(corpus, mead_cache, tmp_path):
    """The experiment as it ships but for sizes, places and the weights that it starts from; plans come from the filmed faces."""
    import shutil

    import torch
    from rich.console import Console

    from tbd.data.preprocess.plan_runner import measure_plans

    cache = shutil.copytree(mead_cache, tmp_path / "film")
    measure_plans(cache, workers=1, console=Console(quiet=True))
    config = yaml.safe_load(FILM.read_text(encoding="utf-8"))
    model, data = config["model"]["init_args"], config["data"]["init_args"]
    del model["initial"]
    procedural, film = data["modules"]
    procedural["init_args"]["root"] = str(corpus)
    film |= {
        "class_path": "tbd.data.datamodules.mead.MEADDataModule",
        "init_args": {"root": str(cache), "plans": "measured", "sound_only": False},
    }
    config["trainer"] |= {
        "max_steps": 2,
        "val_check_interval": 2,
        "num_sanity_val_steps": 0,
        "default_root_dir": str(tmp_path / "run"),
        "accelerator": "cpu",
    }
    path = tmp_path / "film.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    small = ["--data.init_args.batch_size=4", "--trainer.enable_progress_bar=false", "--trainer.devices=1"]
    cli = lightning_cli(["fit", "--config", str(path), *TINY_MOTION, *small])
    assert cli.trainer.global_step == 2
    assert not any(p.requires_grad for p in cli.model.audio_encoder.parameters())
    (last,) = (tmp_path / "run").rglob("last.ckpt")
    assert torch.load(last, weights_only=False)["global_step"] == 2
    assert {clip.measured is None for clip in cli.datamodule.clips()} == {True, False}


def test_a_corpus_smaller_than_a_batch_is_refused_with_both_numbers(corpus, tmp_path, capsys):
    from tbd.cli.main import main

    arguments = ["fit", "--config", MINI, f"--data.init_args.root={corpus}", "--data.init_args.batch_size=500", "--trainer.accelerator=cpu"]
    arguments += ["--trainer.devices=1", "--trainer.limit_val_batches=0", f"--trainer.default_root_dir={tmp_path}"]
    assert main(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "windows, fewer than the batch_size of 500; give --data.init_args.batch_size=" in said


def test_an_override_reaches_whatever_interpolates_it():
    """jsonargparse's plain omegaconf mode leaves these at the old number, silently."""
    cli = parsed(
        "--model.init_args.denoiser.init_args.dim=64", "--model.init_args.denoiser.init_args.heads=2", "--model.init_args.windows.frames=50"
    )
    assert (cli.model.plan_encoder.dim, cli.model.audio_encoder.dim, cli.datamodule.window_frames) == (64, 64, 50)


def test_a_later_file_overrides_too(tmp_path):
    later = tmp_path / "later.yaml"
    later.write_text("model: {init_args: {audio_encoder: {init_args: {context: 5}}}}")
    cli = parsed("--config", str(later))
    assert (cli.model.audio_encoder.context, cli.datamodule.context_frames) == (5, 5)


def test_a_guider_of_diffusers_is_a_component_within_a_component():
    fragment = f"--model.init_args.guidance={CONFIGS / 'guidance' / 'apg.yaml'}"
    guider = "--model.init_args.guidance.init_args.guider.init_args"
    cli = parsed(fragment, f"{guider}.guidance_scale=3.5", f"{guider}.stop=0.5")
    guidance = cli.model.guidance
    assert type(guidance.guider).__name__ == "AdaptiveProjectedGuidance"
    assert (guidance.guider.guidance_scale, guidance.guider.eta, guidance.guider._stop) == (3.5, 0.0, 0.5)
    # the voice of the experiment stays, as baselines must hear what the others hear
    assert (guidance.audio_scale, guidance.audio_regions) == (3.0, ["lower"])


def test_a_guider_that_does_not_fit_is_refused_when_parsed(capsys):
    with pytest.raises(SystemExit):
        parsed(
            "--model.init_args.guidance=tbd.draw.guidance.diffusers.DiffusersGuidance",
            "--model.init_args.guidance.guider=diffusers.DDIMScheduler",
        )
    assert "BaseGuidance" in capsys.readouterr().err


def test_a_misfit_is_refused_when_parsed(capsys):
    with pytest.raises(SystemExit):
        parsed("--model.init_args.guidance=tbd.draw.conditioning.audio_encoder.MelEncoder")
    assert "Guidance" in capsys.readouterr().err


TOLD_PHONES = [
    "--model.init_args.audio_encoder.class_path=tbd.draw.conditioning.audio_encoder.PhoneEncoder",
    "--model.init_args.audio_encoder.init_args.dim=32",
    "--model.init_args.audio_encoder.init_args.recognizer=tests.speech.humming.Humming",
    "--data.init_args.recognizer=tests.speech.humming.Humming",
]


@pytest.mark.parametrize(
    ("path", "more"),
    [*((p, []) for p in MOTION), (Path(MINI), TOLD_PHONES), (LIVELY, TOLD_PHONES)],
    ids=[*(p.stem for p in MOTION), "told phones", LIVELY.stem],
)
def test_experiments_train_export_and_draw(path, more, corpus, mead_cache, tmp_path):
    """A few steps on a made-up corpus or cache, then the checkpoint becomes a model folder that draws."""
    import numpy as np
    import torch

    from tbd.draw.export import save_model
    from tbd.draw.motion.loading import load_motion_model
    from tbd.think.plan import MusclePlan

    config = yaml.safe_load(path.read_text())
    data = config["data"]["class_path"].rsplit(".", 1)[1]
    if config["model"]["init_args"].pop("initial", None) is not None:
        path = tmp_path / path.name
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
    root = {"ProceduralDataModule": corpus, "MEADDataModule": mead_cache}[data]
    cli = lightning_cli(
        [
            *("fit", "--config", str(path), f"--data.init_args.root={root}", "--data.init_args.batch_size=2", "--trainer.max_steps=2"),
            *("--trainer.accelerator=cpu", f"--trainer.default_root_dir={tmp_path / 'run'}", "--trainer.val_check_interval=1"),
            *("--trainer.enable_progress_bar=false", "--trainer.log_every_n_steps=1"),
            *TINY_MOTION,
            *more,
        ],
    )
    assert cli.trainer.global_step == 2
    run = Path(cli.trainer.log_dir)
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)["global_step"] == 2
    save_model(run / "checkpoints" / "last.ckpt", run / "config.yaml", tmp_path / "model")
    model = load_motion_model(tmp_path / "model")
    motion = next(model.generate(np.zeros(640 * 10, np.float32), MusclePlan()))
    assert len(motion) == 10 and model.window_frames == 20
    assert float(model.std.min()) > 0 and not bool((model.std == 1).all())
