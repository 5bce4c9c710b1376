"""A wrong option or configuration is one sentence: where, what, and what would be right."""

import logging
from pathlib import Path

import pytest

from tbd.cli.main import main

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
MINI = str(CONFIGS / "experiment" / "motion_mini.yaml")
M = "--model.init_args"


@pytest.fixture(autouse=True)
def _quiet_logging(monkeypatch):
    """Lightning's log keeps the stream of the test that imported it."""
    monkeypatch.setattr(logging, "raiseExceptions", False)


def refused(capsys, *arguments: str) -> str:
    assert main([*arguments]) == 2
    whole = capsys.readouterr().err
    said = [line for line in whole.splitlines() if line.startswith("tbd ")]
    assert len(said) == 1 and said[0].startswith(f"tbd {arguments[0]}: ") and "usage:" not in whole, whole
    assert not [word for word in ("Union", "Namespace", "NestedArg", "usage:", "Traceback", "<class", "Parser key") if word in said[0]]
    return said[0]


def fit(capsys, *arguments: str) -> str:
    return refused(capsys, "fit", "--config", MINI, *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([f"{M}.guidance=tbd.draw.guidance.base.ProgresiveGuidance"], "did you mean tbd.draw.guidance.progressive.ProgressiveGuidance?"),
        (
            [f"{M}.guidance=tbd.drw.guidance.ProgressiveGuidance"],
            "no module tbd.drw; did you mean tbd.draw.guidance.progressive.ProgressiveGuidance?",
        ),
        (
            [f"{M}.guidance=tbd.draw.conditioning.audio_encoder.MelEncoder"],
            "tbd.draw.conditioning.audio_encoder.MelEncoder is no Guidance; such are",
        ),
        ([f"{M}.guidance=nowhere/apg.yaml"], "there is no file nowhere/apg.yaml"),
        ([f"{M}.guidance.init_args.emotion_scal=2"], "takes no emotion_scal; did you mean emotion_scale?"),
        ([f"{M}.guidance.init_args.audio_regions=3"], "audio_regions: 3 is not a list"),
        ([f"{M}.windows.frames=abc"], "--model.init_args.windows.frames: abc is not a whole number"),
        ([f"{M}.sampling.uncond_mode=neutrl"], "neutrl is not one of neutral, nothing; did you mean neutral?"),
        ([f"{M}.audio_encoder=tbd.draw.conditioning.audio_encoder.PhoneEncoder"], "PhoneEncoder needs recognizer"),
        (["--trainer.max_step=3"], "no option --trainer.max_step; did you mean --trainer.max_steps?"),
        (["--trainer.callbacks+=lightning.pytorch.callbacks.EarlyStoping"], "did you mean lightning.pytorch.callbacks.EarlyStopping?"),
        (["--trainer.logger.class_path=nobody.Nothing"], "there is no module nobody"),
        (["--data.init_args.root"], "--data.init_args.root needs a value"),
        (["--trainer.accelerator=cpu", "--trainer.devices=1", "--data.init_args.batch_size=0"], "batch_size is 0; from 1 on is right"),
        (["--data.init_args.num_workers=-2"], "num_workers is -2; from 0 on is right"),
        ([f"{M}.optimizer.learning_rate=-1"], "learning_rate is -1; from 0 on is right"),
        ([f"{M}.sampling.num_inference_steps=0"], "num_inference_steps is 0; from 1 on is right"),
        ([f"{M}.training.conditioning_dropout.audio=7"], "audio is 7; from 0 to 1 is right"),
        ([f"{M}.windows.past=-3"], "past is -3; from 0 on is right"),
        ([f"{M}.optimizer.lr=0.1"], f"no option {M}.optimizer.lr; model.optimizer takes learning_rate, warmup_steps,"),
        (["--model.windows.frame", "60"], "no option --model.windows.frame; did you mean frames?"),
        ([f"{M}.optimiser.learning_rate", "0.1"], "learning_rate; did you mean optimizer?"),
        (["--trainer.logger=wandb"], "there is no class wandb; there are lightning.pytorch.loggers.CSVLogger"),
        (["--trainer.callbacks=nope"], "--trainer.callbacks: there is no class nope"),
        (["--ckpt_path", __file__], "test_errors.py is no checkpoint of a training (.ckpt)"),
        (["--ckpt_path", "nowhere"], "There is no checkpoint nowhere"),
        (["--trainer.accelerator=tpu"], "--trainer.accelerator: this machine has no tpu that PyTorch can use"),
        (["--trainer.accelerator=cpu", "--trainer.strategy=dpp"], "no strategy dpp; did you mean ddp?"),
        (
            ["--trainer.accelerator=cpu", "--trainer.devices=1", f"{M}.denoiser.init_args.heads=3"],
            "cannot be built: dim 320 is no multiple of twice the 3 heads",
        ),
    ],
)
def test_one_sentence_names_what_is_wrong_and_what_is_near(capsys, arguments, said):
    assert said in fit(capsys, *arguments)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("model:\n  init_args: {a: 1\n  b: [", "line 3, column"),
        ("modle:\n  init_args: {a: 1}\n", "line 2, modle.init_args.a: there is no such key; did you mean model?"),
        ("trainer:\n  max_epoch: 4\n", "line 2, trainer.max_epoch: there is no such key; did you mean trainer.max_epochs?"),
        ("model:\n  init_args:\n    windows: {frames: [1]}\n", "line 3, model.windows.frames: [1] is not a whole number"),
        ("model: {init_args: {compile: '${model.init_args.nothing}'}}\n", "names no key nothing"),
        ("- 1\n- 2\n", "holds no options by name"),
        ("# Größe\ntrainer: {max_steps: 3}\n".encode("cp1252"), "is no text in UTF-8; give a YAML file, saved as UTF-8"),
        (None, "There is no configuration"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(capsys, tmp_path, content, said):
    file = tmp_path / "run.yaml"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = fit(capsys, "--config", str(file))
    assert said in told and "run.yaml" in told


def test_a_fragment_is_named_with_what_is_wrong_in_it(capsys, tmp_path):
    (tmp_path / "guide.yaml").write_text("class_path: tbd.draw.guidance.progressive.ProgressiveGuidance\ninit_args: {swich: 1}\n")
    told = fit(capsys, f"{M}.guidance={tmp_path / 'guide.yaml'}")
    assert "guide.yaml: ProgressiveGuidance takes no swich; did you mean switch?" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "--emotoin", "x"], "no option --emotoin; did you mean --emotion?"),
        (["generate", "--portr", "x"], "no option --portr; did you mean --portrait?"),
        (["generate", "--portrait", "a.png"], "must be given"),
        (["synthesize", "--output", "x", "--hours", "long"], "--hours: long is not a number"),
        (["preprocess", "mead", "--rot", "x"], "did you mean --root?"),
    ],
)
def test_other_commands_speak_alike(capsys, arguments, said):
    assert said in refused(capsys, *arguments)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("Requirement 'wandb>=0.12.10' not met. HINT: Try running `pip install -U 'wandb>=0.12.10'`", "pip install -U 'wandb>=0.12.10'"),
        ("the registry cannot be reached", "the registry cannot be reached"),
    ],
)
def test_a_logger_that_cannot_be_made_is_said_rather_than_what_else_its_place_takes(capsys, monkeypatch, failure, said):
    def fail(self, *_, **__):
        raise ModuleNotFoundError(failure)

    monkeypatch.setattr("lightning.pytorch.loggers.WandbLogger.__init__", fail)
    assert said in fit(capsys, "--trainer.logger.class_path=lightning.pytorch.loggers.WandbLogger")
