"""Runs a study: checks everything, trains what must be trained, measures, and writes the tables."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lightning import LightningDataModule, LightningModule
from rich.console import Console

from tbd.ablation.measuring import runners, true_clips
from tbd.ablation.plots import plot_sweep
from tbd.ablation.resolve import Config, component, difference, require_trained_alike, resolve_overlay, training_key
from tbd.ablation.runs import TRUTH, Result, Task, Training, make_tasks, read_result
from tbd.ablation.study import Study, Variant, load_study
from tbd.ablation.tables import Column, as_csv, columns_of, how_to_read, latex, markdown, seed_count
from tbd.ablation.work import SweepJob, TrainingSpec, write_failure
from tbd.errors import InputError, TBDError
from tbd.evaluation.protocol import Protocol, load_protocol
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names
from tbd.utils.class_path import build
from tbd.utils.job_monitor import Job, Monitor
from tbd.utils.launchers import Launcher

TASKS_A_JOB = 8
"""How many runs one process measures, one after another, since starting a process takes some seconds."""


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
        self.configs = {row.name: self._resolved(row) for row in self.rows}
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

    def _resolved(self, row: Variant) -> Config:
        return resolve_overlay(self.study.base, [self.study.change, row.change], f"variant {row.name}")

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


def make_jobs(trainings: Sequence[Training], tasks: Sequence[Task], protocol: Protocol, study: Study) -> list[SweepJob]:
    """Split what is to be done into jobs: trainings first, then the runs, a few to a process, each after the training that it needs.

    Args:
        trainings: All trainings of the study.
        tasks: All runs of the study.
        protocol: What measures the runs.
        study: Where the true clips are, how many of them are used, and how many are drawn at once.

    Returns:
        The jobs, without what is done already.
    """
    job = partial(SweepJob, protocol=protocol, reference=study.reference, clips=study.clips, batch_size=study.batch_size)
    jobs: list[SweepJob] = []
    measured: list[SweepJob] = []
    chosen: list[tuple[Training | None, list[Task]]] = [(None, [task for task in tasks if task.variant == TRUTH])]
    chosen += [(t, [task for task in tasks if task.training == str(t.folder) and task.seed == t.seed]) for t in trainings]
    for training, own in chosen:
        own = [task for task in own if not task.done()]
        name = "truth" if training is None else f"{training.key}-{training.seed}"
        needs: list[str] = []
        if training is not None and own and not training.done():
            spec = TrainingSpec(key=training.key, seed=training.seed, config=training.config, folder=str(training.folder))
            jobs.append(job(name=f"train-{name}", title=f"training {_named(own)}", training=spec))
            needs = [jobs[-1].name]
        for first in range(0, len(own), TASKS_A_JOB):
            part = own[first : first + TASKS_A_JOB]
            title = f"measuring {_named(part)}"
            measured.append(job(name=f"measure-{name}-{first // TASKS_A_JOB}", title=title, tasks=part, needs=needs))
    return [*jobs, *measured]


def _named(tasks: Sequence[Task]) -> str:
    """Name the variants of some runs that share a seed."""
    names = list(dict.fromkeys(task.variant for task in tasks))
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{', '.join(names[:2])}{more}" + ("" if names == [TRUTH] else f", seed {tasks[0].seed}")


def ablate(
    path: str | os.PathLike,
    output: str | os.PathLike,
    launcher: Launcher,
    seeds: int | None = None,
    dry_run: bool = False,
    console: Console | None = None,
    baseline: str | None = None,
    limit: int | None = None,
) -> list[Result]:
    """Run a study, or what is missing of it, and write its tables and plots.

    Args:
        path: The study's file, or the name of one that ships.
        output: A folder for ``trainings/``, ``runs/`` (one JSON a run), ``jobs/`` (logs), ``table.md``, ``.tex``, ``.csv`` and plots.
        launcher: Where the jobs run.
        seeds: How many of the study's seeds to run; all by default.
        dry_run: Whether only to print what would be done.
        console: Where to print.
        baseline: The variant to compare with, instead of the study's; a study whose runs are done is only tabulated again.
        limit: How many clips to measure, instead of the study's number.

    Returns:
        The runs that the tables are made of; none for a dry run.

    Raises:
        InputError: If something is wrong with the study; nothing was trained then.
        TBDError: If some runs failed; the others are in the tables.
    """
    console = console or Console()
    ablation, output = Ablation(path, seeds, baseline, limit), Path(output)
    if dry_run:
        ablation.describe(console)
        return []
    measured = {"protocol": ablation.protocol.hash, "clips": ablation.clips(console)}
    trainings, tasks = make_tasks(ablation.rows, ablation.configs, ablation.study.seeds, measured, output)
    jobs = make_jobs(trainings, tasks, ablation.protocol, ablation.study)
    if any(job.training is not None for job in jobs):
        ablation.prepare()
    _print_remaining(tasks, jobs, console)
    try:
        _launch(launcher, jobs, output / "jobs", console)
    finally:  # also of what is there when a sweep is interrupted
        results = [found for task in tasks if (found := read_result(Path(task.output), task.hash)) is not None]
        write_tables(ablation, results, tasks, output)
        console.print(f"{output / 'table.md'}", highlight=False)
    _require_all(tasks, console)
    return results


def _print_remaining(tasks: Sequence[Task], jobs: Sequence[SweepJob], console: Console) -> None:
    left = sum(len(job.tasks) for job in jobs)
    training = sum(job.training is not None for job in jobs)
    console.print(f"{len(tasks) - left} of {len(tasks)} runs are done; {training} trainings and {left} runs to go.", highlight=False)


def _launch(launcher: Launcher, jobs: Sequence[SweepJob], folder: Path, console: Console) -> None:
    """Run the jobs, and write down why those that fail do."""
    folder.mkdir(parents=True, exist_ok=True)

    tasks = {job.name: job.tasks for job in jobs}

    def record_failure(job: Job, reason: str | None) -> None:
        if reason is None:
            return
        for task in tasks[job.name]:
            if not task.done() and not task.failure.is_file():
                write_failure(task, reason)

    if jobs:
        with Monitor(len(jobs), folder, console, record_failure) as monitor:
            launcher.launch(jobs, folder, monitor)


def _require_all(tasks: Sequence[Task], console: Console) -> None:
    missing = [task for task in tasks if not task.done()]
    for task in missing:
        reason = task.failure.read_text(encoding="utf-8").splitlines()[0] if task.failure.is_file() else "no reason was recorded"
        console.print(f"{task.variant}, seed {task.seed}: {reason}", highlight=False, markup=False)
    if missing:
        names = sorted({task.variant for task in missing})
        raise TBDError(f"{len(missing)} of {len(tasks)} runs failed ({', '.join(names)}); the same command tries them again.")


def write_tables(ablation: Ablation, results: Sequence[Result], tasks: Sequence[Task], output: Path) -> None:
    """Write ``table.md``, ``table.tex``, ``table.csv`` and a plot for each sweep.

    Args:
        ablation: The study with its configurations.
        results: The runs that are done.
        tasks: All runs; those that are missing are named.
        output: The folder.
    """
    study, rows = ablation.study, ablation.rows
    columns = columns_of(study, ablation.protocol, rows, results)
    plain = [row.name for row in rows if row.point is None]
    caption = f"{study.name}: mean and standard deviation over {seed_count(len(study.seeds))}, {ablation.protocol.id}."
    for sweep in study.sweeps:
        plot_sweep(study, sweep, rows, columns, output / f"{sweep.name.replace(' ', '_')}.png")
    texts = {
        "table.md": _page(ablation, columns, plain, results, tasks),
        "table.tex": latex(columns, plain, caption),
        "table.csv": as_csv(columns, rows),
    }
    for name, text in texts.items():
        with atomic_output(output / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _page(ablation: Ablation, columns: list[Column], plain: list[str], results: Sequence[Result], tasks: Sequence[Task]) -> str:
    study = ablation.study
    parts = [f"# {study.name}", markdown(columns, plain)]
    parts += [f"*{row.name}*: {row.about}" for row in ablation.rows if row.about]
    for sweep in study.sweeps:
        own = [row.name for row in ablation.rows if row.point and row.point.sweep == sweep.name]
        image = f"![{sweep.name}]({sweep.name.replace(' ', '_')}.png)"
        parts += [f"## {sweep.name}", f"`{sweep.key}`, from *{sweep.base}*.", image, markdown(columns, own)]
    parts += ["## How to read this", how_to_read(study, results), _metrics(columns), _circumstances(ablation, results, tasks)]
    return "\n\n".join(parts) + "\n"


def _metrics(columns: list[Column]) -> str:
    lines = []
    for column in columns:
        absent = next((cell.absent for cell in column.cells.values() if cell.absent and cell.mean is None), None)
        lines.append(f"- {column.title}: {column.entry.about}" + (f" Absent: {absent}" if absent else ""))
    return "\n".join(lines)


def _circumstances(ablation: Ablation, results: Sequence[Result], tasks: Sequence[Task]) -> str:
    trained = {r.training: r for r in results if r.seconds.get("training")}
    drawn = [r for r in results if r.variant != TRUTH]
    where = sorted({str(r.drawn_on.get("accelerator") or r.drawn_on.get("cpu")) for r in drawn})
    commits = sorted({str(r.drawn_on.get("commit")) for r in drawn})
    spent = sum(r.seconds["training"] for r in trained.values())
    measured = sum(r.seconds["drawing"] + r.seconds["measuring"] for r in results)
    missing = [task for task in tasks if not any(r.hash == task.hash for r in results)]
    lines = [
        f"{len(trained)} trainings, {spent / 60:.1f} minutes together (each process's own time; they share a device), "
        f"{spent / max(len(trained), 1):.0f} s each; {len(drawn)} runs drawn and measured in {measured / 60:.1f} minutes.",
        f"On {', '.join(where) or 'nothing'}; commit {', '.join(commits)}; protocol {ablation.protocol.id} "
        f"`{ablation.protocol.hash[:12]}`, clips `{results[0].split[:12] if results else '–'}`.",
    ]
    if missing:
        lines.append(f"{len(missing)} of {len(tasks)} runs are missing: {', '.join(sorted({t.variant for t in missing}))}.")
    return "\n\n".join(lines)
