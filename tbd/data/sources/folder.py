"""`FolderSource`: a folder of talking-head videos, each a clip."""

import hashlib
import re
from pathlib import Path, PurePosixPath

from tbd.data.sources.base import RawClip, RawSource, Scan
from tbd.data.sources.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES, walk
from tbd.errors import InputError

_LONGEST = 150
"""Bytes of a clip's name: file systems take 255, and temporary names and suffixes are longer."""


class FolderSource(RawSource):
    """A folder of talking-head videos of your own, at any depth.

    The folder that a video lies in names the person; a video that lies in the root is a person of its own. Sound may lie beside
    a video under the same name. What a name may mean is never guessed: emotions and words come from a table of labels.

    Args:
        root: The folder of the videos.
    """

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    def scan(self, skip: Path | None = None) -> Scan:
        """See `RawSource.scan`."""
        scan = Scan()
        files = walk(self.root, scan.problems, skip)
        sounds = {_stem(f.name): f for f in files if f.name.lower().endswith(AUDIO_SUFFIXES)}
        clips: dict[str, RawClip] = {}
        for file in files:
            if not file.name.lower().endswith(VIDEO_SUFFIXES):
                continue
            clip = _clip_name(_stem(file.name))
            if clip in clips:  # Ann/b_c.mp4 and Ann_b/c.mp4, or one name with two suffixes
                first, clip = clip, _clip_name(file.name, unique=True)
                scan.problems[file.name] = f"called {clip}, since {clips[first].record.origin} is called {first}"
            parent = PurePosixPath(file.name).parent.name
            person = _short(re.sub(r"[^\w.-]+", "_", parent)) or clip
            clips[clip] = RawClip(self.record(file, clip, person), file, sounds.get(_stem(file.name)))
        if not clips:
            raise InputError(f"{self.root} holds sound but no video; --root names a folder of videos.")
        scan.clips = list(clips.values())
        scan.counts = {"clips": len(clips), "people": len({raw.record.person for raw in scan.clips})}
        return scan


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _clip_name(path: str, unique: bool = False) -> str:
    """Turn a path into a name for files: letters, numbers, and short enough for every file system.

    Args:
        path: Relative to the root.
        unique: Whether to end in a digest of the path.

    Example:
        >>> _clip_name("Ann/first take")
        'Ann_first_take'
    """
    name = re.sub(r"[^\w.-]+", "_", path)
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"{_short(name)}-{digest}" if unique or len(name.encode()) > _LONGEST else name


def _short(name: str) -> str:
    return name.encode()[:_LONGEST].decode(errors="ignore")
