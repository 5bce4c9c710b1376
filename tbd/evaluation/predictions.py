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
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from tbd.errors import InputError
from tbd.evaluation.clip_map import read_clip_map
from tbd.evaluation.scores import Environment, Issue
from tbd.think.emotions import find_emotion
from tbd.utils.atomic import atomic_output
from tbd.utils.user_warnings import warn

RUN = "run.json"
INPUTS = "inputs.json"
"""What marks a folder that `tbd predict --export-inputs` wrote."""
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".mpg", ".mpeg")
_IGNORED = {"level", "video", "front", "audio"}
"""Parts of MEAD's folder names that all clips share."""
_AROUND = re.compile(
    r"outputs?|outs?|results?|res|pred(s|icted|ictions?)?|gen(erated)?|synth(esi[sz]ed)?|final|full|with|audio|sound|av|mux(ed)?|video|"
    r"talking|animated|enhanced|\d+(fps|hz|k|p|px|x\d+)|fps\d+"
)
"""Words that programs put before or after a clip's name. Not ``concat``, ``compare`` and the like: such a video shows more than the
clip. Not ``old`` or ``v2``: nobody knows which is meant."""


class Run(BaseModel):
    """What ``run.json`` says of a folder's origin: the word of who made the folder.

    Args:
        predictor: The predictor as class_path and init_args.
        weights: Its weights as name → sha256.
        environment: Where and when it ran.
    """

    model_config = ConfigDict(extra="ignore")

    predictor: dict[str, Any] = {}
    weights: dict[str, str] = {}
    environment: Environment = {}


class Row(BaseModel):
    """What `tbd predict` records of one clip.

    Args:
        clip: Id of the clip.
        frames: Number of frames of the video, at 25 a second.
        size: Pixels of its square frames.
        seed: Seed of this clip; it depends on the run's seed and the clip's id alone.
        seconds: Seconds of work for it, the first frame's preparation included.
        memory: Peak MB of the process so far; of another program's process tree, where that made the clip.
        gpu_memory: Peak MB on the GPU for this clip, 0 without one; of another program as nvidia-smi reports it, where it does.
        motion: Whether a motion lies beside the video.
    """

    model_config = ConfigDict(extra="forbid")

    clip: str
    frames: int = Field(ge=1)
    size: int
    seed: int
    seconds: FiniteFloat = Field(ge=0)
    memory: FiniteFloat = Field(ge=0)
    gpu_memory: FiniteFloat = Field(default=0.0, ge=0)
    motion: bool = False

    def save(self, folder: Path) -> None:
        """Write the row beside its video."""
        with atomic_output(folder / f"{self.clip}.json") as temporary:
            temporary.write_text(self.model_dump_json() + "\n", encoding="utf-8")


def read_row(folder: Path, clip: str) -> Row | None:
    """Read a clip's row.

    Args:
        folder: Folder of predictions.
        clip: Id of the clip.

    Returns:
        The row; None where there is none, or where the files that it describes are missing.
    """
    path = folder / f"{clip}.json"
    if not path.is_file() or not any((folder / f"{clip}{suffix}").is_file() for suffix in VIDEOS):
        return None
    try:
        row = Row.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        return None
    return row if row.clip == clip and (not row.motion or (folder / f"{clip}.npz").is_file()) else None


@dataclass(frozen=True)
class Prediction:
    """The files of one predicted clip.

    Args:
        clip: Id of the clip.
        video: The video.
        motion: The motion file beside it, if there is one.
        row: What `tbd predict` recorded, if it made the video.
    """

    clip: str
    video: Path
    motion: Path | None = None
    row: Row | None = None


@dataclass(frozen=True)
class Predictions:
    """The videos of a folder.

    Args:
        clips: Clip id → its files.
        issues: What is wrong with the set.
        run: What ``run.json`` says of their origin.
    """

    clips: dict[str, Prediction]
    issues: list[Issue]
    run: "Run" = field(default_factory=lambda: Run())


