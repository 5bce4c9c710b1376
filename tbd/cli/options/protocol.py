"""The options that `tbd predict`, `tbd evaluate` and `tbd leaderboard verify` share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

    from tbd.evaluation.protocol import Protocol
    from tbd.evaluation.references.base import Reference


def add_protocol_options(parser: "ArgumentParser") -> None:
    """Add the options that name a protocol and its true clips."""
    from tbd.evaluation.protocol import protocol_names

    parser.add_argument("--protocol", required=True, help="a YAML file, or one of those that ship: " + ", ".join(protocol_names()))
    parser.add_argument("--reference", help="where the true clips are: a prepared cache, or the folder that the protocol asks for")


def add_map_option(parser: "ArgumentParser") -> None:
    """Add the option that names a table of clips and files."""
    parser.add_argument(
        "--map",
        metavar="CSV",
        help="which video is which clip's, where names do not say it: a table with the columns clip and file (relative to --predictions)",
    )


def chosen_reference(options: "Namespace", protocol: "Protocol") -> "Reference":
    """Build the true clips of a protocol.

    Args:
        options: Parsed options.
        protocol: The protocol.

    Returns:
        The clips that ``--reference`` names.

    Raises:
        InputError: If they are not there.
    """
    from tbd.evaluation.references.base import build_reference

    return build_reference(protocol.reference, options.reference)
