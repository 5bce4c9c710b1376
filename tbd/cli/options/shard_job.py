"""The job that does one part of a command's clips; jobs need pydantic and rich, which no parser of options is to wait for."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tbd.utils.jobs.monitor import Job
from tbd.utils.jobs.shards import Shard

if TYPE_CHECKING:
    from jsonargparse import Namespace


class ShardJob(Job):
    """One shard of a command.

    Args:
        command: Module of the command.
        options: The command's options.
    """

    module: ClassVar[str] = "tbd.cli.options.shard_job"

    command: str
    options: dict[str, Any]


def shard_job(command: str, options: "Namespace", own: "Namespace", shard: Shard) -> ShardJob:
    """Make the job of one shard, whose options are the command's as plain values, for the machine that it runs on.

    Args:
        command: Module of the command.
        options: All options of the command.
        own: Those of them that `tbd.cli.options.sharding.add_shard_options` added to.
        shard: The part that it does.

    Returns:
        The job.
    """
    kept = own.shard, own.launcher
    own["shard"], own["launcher"] = str(shard), "local"
    plain = {key: value for key, value in options.as_dict().items() if key != "config"}
    own["shard"], own["launcher"] = kept
    plain = json.loads(json.dumps(plain, default=str))
    return ShardJob(name=f"shard-{shard.index}-{shard.count}", title=f"shard {shard}", command=command, options=plain)


def run_file(path: str) -> None:
    """Do the job that a file describes.

    Args:
        path: The file.

    Raises:
        TBDError: As the command does.
    """
    from jsonargparse import dict_to_namespace

    job = ShardJob.model_validate(json.loads(Path(path).read_text(encoding="utf-8")))
    import_module(job.command).COMMAND.run(dict_to_namespace(job.options))


if __name__ == "__main__":
    run_file(sys.argv[1])