def find_videos(folder: Path) -> list[Path]:
    """List a folder's videos, at any depth; hidden files, such as those half written, are none.

    Args:
        folder: The folder.

    Returns:
        The files, sorted.
    """
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEOS and not p.name.startswith(".") and p.is_file())


def read_predictions(folder: str | os.PathLike, clips: Sequence[str], table: str | os.PathLike | None = None) -> Predictions:
    """Match a folder's videos to clips.

    Args:
        folder: Folder of videos, at any depth.
        clips: The ids that are expected.
        table: A CSV file that says which video is which clip's, see `tbd.evaluation.clip_map`; names say it where not given.

    Returns:
        Videos by clip, and what is wrong with the set.

    Raises:
        InputError: If there is no such folder, or not one of its videos belongs to a clip.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"There is no folder of predictions {root}; `tbd predict --output {root}` makes one.")
    found, issues = _by_name(root, clips) if table is None else _by_table(root, clips, table)
    noted = {issue.clip for issue in issues if issue.kind == "missing"}
    issues += [
        Issue(kind="missing", clip=clip, detail=f"there is no video for it; {clip}.mp4 would be right")
        for clip in clips
        if clip not in found and clip not in noted
    ]
    return Predictions(dict(sorted(found.items())), issues, _read_run(root))


def _by_table(root: Path, clips: Sequence[str], table: str | os.PathLike) -> tuple[dict[str, Prediction], list[Issue]]:
    videos, issues = read_clip_map(table, root, clips)
    return {clip: _prediction(root, clip, video) for clip, video in videos.items()}, issues


def _prediction(root: Path, clip: str, video: Path) -> Prediction:
    motion = video.with_suffix(".npz")
    return Prediction(clip, video, motion if motion.is_file() else None, read_row(root, clip))


def _by_name(root: Path, clips: Sequence[str]) -> tuple[dict[str, Prediction], list[Issue]]:
    videos = find_videos(root)
    names = [p.relative_to(root).with_suffix("").as_posix() for p in videos]
    found: dict[str, Prediction] = {}
    issues: list[Issue] = []
    claims = claim(names, clips)
    # who bears a clip's own name comes before who bears it with other words
    for video, claimed in sorted(zip(videos, claims), key=lambda pair: (pair[1].doubt if pair[1] else 0, pair[0])):
        where, clip = video.relative_to(root).as_posix(), claimed and claimed.clip
        if clip is None:
            issues.append(Issue(kind="extra", clip=where, detail="its name belongs to no clip of the protocol; it is left out"))
        elif clip in found:
            other = found[clip].video.relative_to(root).as_posix()
            issues.append(Issue(kind="twice", clip=where, detail=f"it claims {clip} as {other} does, which is taken"))
        else:
            found[clip] = _prediction(root, clip, video)
    _note_guesses([(v, c) for v, c in zip(videos, claims) if c is not None and found[c.clip].video == v], root)
    if not found:
        saw = f"{len(videos)} videos such as {videos[0].name}" if videos else "no videos"
        raise InputError(
            f"{root} holds {saw}, none of them named by a clip of the protocol, such as {min(clips)}.mp4; "
            "a table (--map) may say which is which."
        )
    return found, issues


def _note_guesses(taken: Sequence[tuple[Path, "Claim"]], root: Path) -> None:
    """Warn about videos that were taken for a clip because its name is a part of theirs."""
    guessed = [(video, claimed.clip) for video, claimed in taken if claimed.doubt > _SPELT]
    if guessed:
        video, clip = guessed[0]
        count = f"{len(guessed)} videos bear" if len(guessed) > 1 else "one video bears"
        warn(
            f"{count} other words around a clip's name, and {'were' if len(guessed) > 1 else 'was'} taken for it: "
            f"{'for example ' * (len(guessed) > 1)}{video.relative_to(root).as_posix()} for {clip}; {clip}.mp4 needs no guess."
        )


def _read_run(root: Path) -> Run:
    path = root / RUN
    if not path.is_file():
        return Run()
    try:
        return Run.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{path} is not what `tbd predict` writes: {where}: {first['msg']}; delete it, or predict again.") from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); delete it, or predict again.") from error


class Claim(NamedTuple):
    """The clip that a file's name stands for.

    Args:
        clip: Id of the clip.
        doubt: Distance of the name from the clip's own: `_EXACT`, `_SPELT`, `_PART`, `_FOLDER`.
    """

    clip: str
    doubt: int


_EXACT, _SPELT, _PART, _FOLDER = range(4)


def match(names: Iterable[str], clips: Sequence[str]) -> list[str | None]:
    """Match names to clips; see `claim`.

    Args:
        names: File names without endings, relative to their folder.
        clips: Ids of the clips.

    Returns:
        For each name the clip that it stands for, or None.

    Example:
        >>> match(["W015_W015_sad_3_005", "M003/front/angry/level_1/012", "demo"], ["W015_sad_3_005", "M003_angry_1_012"])
        ['W015_sad_3_005', 'M003_angry_1_012', None]
        >>> match(["result_W015_SAD_3_005--W015_sad_3_005_25fps"], ["W015_sad_3_005"])
        ['W015_sad_3_005']
    """
    return [None if found is None else found.clip for found in claim(names, clips)]


def claim(names: Iterable[str], clips: Sequence[str]) -> list[Claim | None]:
    """Find the clip that each name stands for.

    A name is a clip's id, or the id in another spelling: separators, capitals and folders do not matter, nor leading
    zeros, MEAD's ``level_`` and ``front``, an actor named twice, or an emotion cut to three letters as in EAT's lists.
    What programs add is taken off: ``_out``, ``result_``, ``_25fps``, the name repeated (for picture and sound). Where all of
    that fails, a video that is alone in a folder of a clip's name is that clip's.

    Args:
        names: File names without endings, relative to their folder.
        clips: Ids of the clips.

    Returns:
        A claim for each name, or None where it stands for no clip.
    """
    names, spelt = list(names), {}
    exact = {_composed(clip): clip for clip in clips}
    for clip in clips:
        key = _spell(clip)
        if not key:  # an id such as "video" has no distinguishing part
            continue
        # two ids of one spelling can be distinguished by their exact names alone
        spelt[key] = None if key in spelt else clip
    alone = Counter(name.rpartition("/")[0] for name in names)
    return [_claim(name, exact, spelt, alone[name.rpartition("/")[0]] == 1) for name in names]


def _claim(name: str, exact: dict[str, str], spelt: dict[tuple[str, ...], str | None], is_alone: bool) -> Claim | None:
    folder, _, last = name.rpartition("/")
    ways = [(_EXACT, exact.get(_composed(n))) for n in (name, last)]
    ways += [(_SPELT, spelt.get(_spell(n))) for n in (name, last)]
    ways += [(_PART, spelt.get(_bare(_spell(n)))) for n in (name, last)]
    if is_alone and folder:
        ways += [(_FOLDER, spelt.get(_bare(_spell(n)))) for n in (folder, folder.rsplit("/", 1)[-1])]
    return next((Claim(clip, doubt) for doubt, clip in ways if clip is not None), None)


def _composed(name: str) -> str:
    """A name with its accents as one letter each; macOS writes them as two."""
    return unicodedata.normalize("NFC", name)


def _bare(parts: tuple[str, ...]) -> tuple[str, ...]:
    """A name's parts without what programs put around them; a repeated name is taken once."""
    while parts and _AROUND.fullmatch(parts[0]):
        parts = parts[1:]
    while parts and _AROUND.fullmatch(parts[-1]):
        parts = parts[:-1]
    half = len(parts) // 2
    return parts[:half] if parts[:half] == parts[half:] else parts


def _spell(name: str) -> tuple[str, ...]:
    """A name's parts, as all ways of writing it share them."""
    parts: list[str] = []
    for part in re.split(r"[\W_]+", _composed(name).casefold()):
        part = (find_emotion(part) or part).lstrip("0") or ("0" if part else "")
        if part and part not in _IGNORED and (not parts or part != parts[-1] or part.isdigit()):
            parts.append(part)
    return tuple(parts)
