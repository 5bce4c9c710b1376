"""Launchers run jobs on this machine's devices, or through Slurm."""

import json
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from typing_extensions import override

from tbd.errors import InputError
from tbd.utils.atomic import atomic_output
from tbd.utils.jobs.monitor import Job, Monitor

_POLL = 1.0
"""Seconds between two looks at a cluster's job."""
_PATIENCE = 20.0
"""Seconds that an interrupted process has to end by itself."""


class Launcher(ABC):
    """Runs jobs, each in a process of its own, and waits for them."""

    @abstractmethod
    def launch(self, jobs: Sequence[Job], folder: Path, monitor: Monitor) -> None:
        """Run all jobs, each after those that its `Job.needs` names.

        A job that fails does not end the rest; those that need it fail with it.

        Args:
            jobs: The jobs.
            folder: Where the jobs' files and logs are written.
            monitor: Is called when a job starts or ends, and now and then in between.
        """


def write_job(job: Job, folder: Path) -> Path:
    """Write the file that ``python -m MODULE FILE`` reads, with the job's own module.

    Args:
        job: The job.
        folder: Where to write.

    Returns:
        The file.
    """
    path = folder / f"{job.name}.json"
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps(job.model_dump()), encoding="utf-8")
    return path


def last_line(log: Path) -> str:
    """Return the last line of a log, which most likely says what went wrong, and the log's name."""
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return f"{lines[-1][:300] if lines else 'it ended and logged nothing'} ({log})"


def run_job(module: str, path: str) -> None:
    """Do the job that a file describes, in this process.

    Args:
        module: The job's module.
        path: The file.
    """
    import_module(module).run_file(path)


class LocalLauncher(Launcher):
    """Runs jobs on every GPU of this machine, or on its processor.

    Args:
        per_device: Processes that share one device. Small models leave most of a GPU idle; several at once finish sooner.
        devices: Numbers of the GPUs; all visible ones by default. Without a GPU there is one device, the processor.

    Raises:
        InputError: If there is less than one process per device.
    """

    def __init__(self, per_device: int = 1, devices: Sequence[int] | None = None) -> None:
        if per_device < 1:
            raise InputError(f"{per_device} processes a device are too few; one or more.")
        self.per_device, self.devices = per_device, devices

    def _slots(self) -> list[str | None]:
        import torch

        there = torch.cuda.device_count()
        chosen = list(range(there)) if self.devices is None else list(self.devices)
        if missing := [d for d in chosen if d >= there]:
            raise InputError(f"There is no GPU {missing[0]}; this machine has {there}.")
        # a child sees the one device that it is given, by the number or name that this process knows it by
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = visible.split(",") if visible else [str(i) for i in range(there)]
        return [names[d] for d in chosen for _ in range(self.per_device)] or [None] * self.per_device

    @override
    def launch(self, jobs: Sequence[Job], folder: Path, monitor: Monitor) -> None:
        slots = self._slots()
        free, waiting = list(slots), list(jobs)
        running: dict[str, tuple[Job, str | None, subprocess.Popen]] = {}
        failed: dict[str, str] = {}
        ended: set[str] = set()
        try:
            while waiting or running:
                for job in [job for job in waiting if failed.keys() & set(job.needs)]:
                    waiting.remove(job)
                    failed[job.name] = reason = _blocked_by(job, failed)
                    monitor.ended(job, reason)
                for job in [job for job in waiting if set(job.needs) <= ended]:
                    if free:
                        waiting.remove(job)
                        slot = free.pop(0)
                        running[job.name] = job, slot, _start(job, folder, slot, len(slots))
                        monitor.started(job)
                time.sleep(0.1)
                monitor.tick()
                for name, (job, slot, process) in list(running.items()):
                    if process.poll() is not None:
                        del running[name]
                        free.append(slot)
                        if process.returncode == 0:
                            ended.add(name)
                            monitor.ended(job, None)
                            continue
                        failed[name] = last_line(folder / f"{name}.log")
                        monitor.ended(job, failed[name])
        finally:
            for _, _, process in running.values():
                process.terminate()
            for _, _, process in running.values():
                try:
                    process.wait(_PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()


def _start(job: Job, folder: Path, device: str | None, processes: int) -> subprocess.Popen:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    environment = {**os.environ, "OMP_NUM_THREADS": str(max(1, cores // processes))}
    if device is not None:
        environment["CUDA_VISIBLE_DEVICES"] = device
    # a job is a process of its own and no task of a cluster's job that tbd itself may run in
    environment = {key: value for key, value in environment.items() if not key.startswith("SLURM_")}
    with open(folder / f"{job.name}.log", "w") as log:
        command = [sys.executable, "-m", job.module, str(write_job(job, folder))]
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)


class SlurmLauncher(Launcher):
    """Runs jobs on a cluster, through submitit.

    Args:
        parameters: Parameters of submitit's executor, such as ``{"timeout_min": 60, "slurm_partition": "gpu", "gpus_per_node": 1}``.
        cluster: submitit's name of the cluster; ``local`` and ``debug`` try a sweep without one.

    Raises:
        InputError: If submitit is not installed.
    """

    def __init__(self, parameters: dict[str, Any] | None = None, cluster: str = "slurm") -> None:
        try:
            import submitit
        except ImportError as error:
            raise InputError("The launcher slurm needs submitit: pip install 'tbd[slurm]', or --launcher local.") from error
        self.executor_class, self.parameters, self.cluster = submitit.AutoExecutor, parameters or {}, cluster

    @override
    def launch(self, jobs: Sequence[Job], folder: Path, monitor: Monitor) -> None:
        try:
            executor = self.executor_class(folder=folder / "submitit", cluster=self.cluster)
            executor.update_parameters(**{"name": "tbd", "timeout_min": 120, **self.parameters})
        except (RuntimeError, NotImplementedError, NameError, TypeError, AssertionError) as error:
            raise InputError(f"submitit cannot start here: {error}; --launcher local runs on this machine.") from error
        failed: dict[str, str] = {}
        left = list(jobs)
        while left:
            ready = [job for job in left if not set(job.needs) & {other.name for other in left}]
            left = [job for job in left if job not in ready]
            able = [job for job in ready if not failed.keys() & set(job.needs)]
            for job in ready:
                if job not in able:
                    failed[job.name] = reason = _blocked_by(job, failed)
                    monitor.ended(job, reason)
            sent = [(job, executor.submit(run_job, job.module, str(write_job(job, folder)))) for job in able]
            for job, _ in sent:
                monitor.started(job)
            for job, ticket in sent:
                # a job of the debug cluster runs when it is asked, and stops in a debugger where `done` does the asking
                while self.cluster != "debug" and not ticket.done():
                    monitor.tick()
                    time.sleep(_POLL)
                failure = ticket.exception()
                if failure is not None:
                    failed[job.name] = f"{str(failure).strip().splitlines()[-1][:300]} ({ticket.paths.stderr})"
                monitor.ended(job, failed.get(job.name))


def _blocked_by(job: Job, failed: Mapping[str, str]) -> str:
    name = next(name for name in job.needs if name in failed)
    return f"{name} failed: {failed[name]}"
