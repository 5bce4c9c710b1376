"""Every run keeps its configuration beside its own checkpoints, whatever it logs to."""

import pytest
import yaml
from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment

from tbd.draw.export import CONFIG
from tbd.training.main import lightning_cli

TINY = ["--model=tests.training.tiny_module.TinyModule", "--data=tests.training.tiny_module.TinyData"]


class StubLogger(Logger):
    """Logs nothing, and says of its run what Weights & Biases (``shared``) and MLflow with a database (None) say of theirs.

    Args:
        run: The run's name, which is known only once it has begun.
        shared: A folder for all runs.
    """

    def __init__(self, run: str, shared: str | None = None) -> None:
        super().__init__()
        self._run, self._shared, self._begun = run, shared, False

    @property
    @rank_zero_experiment
    def experiment(self):
        self._begun = True
        return self

    @property
    def name(self):
        return "project"

    @property
    def version(self):
        return self._run if self._begun else None

    @property
    def save_dir(self):
        return self._shared

    def log_metrics(self, metrics, step=None):
        pass

    def log_hyperparams(self, params, *args, **kwargs):
        pass


def fit(root, seed: int, *logger: str) -> None:
    settings = [
        "--trainer.accelerator=cpu",
        "--trainer.max_steps=1",
        "--trainer.limit_val_batches=0",
        "--trainer.enable_progress_bar=false",
    ]
    lightning_cli(["fit", *TINY, *settings, f"--trainer.default_root_dir={root}", f"--seed_everything={seed}", *logger])


@pytest.mark.parametrize("shared", [True, False])
def test_runs_that_share_a_folder_keep_their_own_configuration(shared, tmp_path, capsys):
    for seed, run in enumerate(("first", "second")):
        where = [f"--trainer.logger.init_args.shared={tmp_path / 'logs'}"] if shared else []
        stub = ["--trainer.logger=tests.training.test_run_folder.StubLogger", f"--trainer.logger.init_args.run={run}"]
        fit(tmp_path, seed, *stub, *where)
    runs = (tmp_path / "logs" if shared else tmp_path) / "project"
    for seed, run in enumerate(("first", "second")):
        assert yaml.safe_load((runs / run / CONFIG).read_text())["seed_everything"] == seed
        assert (runs / run / "checkpoints" / "last.ckpt").is_file()
    assert sorted(path.name for path in tmp_path.rglob("*.yaml")) == [CONFIG, CONFIG]


def test_without_a_logger_it_stands_in_the_root(tmp_path):
    fit(tmp_path, 3, "--trainer.logger=false")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob(CONFIG)] == [CONFIG]
