"""What a text leaves open for a voice to settle: how strongly it is felt, and when."""

from typing import NamedTuple

from tbd.think.rules.parser import read
from tbd.think.rules.segmenter import Moment


class Openness(NamedTuple):
    """What a text does not say.

    Args:
        strength: No degree, figure or restraint is named.
        timing: No time, pace or length is named.
        muscles: No muscle is ordered.
    """

    strength: bool
    timing: bool
    muscles: bool = True


def find_openness(text: str) -> Openness:
    """Find out what a text leaves open. What it says keeps the last word.

    Args:
        text: As the user wrote it.

    Returns:
        What is open.

    Example:
        >>> find_openness("furious"), find_openness("slightly sad from 1 s to 3 s")
        (Openness(strength=True, timing=True, muscles=True), Openness(strength=False, timing=False, muscles=True))
    """
    words = read(text)
    readings = [reading for moment in words.moments for reading in moment.readings]
    ordered = any(r.sense.kind == "order" for r in readings)
    measured = ordered or any(r.degree != 1 or r.level is not None or r.manner != "felt" for r in readings)
    return Openness(not measured, not any(_is_timed(moment) for moment in words.moments), not ordered)


def _is_timed(moment: Moment) -> bool:
    times = (moment.start, moment.end, moment.length, moment.delay, moment.every, moment.rise)
    return any(time is not None for time in times) or moment.brief or moment.late or moment.early or moment.pace != "normal"
