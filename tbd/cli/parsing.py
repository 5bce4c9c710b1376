"""Options of a command, parsed; a misfit is one sentence."""

from collections.abc import Sequence
from typing import Any

from tbd.cli.component_options import fold
from tbd.utils.option_errors import explain_option_errors


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
