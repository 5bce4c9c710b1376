"""Anybody's talking heads: a folder of videos, each a clip."""

import re
from pathlib import Path, PurePosixPath

from tbd.data.cache import ClipRecord
from tbd.data.raw import AUDIO_SUFFIXES, VIDEO_SUFFIXES, RawClip, RawSource, Scan, walk
from tbd.errors import InputError


class FolderSource(RawSource):
    """Videos in a folder, at any depth.

    The folder that a video lies in names the person; a video that lies in the root is a person of its own. Sound may lie beside
    a video under the same name. What a name may mean is never guessed: emotions and words come from a table of labels.

    Args:
        root: the folder.
    """

    name = "folder"

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    def scan(self) -> Scan:
        scan = Scan()
        files = walk(self.root, scan.problems)
        sounds = {_stem(f.name): f for f in files if f.name.lower().endswith(AUDIO_SUFFIXES)}
        clips: dict[str, RawClip] = {}
        for file in files:
            if not file.name.lower().endswith(VIDEO_SUFFIXES):
                continue
            clip = re.sub(r"[^\w.-]+", "_", _stem(file.name))
            if clip in clips:
                scan.problems[file.name] = f"called like {clips[clip].record.origin}; left out"
                continue
            parent = PurePosixPath(file.name).parent.name
            person = re.sub(r"[^\w.-]+", "_", parent) or clip
            record = ClipRecord(clip=clip, source="folder", person=person, video=clip, origin=file.name, origin_bytes=file.size)
            clips[clip] = RawClip(record, file, sounds.get(_stem(file.name)))
        if not clips:
            raise InputError(f"{self.root} holds sound but no video; --root names a folder of videos.")
        scan.clips = list(clips.values())
        scan.counts = {"clips": len(clips), "people": len({raw.record.person for raw in scan.clips})}
        return scan


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))
