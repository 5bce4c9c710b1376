"""`Ablation`: a study with all of its configurations resolved and checked before anything is trained."""

import json
import os
from collections.abc import Sequence

from lightning import LightningDataModule, LightningModule
from rich.console import Console

from tbd.ablation.measuring import runners, true_clips
from tbd.ablation.resolve import Config, component, difference, require_trained_alike, resolve_overlay, training_key
from tbd.ablation.study import DrawingConditions, Overlay, Study, Variant, load_study, merge, split_drawing
from tbd.errors import InputError
from tbd.evaluation.protocol import Protocol, load_protocol
from tbd.utils.checksum import checksum_of_names
from tbd.utils.class_path import build
from tbd.utils.jobs.multiprocessing import parallel_map

_WORTH_A_PROCESS = 12
"""Configurations that take longer to parse than a process to start."""


class Ablation:
    """A study with all of its configurations resolved and checked.

    Args:
        path: The study's file, or the name of one that ships.
        seeds: How many of the study's seeds to run; further ones count on from its last. All by default.
        baseline: The variant that the others are compared with, instead of the study's.
        limit: How many clips to measure, instead of the study's number.

    Raises:
        InputError: If anything about the study is wrong that can be known before training.
    """

    def __init__(self, path: str | os.PathLike, seeds: int | None = None, baseline: str | None = None, limit: int | None = None) -> None:
        self.study = _with_limit(_with_seeds(load_study(path), seeds), limit)
        if baseline is not None:
            self.study = self.study.model_copy(update={"baseline": baseline})
        self.rows = self.study.rows()
        self.protocol = _protocol_of(self.study)
        self.configs = _resolved(self.study, self.rows)
        self._require_models()
        for row in self.rows:
            if row.checkpoint is not None:
                require_trained_alike(self.configs[row.name], row.checkpoint, f"variant {row.name}")

    def _require_models(self) -> None:
        """Build every training's model once, and the components in which the variants that share it differ.

        Parts that fit their types may not fit each other.
        """
        models: dict[str, Config] = {}
        for row in self.rows:
            config, what = self.configs[row.name], f"variant {row.name}"
            model = models.setdefault(training_key(config), config["model"])
            if model is config["model"]:
                _require_built(model, LightningModule, what)
            for name, value in config["model"]["init_args"].items():
                if isinstance(value, dict) and "class_path" in value and value != model["init_args"].get(name):
                    _require_built(value, object, what)

    @property
    def base(self) -> Config:
        """The baseline's configuration."""
        return self.configs[self.study.base_row]

    def clips(self, console: Console) -> str:
        """Find the true clips; print if they are fewer than the study asks for.

        Args:
            console: Where to print.

        Returns:
            `checksum_of_names` of the clips.

        Raises:
            InputError: If the clips are not there, or their true motion is not known.
        """
        clips = true_clips(self.protocol, self.study.reference, self.study.clips)
        if clips[0].motion() is None:
            raise InputError(f"{self.protocol.id}: the true motion of {clips[0].id} is not known, and an ablation is measured in motion.")
        if self.study.clips is not None and len(clips) < self.study.clips:
            asked = f"{self.study.clips} clips were asked for; {self.protocol.id} has {len(clips)} here, and all are used."
            console.print(asked, highlight=False)
        return checksum_of_names(clip.id for clip in clips)

    def prepare(self) -> None:
        """Pack the training data once for all processes.

        Raises:
            InputError: If some of the data are not there.
        """
        packed = []
        for row in self.rows:
            data = {key: value for key, value in self.configs[row.name]["data"].items()}
            if row.checkpoint is None and data not in packed:
                packed.append(data)
                try:
                    build(component(data), LightningDataModule, f"variant {row.name}: data").prepare_data()
                except InputError as error:
                    raise InputError(f"variant {row.name}: {error}") from error

    def describe(self, console: Console) -> None:
        """Print how each variant differs from the baseline, and what is trained."""
        keys: dict[str, str] = {}
        console.print(f"[bold]{self.study.name}[/]: {len(self.rows)} variants × {len(self.study.seeds)} seeds, protocol {self.protocol.id}")
        for row in self.rows:
            config = self.configs[row.name]
            key = training_key(config)
            shared = row.checkpoint or (f"shares the training of {keys[key]}" if key in keys else f"trained, {key}")
            keys.setdefault(key, row.name)
            console.print(f"\n[bold]{row.name}[/] ({shared})" + (f": {row.about}" if row.about else ""), highlight=False)
            if row.name == self.study.base_row:
                console.print("  the baseline", highlight=False)
            for place, (ours, theirs) in difference(self.base, config).items():
                console.print(f"  {place}: {ours} → {theirs}", highlight=False, markup=False)
        trained = len({training_key(self.configs[r.name]) for r in self.rows if r.checkpoint is None})
        console.print(f"\n{trained} trainings × {len(self.study.seeds)} seeds.", highlight=False)


def _resolved(study: Study, rows: Sequence[Variant]) -> dict[str, Config]:
    """Each row's whole configuration. Rows that differ in nothing but the conditions of drawing share one, since parsing takes a second."""
    parts = {row.name: split_drawing(merge(study.change, row.change), f"variant {row.name}") for row in rows}
    keys = {name: json.dumps(changes, sort_keys=True, default=str) for name, (changes, _) in parts.items()}
    items = {keys[name]: (keys[name], study.base, changes, f"variant {name}") for name, (changes, _) in reversed(parts.items())}
    workers = min(len(items) // _WORTH_A_PROCESS, len(os.sched_getaffinity(0)), 8)
    found = dict(parallel_map(_resolve, list(items.values())[::-1], max(workers, 1)))
    return {
        name: found[keys[name]] if drawing == DrawingConditions() else {**found[keys[name]], "drawing": drawing.model_dump()}
        for name, (_, drawing) in parts.items()
    }


def _resolve(item: tuple[str, Sequence[str], Overlay, str]) -> tuple[str, Config]:
    key, base, changes, what = item
    return key, resolve_overlay(base, [changes], what)


def _with_seeds(study: Study, count: int | None) -> Study:
    if count is None:
        return study
    if count < 1:
        raise InputError(f"--seeds is how many, one or more; not {count}.")
    more = range(max(study.seeds) + 1, max(study.seeds) + 1 + max(0, count - len(study.seeds)))
    return study.model_copy(update={"seeds": (*study.seeds, *more)[:count]})


def _with_limit(study: Study, limit: int | None) -> Study:
    if limit is None:
        return study
    if limit < 1:
        raise InputError(f"--limit is how many clips, one or more; not {limit}.")
    return study.model_copy(update={"clips": limit})


def _require_built(values: Config, base: type, what: str) -> None:
    try:
        build(component(values), base, what)
    except (TypeError, ValueError) as error:
        cause: BaseException = error
        while cause.__cause__ is not None:  # jsonargparse wraps what a class itself says in pages of its own
            cause = cause.__cause__
        raise InputError(f"{what}: {' '.join(str(cause).split())[:300]}") from error


def _protocol_of(study: Study) -> Protocol:
    protocol = load_protocol(study.protocol)
    runners(protocol)
    names = [entry.name for entry in protocol.metrics]
    for name in study.metrics or ():
        if name not in names:
            raise InputError(f"{study.name}: {protocol.id} has no metric {name}; it has {', '.join(names)}.")
    return protocol
