"""`tbd fit` and `tbd test` with a checkpoint: what the user says counts, and what does not fit is said."""

import logging

import pytest
import torch

from tbd.cli.main import main
from tests.draw import tiny_motion

SMALL = [
    *("--config", "motion_mini", *tiny_motion.TINY, "--data.init_args.batch_size=2", "--trainer.accelerator=cpu", "--trainer.devices=1"),
    *("--trainer.enable_model_summary=false", "--trainer.limit_val_batches=0", "--trainer.log_every_n_steps=1"),
]


@pytest.fixture(autouse=True)
def _quiet_logging(monkeypatch):
    """Lightning's log keeps the stream of the test that imported it."""
    monkeypatch.setattr(logging, "raiseExceptions", False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Options for the corpus and the folder of a run of three steps."""
    folder = tmp_path_factory.mktemp("run")
    tiny_motion.write_corpus(folder / "corpus")
    options = [*SMALL, f"--data.init_args.root={folder / 'corpus'}", f"--trainer.default_root_dir={folder / 'runs'}"]
    assert main(["fit", *options, "--trainer.max_steps=3"]) == 0
    return options


def refused(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 2
    (said,) = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith(f"tbd {arguments[0]}: ") and " CPU thread" not in line
    ]
    return said


def measured(capsys, *arguments: str) -> dict[str, float]:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    rows = (line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("test/"))
    return {name: float(value) for name, value in rows}


def test_another_guidance_and_sampler_reach_the_model_that_is_tested(trained, capsys):
    """Lightning puts a checkpoint's own hyperparameters in their place."""
    test = ["test", *trained, "--ckpt_path=last"]
    plain = measured(capsys, *test)
    for other in ("--model.init_args.guidance=configs/guidance/none.yaml", "--model.init_args.sampling.num_inference_steps=1"):
        found = measured(capsys, *test, other)
        assert found.keys() == plain.keys() and found != plain


def test_a_run_goes_on_with_the_optimizer_that_it_is_given(trained, capsys):
    options = [f"--model.init_args.optimizer.{option}" for option in ("learning_rate=0.3", "weight_decay=0.5")]
    assert main(["fit", *trained, "--ckpt_path=last", "--trainer.max_steps=4", *options]) == 0
    said = capsys.readouterr().err
    assert "step 4/4" in said and f"lr {0.3 * 4 / 150:.1e}" in said
    saved = said.partition("Its last state is ")[2].split()[0].rstrip(".,")
    groups = torch.load(saved, weights_only=False)["optimizer_states"][0]["param_groups"]
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0] and groups[0]["initial_lr"] == 0.3


def test_weights_of_another_size_are_refused_with_the_configuration_that_fits(trained, capsys):
    wide = ["--ckpt_path=last", "--model.init_args.denoiser.init_args.dim=64"]
    said = refused(capsys, "test", *trained, *wide)
    assert "last.ckpt belongs to another configuration: " in said and said.endswith("config.yaml.") and "; give --config " in said


def test_a_run_without_a_step_says_why(trained, capsys):
    for option, said in (("--trainer.max_steps=0", "max_steps is 0"), ("--trainer.max_epochs=0", "max_epochs is 0")):
        assert said in refused(capsys, "fit", *trained, option)
    assert "the data give no batch" in refused(capsys, "fit", *trained, "--trainer.limit_train_batches=0")
    assert main(["fit", *trained, "--ckpt_path=last", "--trainer.max_steps=2"]) == 0
    assert "nothing was left to train: the checkpoint is of step " in capsys.readouterr().err


def test_the_trainer_s_own_refusals_are_a_sentence(trained, tmp_path, capsys):
    daily = ["--trainer.max_steps=2", "--trainer.check_val_every_n_epoch=1", "--trainer.limit_val_batches=1"]
    assert "cannot go on with these options: `val_check_interval` (500)" in refused(capsys, "fit", *trained, *daily)
    assert "memory://runs is an address; give a folder" in refused(capsys, "fit", *trained, "--trainer.default_root_dir=memory://runs")
    (tmp_path / "file").touch()
    said = refused(capsys, "fit", *trained, f"--trainer.default_root_dir={tmp_path / 'file'}")
    assert said == f"tbd fit: --trainer.default_root_dir {tmp_path / 'file'} is a file; name a folder to fill."


def test_the_same_batches_again_and_again(trained, capsys):
    options = ["--trainer.max_steps=4", "--trainer.overfit_batches=1", "--trainer.enable_checkpointing=false", "--trainer.callbacks=null"]
    assert main(["fit", *trained, *options]) == 0
    assert "finished after step 4" in capsys.readouterr().err


def test_a_cosine_needs_an_end(trained, capsys):
    endless = ["--trainer.max_steps=-1", "--trainer.max_time=00:00:00:01"]
    assert "schedule=constant" in refused(capsys, "fit", *trained, *endless)
