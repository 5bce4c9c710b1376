"""The options that `tbd predict` and `tbd evaluate` share."""

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
