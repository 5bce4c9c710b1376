"""A folder of predictions: one mp4 a clip and, where `tbd predict` wrote it, a JSON row and the motion beside it.

    runs/mine/run.json            what predicted, for which protocol, with which command and machine
    runs/mine/<CLIP>.mp4          the video, named by the clip's id
    runs/mine/<CLIP>.npz          its motion, where the model has one
    runs/mine/<CLIP>.json         its row; written last, so a clip with a row is whole

Videos of other models need no rows: their names are matched to clips, see `match`.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tbd.errors import InputError
from tbd.evaluation.scores import Issue
from tbd.files import atomic_output

RUN = "run.json"
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
_EMOTIONS = {
    "ang": "angry", "anger": "angry", "con": "contempt", "dis": "disgusted", "disgust": "disgusted", "fea": "fear", "fearful": "fear",
    "hap": "happy", "neu": "neutral", "sur": "surprised", "surprise": "surprised",
}  # fmt: skip
_SILENT = {"level", "video", "front", "audio"}
"""Parts of MEAD's folder names that tell clips from nothing."""


class Row(BaseModel):
    """What `tbd predict` says of one clip.

    Args:
        clip: its id.
        frames: of the video, at 25 a second.
        size: pixels of its side.
        seed: that the clip was drawn with; it depends on the run's seed and the clip's id alone.
        seconds: of work for it, the first frame's preparation included.
        memory: peak MB of the process so far.
        gpu_memory: peak MB on the GPU for this clip, 0 without one.
        motion: whether a motion lies beside the video.
    """

    model_config = ConfigDict(extra="forbid")

    clip: str
    frames: int
    size: int
    seed: int
    seconds: float
    memory: float
    gpu_memory: float = 0.0
    motion: bool = False

    def save(self, folder: Path) -> None:
        """Write the row beside its video."""
        with atomic_output(folder / f"{self.clip}.json") as temporary:
            temporary.write_text(self.model_dump_json() + "\n", encoding="utf-8")


def read_row(folder: Path, clip: str) -> Row | None:
    """A clip's row; None where there is none, or where it tells of no video that lies there."""
    path = folder / f"{clip}.json"
    if not path.is_file() or not (folder / f"{clip}.mp4").is_file():
        return None
    try:
        row = Row.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        return None
    return row if row.clip == clip and (not row.motion or (folder / f"{clip}.npz").is_file()) else None


@dataclass(frozen=True)
class Prediction:
    """One clip's video, its motion if it has one, and its row."""

    clip: str
    video: Path
    motion: Path | None = None
    row: Row | None = None


@dataclass(frozen=True)
class Predictions:
    """A folder's videos by clip, what is wrong with the set, and the run that made them."""

    clips: dict[str, Prediction]
    issues: list[Issue]
    run: dict[str, Any] = field(default_factory=dict)


def read_predictions(folder: str | os.PathLike, clips: Sequence[str]) -> Predictions:
    """Match a folder's videos to clips.

    Args:
        folder: of videos, at any depth.
        clips: the ids that are expected.

    Raises:
        InputError: there is no such folder, or not one of its videos belongs to a clip.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"There is no folder of predictions {root}; `tbd predict --output {root}` makes one.")
    videos = sorted(p for p in root.rglob("*") if p.suffix.lower() in VIDEOS and not p.name.startswith(".") and p.is_file())
    names = [p.relative_to(root).with_suffix("").as_posix() for p in videos]
    found, issues = {}, []
    for video, clip in zip(videos, match(names, clips)):
        where = video.relative_to(root).as_posix()
        if clip is None:
            issues.append(Issue(kind="extra", clip=where, detail="its name belongs to no clip of the protocol; it is left out"))
        elif clip in found:
            other = found[clip].video.relative_to(root).as_posix()
            issues.append(Issue(kind="twice", clip=where, detail=f"it claims {clip} as {other} does, which is taken"))
        else:
            motion = video.with_suffix(".npz")
            found[clip] = Prediction(clip, video, motion if motion.is_file() else None, read_row(root, clip))
    if not found:
        saw = f"{len(videos)} videos such as {videos[0].name}" if videos else "no videos"
        raise InputError(f"{root} holds {saw}, none of them named by a clip of the protocol, such as {min(clips)}.mp4.")
    issues += [
        Issue(kind="missing", clip=clip, detail=f"there is no video for it; {clip}.mp4 would be right")
        for clip in clips
        if clip not in found
    ]
    return Predictions(found, issues, _read_run(root))


def _read_run(root: Path) -> dict[str, Any]:
    path = root / RUN
    if not path.is_file():
        return {}
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); delete it, or predict again.") from error
    return run if isinstance(run, dict) else {}


def match(names: Iterable[str], clips: Sequence[str]) -> list[str | None]:
    """The clip that each name stands for, or None.

    A name is a clip's id, or says the same in another way of writing: separators and folders do not matter, nor leading
    zeros, MEAD's ``level_`` and ``front``, an actor said twice, or an emotion cut to three letters as in EAT's lists.

    Args:
        names: of files, without endings, relative to their folder.
        clips: ids.

    Example:
        >>> match(["W015_W015_sad_3_005", "M003/front/angry/level_1/012", "demo"], ["W015_sad_3_005", "M003_angry_1_012"])
        ['W015_sad_3_005', 'M003_angry_1_012', None]
    """
    exact = set(clips)
    spelt: dict[tuple[str, ...], str | None] = {}
    for clip in clips:
        key = _spell(clip)
        # two ids of one spelling can be told apart by their exact names alone
        spelt[key] = None if key in spelt else clip
    found = []
    for name in names:
        last = name.rsplit("/", 1)[-1]
        candidates = (n if n in exact else None for n in (name, last))
        found.append(next(filter(None, candidates), None) or spelt.get(_spell(name)) or spelt.get(_spell(last)))
    return found


def _spell(name: str) -> tuple[str, ...]:
    """A name's parts, as all ways of writing it share them."""
    parts: list[str] = []
    for part in re.split(r"[^A-Za-z0-9]+", name.lower()):
        part = _EMOTIONS.get(part, part).lstrip("0") or ("0" if part else "")
        if part and part not in _SILENT and (not parts or part != parts[-1] or part.isdigit()):
            parts.append(part)
    return tuple(parts)
