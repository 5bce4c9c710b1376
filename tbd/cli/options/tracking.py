"""The options that say what follows a filmed face."""

from typing import TYPE_CHECKING

from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import Namespace


def names_tracker(options: "Namespace") -> bool:
    """Say whether ``--tracker`` names a component that has to be made.

    Args:
        options: Those of a command with ``--tracker`` and ``--landmarker``.

    Returns:
        False for the default tracker, and for the landmarker whose file is given: commands make these themselves.

    Raises:
        InputError: If a file is given that another tracker than the landmarker does not read.
    """
    if options.landmarker is None:
        return bool(options.tracker != "mesh")
    if options.tracker not in ("mesh", "landmarker"):
        raise InputError("--landmarker chooses its own tracker; leave --tracker out.")
    return False
