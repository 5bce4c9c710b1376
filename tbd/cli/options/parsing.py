"""Options of a command, parsed; a misfit is one sentence."""

from collections.abc import Sequence
from typing import Any

from tbd.cli.options.command import Command
from tbd.cli.options.components import fold
from tbd.utils.options.errors import explain_option_errors


def command_parser(name: str, command: Command) -> Any:
    """Make the parser of a command.

    Args:
        name: Of the command.
        command: The command.

    Returns:
        jsonargparse's parser.
    """
    from jsonargparse import ArgumentParser

    from tbd.cli.options.help import HelpFormatter

    parser = ArgumentParser(
        prog=f"tbd {name}",
        description=f"{command.summary[0].upper()}{command.summary[1:]}.",
        formatter_class=HelpFormatter,
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("--config", action="config", help="a YAML file with these options")
    command.options(parser)
    return parser


def parse(parser: Any, argv: Sequence[str]) -> Any:
    """Parse the options of a command.

    Args:
        parser: jsonargparse's, made with ``exit_on_error=False``.
        argv: The options.

    Returns:
        The parsed values.

    Raises:
        InputError: If they do not fit the command.
    """
    with explain_option_errors(argv, parser):
        return parser.parse_args(fold(argv))
