"""Runs a study: checks everything, trains what must be trained, measures, and writes the tables."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from tbd.ablation.ablation import Ablation
from tbd.ablation.pages import write_tables
from tbd.ablation.runs import TRUTH, Result, Task, Training, make_tasks, read_result
from tbd.ablation.study import Study
from tbd.ablation.work import SweepJob, TrainingSpec, write_failure
from tbd.errors import TBDError
from tbd.evaluation.protocol import Protocol
from tbd.utils.jobs.launchers import Launcher
from tbd.utils.jobs.monitor import Job, Monitor

TASKS_A_JOB = 8
"""How many runs one process measures, one after another, since starting a process takes some seconds."""


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
