"""Options of a command, parsed; a misfit is one sentence."""

from collections.abc import Sequence
from typing import Any

from tbd.cli.component_options import fold
from tbd.utils.option_errors import explained


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
    with explained(argv, parser):
        return parser.parse_args(fold(argv))
