"""`tbd fit | validate | test`: Lightning's own command line. It takes its options from the classes of model, data and trainer."""

from collections.abc import Sequence

SUMMARIES = {
    "fit": "train from a configuration (Lightning's)",
    "validate": "validate a checkpoint (Lightning's)",
    "test": "test a checkpoint (Lightning's)",
}
"""Command → one line of help."""


def train(name: str, argv: Sequence[str]) -> int:
    """Run one of Lightning's commands.

    Args:
        name: A key of `SUMMARIES`.
        argv: The command's options; ``--config`` takes the name of a configuration that ships with tbd as well.

    Returns:
        The exit code.
    """
    from tbd.utils.jobs.threads import set_threads

    set_threads()  # before torch is imported
    from tbd.training.main import run
    from tbd.utils.packaged_files import resolve_shipped_configs

    return run([name, *resolve_shipped_configs(argv)])
