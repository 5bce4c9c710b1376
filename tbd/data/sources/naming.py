"""How data sets name their clips, and what a name tells: person, recording, emotion, level, number, view."""

import re
from typing import NamedTuple

from tbd.think.emotions import find_emotion

MEAD_VIEWS = ("front", "down", "top", "left_30", "left_60", "right_30", "right_60")


class MEADName(NamedTuple):
    """What the path of a MEAD clip tells."""

    actor: str
    emotion: str
    level: int
    number: int
    view: str

    @property
    def clip(self) -> str:
        """``M003_angry_1_001``; other views than the front end in their name."""
        view = "" if self.view in ("", "front") else f"_{self.view}"
        return f"{self.actor}_{self.emotion}_{self.level}_{self.number:03d}{view}"


def mead_name(path: str) -> MEADName | None:
    """Read MEAD's folders (``M003/video/front/angry/level_1/001.mp4``), or the flat names of prepared copies of it
    (``M003_angry_level_1_001.mp4``, ``M030_M030_sad_3_001.mp4``, ``M003#angry#level_1#001``).

    The actor may also be the name of an archive (``M003.tar/video/front/…``). None where the path tells no clip.

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
    if emotion is None or not actors:
        return None
    views = [view for view in MEAD_VIEWS if re.search(rf"(^|[/_#]){view}([/_#]|$)", path)]
    return MEADName(actors[-1], emotion, int(match[2]), int(match[3]), views[-1] if views else "front")


def hdtf_person(video: str) -> str:
    """The person of a recording: its name without subset and running number; RD's speakers are unnamed, so each stays its own.

    Example:
        >>> hdtf_person("WDA_AmyKlobuchar1"), hdtf_person("RD_Radio11")
        ('AmyKlobuchar', 'RD_Radio11')
    """
    subset, _, name = video.partition("_")
    return video if subset == "RD" else re.sub(r"\d+$", "", name)


def clip_names(dataset: str, clip: str) -> tuple[str, str]:
    """Person and recording of a clip, from its name alone.

    Example:
        >>> clip_names("hdtf", "WDA_AmyKlobuchar1_002"), clip_names("mead", "M003_angry_1_001")
        (('AmyKlobuchar', 'WDA_AmyKlobuchar1'), ('M003', 'M003_angry_1_001'))
    """
    if dataset == "hdtf":
        video = clip.rsplit("_", 1)[0]
        return hdtf_person(video), video
    if dataset == "mead":
        return clip.split("_", 1)[0], clip
    return "", ""
