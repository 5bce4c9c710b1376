"""How MEAD and its prepared copies name clips and emotions."""

import re
from typing import NamedTuple

from tbd.think.emotions import find_emotion

MEAD_VIEWS = ("front", "down", "top", "left_30", "left_60", "right_30", "right_60")


class MEADName(NamedTuple):
    """What the path of a MEAD clip says.

    Args:
        actor: Such as ``M003``.
        emotion: One of `EMOTIONS`.
        level: 1, 2 or 3.
        number: Of the clip within actor, emotion and level.
        view: Of `MEAD_VIEWS`.
    """

    actor: str
    emotion: str
    level: int
    number: int
    view: str

    @property
    def clip(self) -> str:
        """Name of the clip, ``M003_angry_1_001``; other views than the front end in their name."""
        view = "" if self.view in ("", "front") else f"_{self.view}"
        return f"{self.actor}_{self.emotion}_{self.level}_{self.number:03d}{view}"


def mead_name(path: str) -> MEADName | None:
    """Read what MEAD's paths say: folders, or the flat names of prepared copies of it.

    Folders are ``M003/video/front/angry/level_1/001.mp4``; flat names ``M003_angry_level_1_001.mp4``, ``M030_M030_sad_3_001.mp4`` or
    ``M003#angry#level_1#001``. The actor may also be the name of an archive (``M003.tar/video/front/…``).

    Args:
        path: Of a video or sound file, with any folders before it.

    Returns:
        The parts of the name; None where the path names no clip of MEAD.

    Example:
        >>> mead_name("MEAD/M003/video/left_30/angry/level_1/001.mp4")
        MEADName(actor='M003', emotion='angry', level=1, number=1, view='left_30')
        >>> mead_name("M030_sad_3_001.mp4").clip
        'M030_sad_3_001'
    """
    path = re.sub(r"\.(mp4|m4a|mov|avi|wav)$", "", path, flags=re.IGNORECASE)
    match = re.search(r"(?:^|[/_#])([A-Za-z]+)[/_#](?:level_)?([123])[/_#](\d{3})(?:[/_#]([a-z]+(?:_\d0)?))?$", path)
    actors = re.findall(r"(?<![A-Za-z0-9])[MW]\d{3}(?![0-9])", path)
    emotion = find_emotion(match[1]) if match else None
    if match is None or emotion is None or not actors:
        return None
    views = [view for view in MEAD_VIEWS if re.search(rf"(^|[/_#]){view}([/_#]|$)", path)]
    return MEADName(actors[-1], emotion, int(match[2]), int(match[3]), views[-1] if views else "front")
