"""The runs of a study, one for every variant and seed, and the trainings that they share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tbd.ablation.resolve import Config, checksum_of_config, training_key
from tbd.ablation.study import Point, Variant
from tbd.evaluation.scores import Value
from tbd.utils.atomic import atomic_output

TRUTH = "true motion"
"""The name of the row that measures the recorded clips themselves."""


class Task(BaseModel):
    """One run to be done: a variant with one seed, or the true motion.

    Args:
        variant: Name of the variant, or `TRUTH`.
        seed: Seed of training and sampling.
        config: The whole configuration; empty for the true motion.
        hash: Checksum of all that the numbers depend on.
        training: Folder of the trained model; empty for the true motion.
        output: The result's file.
        point: The variant's place in a sweep.
    """

    model_config = ConfigDict(extra="forbid")

    variant: str
    seed: int
    config: dict[str, Any]
    hash: str
    training: str
    output: str
    point: Point | None = None

    @property
    def failure(self) -> Path:
        """The file that says why the run failed, if it did."""
        return Path(self.output).with_suffix(".failed.txt")

    def done(self) -> bool:
        """Return whether the result is there."""
        return read_result(Path(self.output), self.hash) is not None


class Result(BaseModel):
    """A finished run.

    Args:
        format: Format of this file.
        variant: As in `Task`.
        seed: As in `Task`.
        config: As in `Task`.
        hash: As in `Task`.
        point: As in `Task`.
        training: Key and seed of its training; the path of a checkpoint that was given; empty for the true motion.
        protocol: `Protocol.id`.
        protocol_hash: `Protocol.hash`.
        split: `checksum_of_names` of the clips.
        clips: Number of clips.
        values: Metric → result.
        by_clip: Metric → clip → number, of metrics that are means over clips, for paired tests.
        seconds: ``training`` (of the shared training), ``drawing``, ``measuring``, and ``motion``, the seconds of motion that were drawn.
        trained_on: Environment of the training.
        drawn_on: Environment of this run.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal["tbd-ablation-1"] = "tbd-ablation-1"
    variant: str
    seed: int
    config: dict[str, Any]
    hash: str
    point: Point | None = None
    training: str
    protocol: str
    protocol_hash: str
    split: str
    clips: int
    values: dict[str, Value]
    by_clip: dict[str, dict[str, float]]
    seconds: dict[str, float]
    trained_on: dict[str, Any]
    drawn_on: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the run to a JSON file."""
        with atomic_output(path) as temporary:
            # not pydantic's JSON, which turns the infinities of some noise schedulers' arguments into nulls
            temporary.write_text(json.dumps(self.model_dump(), indent=1) + "\n", encoding="utf-8")


def read_result(path: Path, hash: str | None = None) -> Result | None:
    """Read a finished run.

    Args:
        path: Its file.
        hash: The hash that it must have; any by default.

    Returns:
        The run, or None if there is none or it has another hash.
    """
    try:
        result = Result.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # ValidationError and JSONDecodeError among them
        return None
    return result if hash in (None, result.hash) else None


@dataclass(frozen=True)
class Training:
    """A model to be trained, or one that is given.

    Args:
        key: The same for variants that share the training.
        seed: Seed of the training.
        config: The whole configuration of the first variant that needs it.
        folder: The folder of the trained model.
        given: Whether the folder was named as a checkpoint, so that nothing is trained.
    """

    key: str
    seed: int
    config: Config
    folder: Path
    given: bool = False

    @property
    def weights(self) -> Path:
        """The file of the trained weights."""
        return self.folder / "model.safetensors"

    def done(self) -> bool:
        """Return whether the model is trained. The record is written last."""
        return self.given or (self.folder / "training.json").is_file()

    def record(self) -> dict[str, Any]:
        """Return what was recorded of the training: seconds, steps, environment; empty before its end."""
        path = self.folder / "training.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def make_tasks(
    rows: Sequence[Variant], configs: dict[str, Config], seeds: Sequence[int], measured: dict[str, str], output: Path
) -> tuple[list[Training], list[Task]]:
    """List the trainings and the runs of a study.

    Args:
        rows: The variants.
        configs: Variant → whole configuration.
        seeds: The seeds of each variant.
        measured: What the numbers depend on besides: the hashes of the protocol and of the clips.
        output: The study's folder.

    Returns:
        The trainings, each once, and the runs.
    """
    trainings: dict[tuple[str, int], Training] = {}
    tasks = [_task(TRUTH, 0, {}, {}, "", None, measured, output)]
    for row in rows:
        config = configs[row.name]
        for seed in seeds:
            training = _training_of(row, config, seed, output)
            training = trainings.setdefault((training.key, seed), training)
            about = {"training": training.key, "drawing": config["model"], "seed": seed}
            about |= {"conditions": config["drawing"]} if "drawing" in config else {}
            tasks.append(_task(row.name, seed, config, about, str(training.folder), row.point, measured, output))
    return list(trainings.values()), tasks


def _training_of(row: Variant, config: Config, seed: int, output: Path) -> Training:
    if row.checkpoint is not None:
        from tbd.utils.checksum import checksum_of_files

        folder = Path(row.checkpoint)
        return Training(checksum_of_files([folder / "model.safetensors"], folder)[:16], seed, config, folder, given=True)
    key = training_key(config)
    return Training(key, seed, config, output / "trainings" / f"{key}-{seed}")


def _task(
    name: str, seed: int, config: Config, about: dict[str, Any], training: str, point: Point | None, measured: dict[str, str], output: Path
) -> Task:
    hash = checksum_of_config({**about, **measured})
    # the hash in the name: an edited variant does not overwrite what was measured before
    file = f"{name.replace(' ', '_')}-{seed}-{hash[:8]}.json"
    return Task(variant=name, seed=seed, config=config, hash=hash, training=training, output=str(output / "runs" / file), point=point)
