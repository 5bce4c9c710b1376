"""Which face of a picture that shows several."""

from collections.abc import Sequence

from tbd.errors import InputError
from tbd.face.tracking.detector import DetectedFace

FaceChoice = str | int
"""``"largest"``, ``"left"``, ``"right"``, or a number from 1 on, counted from the left as one sees the picture."""
LARGEST = "largest"


def check_choice(choice: FaceChoice) -> FaceChoice:
    """Check which face is wanted.

    Args:
        choice: ``largest``, ``left``, ``right``, or a number from 1 on, also as text.

    Returns:
        The same, a number as `int`.

    Raises:
        InputError: If it is none of these.

    Example:
        >>> check_choice("2"), check_choice("left")
        (2, 'left')
    """
    if choice in (LARGEST, "left", "right"):
        return choice
    number = int(choice) if isinstance(choice, str) and choice.isdecimal() else choice
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= 999:
        return number
    raise InputError(f"A face is chosen by largest, left, right, or its number from the left, 1 and up, not by {choice!r}.")


def in_order(groups: Sequence[list[DetectedFace]], choice: FaceChoice) -> list[list[DetectedFace]]:
    """Order faces so that the wanted one comes first, or, for a number, at that place.

    Args:
        groups: One list of detections for each face, the largest first.
        choice: Which face.

    Returns:
        The same lists in another order.
    """
    if choice == LARGEST:
        return list(groups)
    from_left = sorted(groups, key=lambda group: group[0].box[0] + group[0].box[2])
    return from_left[::-1] if choice == "right" else from_left
