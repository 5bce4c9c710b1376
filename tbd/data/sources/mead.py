"""MEAD as it is downloaded: a tar per actor, or unpacked; video and sound apart; numbers with holes; views that are missing."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tbd.data.records import ClipRecord
from tbd.data.sources.base import RawClip, RawSource, Scan
from tbd.data.sources.files import AUDIO_SUFFIXES, RawFile, walk
from tbd.data.sources.naming import MEAD_VIEWS, MEADName, mead_name
from tbd.errors import InputError
from tbd.think.emotions import MEAD_EMOTIONS


class MEADSource(RawSource):
    """MEAD (Wang et al., ECCV 2020), as tar archives or unpacked.

    Args:
        root: The folder of the download: ``M003/video/front/angry/level_1/001.mp4`` and ``M003/audio/angry/level_1/001.m4a``, with archives
            of these (``M003.tar``, ``M003/video.tar``) anywhere in place of folders, or files named like ``M003_angry_level_1_001.mp4``.
        views: Cameras whose clips are wanted: front, down, top, left_30, left_60, right_30, right_60.

    Raises:
        InputError: If there is no such camera.
    """

    default_splits = "mead_actor"

    def __init__(self, root: str, views: Sequence[str] = ("front",)) -> None:
        unknown = [view for view in views if view not in MEAD_VIEWS]
        if unknown:
            raise InputError(f"MEAD has no view {unknown[0]!r}; its views are {', '.join(MEAD_VIEWS)}.")
        self.root, self.views = Path(root), tuple(views)

    def scan(self, skip: Path | None = None) -> Scan:
        """See `RawSource.scan`."""
        scan = Scan()
        videos: dict[MEADName, RawFile] = {}
        sounds: dict[tuple[str, str, int, int], RawFile] = {}
        strangers: list[str] = []
        for file in walk(self.root, scan.problems, skip):
            name = mead_name(f"{self.root.name}/{file.name}")
            if name is None:
                strangers.append(file.name)
            elif file.name.lower().endswith(AUDIO_SUFFIXES):
                sounds.setdefault(name[:4], file)
            elif name in videos:
                first, second = sorted((videos[name], file), key=lambda f: bool(f.member))  # an unpacked file goes first
                videos[name] = first
                scan.problems[second.name] = f"the same clip as {first.name}, which is taken"
            else:
                videos[name] = file
        if not videos:
            raise InputError(
                f"{self.root} is not MEAD: no file is named like M003/video/front/angry/level_1/001.mp4 or lies in an archive like "
                f"M003.tar (there: {(strangers or ['sound alone'])[0]}). For other videos there is `tbd preprocess folder`."
            )
        scan.problems.update({name: "not named like a clip of MEAD; left out" for name in strangers})
        wanted = {name: file for name, file in videos.items() if name.view in self.views}
        scan.clips = [RawClip(self._record(name, file), file, sounds.get(name[:4])) for name, file in sorted(wanted.items())]
        pictured = {name[:4] for name in videos}
        scan.problems.update({file.name: "sound without pictures" for key, file in sounds.items() if key not in pictured})
        scan.problems.update(find_holes(wanted, videos, self.views))
        scan.counts = {"clips": len(wanted), "actors": len({n.actor for n in wanted}), "other views": len(videos) - len(wanted),
                       "separate sounds": sum(raw.audio is not None for raw in scan.clips)}  # fmt: skip
        return scan

    @classmethod
    def person_of(cls, video: str) -> str:
        """Name the actor: ``M003_angry_1_001`` shows M003."""
        return video.split("_", 1)[0]

    def _record(self, name: MEADName, file: RawFile) -> ClipRecord:
        return self.record(file, name.clip, name.actor, emotion=name.emotion, level=name.level, view=name.view, number=name.number)


def find_holes(wanted: Iterable[MEADName], all_names: Iterable[MEADName], views: Sequence[str]) -> dict[str, str]:
    """Find what MEAD should have and a download lacks: whole views, whole emotions and levels, numbers in between.

    Args:
        wanted: Clips of the wanted cameras.
        all_names: Clips of every camera.
        views: The wanted cameras.

    Returns:
        Place (``M030``, ``M003/angry/level_1``) → one sentence.
    """
    there: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    numbers: dict[tuple[str, str, int], set[int]] = defaultdict(set)
    for name in wanted:
        there[name.actor][name.emotion, name.level] += 1
        numbers[name.actor, name.emotion, name.level].add(name.number)
    seen_views: dict[str, set[str]] = defaultdict(set)
    for name in all_names:
        seen_views[name.actor].add(name.view)
    holes = {}
    for actor, held in sorted(seen_views.items()):
        lost = [view for view in views if view not in held]
        if lost:
            holes[actor] = f"no view {', '.join(lost)} (there: {', '.join(sorted(held))})"
            continue
        absent = [e for e in MEAD_EMOTIONS if not any(emotion == e for emotion, _ in there[actor])]
        if absent:
            holes[actor] = f"no {', '.join(absent)}"
        for emotion in MEAD_EMOTIONS:
            levels = [k for k in ((1,) if emotion == "neutral" else (1, 2, 3)) if (emotion, k) not in there[actor]]
            if emotion not in absent and levels:
                holes[f"{actor}/{emotion}"] = f"no level {', '.join(map(str, levels))}"
    for (actor, label, level), found in sorted(numbers.items()):
        missing = sorted(set(range(1, max(found) + 1)) - found)
        if missing:
            holes[f"{actor}/{label}/level_{level}"] = f"{len(found)} clips, numbers to {max(found):03d}, without {_runs(missing)}"
    return holes


def _runs(numbers: Sequence[int]) -> str:
    """``003, 007-010``."""
    text = ""
    for i, n in enumerate(numbers):
        if i and n == numbers[i - 1] + 1:
            text = re.sub(r"(-\d+)?$", f"-{n:03d}", text, count=1)
        else:
            text += f"{', ' * bool(text)}{n:03d}"
    return text
