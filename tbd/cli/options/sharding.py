"""The options that share a command's clips out over machines, by hand or through a cluster."""

from pathlib import Path
from typing import TYPE_CHECKING

from tbd.errors import InputError, TBDError
from tbd.utils.jobs.shards import Shard

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

    from tbd.utils.jobs.monitor import Job


def add_shard_options(parser: "ArgumentParser") -> None:
    """Add the options to a command's parser."""
    parser.add_argument("--shard", metavar="K/N", help="do the K-th of N parts alone; others may do theirs elsewhere, at the same time")
    parser.add_argument("--launcher", choices=["local", "slurm"], default="local", help="this machine, or a cluster, which takes --shards")
    parser.add_argument("--shards", type=int, default=16, help="slurm: into how many jobs the clips are shared out")
    parser.add_argument(
        "--slurm",
        type=dict,
        default={},
        help="slurm: submitit's parameters, such as '{slurm_partition: cpu, cpus_per_task: 8}'",
    )
    parser.add_argument("--cluster", default="slurm", help="slurm: submitit's cluster; local and debug try it without one")


def chosen_shard(options: "Namespace") -> Shard | None:
    """Read ``--shard``.

    Args:
        options: Those of `add_shard_options`.

    Returns:
        The shard, None where all clips are to be done.

    Raises:
        InputError: If it is no shard, or is given with a launcher that makes its own.
    """
    if options.shard is not None and options.launcher != "local":
        raise InputError("--shard is one part, by hand; --launcher slurm starts all --shards. Give one of them.")
    return None if options.shard is None else Shard.parse(options.shard)


def launch_shards(command: str, options: "Namespace", own: "Namespace", folder: Path) -> None:
    """Run all shards of a command on a cluster, and wait for them.

    Args:
        command: Module of the command.
        options: All options of the command.
        own: Those of them that `add_shard_options` added to: the command's, or its subcommand's.
        folder: Where the jobs' files and logs are written.

    Raises:
        InputError: If there is no cluster, or the number of shards is not positive.
        TBDError: If shards failed; the others' results stay, and the same command goes on.
    """
    from rich.console import Console

    from tbd.cli.options.shard_job import shard_job
    from tbd.utils.jobs.launchers import SlurmLauncher
    from tbd.utils.jobs.monitor import Monitor

    if own.shards < 1:
        raise InputError(f"--shards is a number of jobs from 1, not {own.shards}.")
    launcher = SlurmLauncher(own.slurm, own.cluster)
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [shard_job(command, options, own, Shard(index, own.shards)) for index in range(1, own.shards + 1)]
    failed: dict[str, str] = {}

    def note(job: "Job", reason: str | None) -> None:
        if reason is not None:
            failed[job.name] = reason

    with Monitor(len(jobs), folder, Console(quiet=own.quiet), note) as monitor:
        launcher.launch(jobs, folder, monitor)
    if failed:
        name, reason = next(iter(failed.items()))
        raise TBDError(f"{len(failed)} of {len(jobs)} shards failed, the first is {name}: {reason}. The same command does what is missing.")
