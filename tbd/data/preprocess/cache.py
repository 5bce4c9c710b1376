"""The prepared cache: what `tbd preprocess` writes, and all that a Dataset or an evaluation reads.

    cache.json                              format, data set, crop protocol: a cache is prepared with one recipe only
    manifest.csv                            one row a clip, ready or not; the paths are relative to it
    records/<person>/<clip>.json            the same rows one by one, each written when its clip is done
    video/<size>/<person>/<clip>.mp4        H.264, size × size pixels, exactly 25 frames a second, the clip's sound as AAC
    audio/<person>/<clip>.wav               16 kHz mono int16, exactly frames · 640 samples
    motion/<tracker>/<person>/<clip>.npz    `Motion`, one row a frame
    points/<tracker>/<person>/<clip>.npy    (frames, 478, 3) float16 mesh points, see `load_points`
    features/<name>/<person>/<clip>.npy     optional: latents and features of pretrained networks
    neutral/<tracker>/<clip>.npz            people at rest, as `tbd.face.neutral.NeutralFace`, from their neutral clips

A tracker's folder is its name and version, ``face_mesh@mediapipe-0.10.21-absolute``: results of two trackers never mix. Motions of tbd 0.1
are not absolute (each is relative to its clip's own rest), and their folders do not say so.
"""

import csv
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tbd.errors import InputError
from tbd.utils.atomic import atomic_output

FORMAT = "tbd-cache-1"
Status = Literal["ready", "failed", "found"]
_FILES = {"videos": "video", "motions": "motion", "points": "points", "features": "features"}
"""Field of `ClipRecord` → kind of file, which is also the first part of its columns (``video:256``)."""


@dataclass(frozen=True)
class ClipRecord:
    """A row of the manifest: one clip, what it shows, what became of it, and where its files are.

    Args:
        clip: unique in the cache: ``M003_angry_1_001`` (front view; others end in the view's name), ``WDA_KatieHill_000``.
        source: ``mead``, ``hdtf`` or ``folder``.
        person: who is seen, as far as the source tells. No person is on two sides of a split by person.
        video: the recording that the clip was cut from; the clip itself where it is a file of its own.
        emotion: one of `tbd.think.emotions.EMOTIONS`, or empty where the source does not tell. Always a name, never a number.
        level: MEAD's 1, 2 or 3; 0 where the source does not tell.
        view: MEAD's camera, ``front`` and six more; empty elsewhere.
        number: as in the file's name; not the same sentence across emotions.
        text: a sentence about the feeling, where one was given.
        origin: the file, relative to the raw root; a member of an archive as ``M003.tar/video/front/…/001.mp4``.
        origin_bytes: its size.
        status: ``ready``; ``failed``, for `reason`; ``found``, which is probed but not prepared.
        reason: one sentence where the clip failed; remarks where it is ready.
        frames: of the prepared clip, at 25 a second; of the motion, the mesh and the audio alike.
        seconds: ``frames / 25``.
        source_fps: average frame rate of the file.
        source_width, source_height: pixels of the file, as displayed.
        source_seconds, source_audio_seconds: of the file's pictures and sound; 0 where there is none.
        frames_without_face: interpolated by the first tracker.
        neutral: what coefficients are measured against: ``average`` for people at large, or the origin of the person's neutral clip.
        crop: left, top and side of the square in pixels of the file, turned upright; of the first frame where the crop follows the head.
        audio: path of the sound, empty where the clip has none.
        videos: size in pixels → path.
        motions: tracker → path.
        points: tracker → path.
        features: name → path.
    """

    clip: str
    source: str
    person: str
    video: str
    emotion: str = ""
    level: int = 0
    view: str = ""
    number: int = 0
    text: str = ""
    origin: str = ""
    origin_bytes: int = 0
    status: Status = "found"
    reason: str = ""
    frames: int = 0
    seconds: float = 0.0
    source_fps: float = 0.0
    source_width: int = 0
    source_height: int = 0
    source_seconds: float = 0.0
    source_audio_seconds: float = 0.0
    frames_without_face: int = 0
    neutral: str = ""
    crop: tuple[int, ...] = ()
    audio: str = ""
    videos: dict[str, str] = field(default_factory=dict)
    motions: dict[str, str] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)
    features: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return self.status == "ready"

    def files(self) -> list[str]:
        """Every path that the record names."""
        return [path for path in [self.audio, *(p for kind in _FILES for p in getattr(self, kind).values())] if path]

    def file(self, kind: Literal["videos", "motions", "points", "features"], name: str) -> str:
        """The path of one kind of file.

        Args:
            kind: the field that holds it.
            name: a size, a tracker (``face_mesh``, or with its version), or a feature.

        Raises:
            InputError: there is none, or two versions of a tracker were used and the name does not say which.

        Example:
            >>> record = ClipRecord("a", "mead", "M003", "a", motions={"face_mesh@mediapipe-0.10.21": "m.npz"})
            >>> record.file("motions", "face_mesh")
            'm.npz'
        """
        held = getattr(self, kind)
        keys = [name] if name in held else [key for key in held if key.split("@")[0] == name]
        if len(keys) != 1:
            there = ", ".join(held) or "none"
            why = "has several" if keys else "has no"
            raise InputError(
                f"Clip {self.clip} {why} {_FILES[kind]} {name!r} in its cache (there: {there}); prepare it, or name one of these."
            )
        return held[keys[0]]

    def to_row(self) -> dict[str, Any]:
        """The manifest's columns."""
        row = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _FILES}
        row["crop"] = " ".join(map(str, self.crop))
        for name, kind in _FILES.items():
            row.update({f"{kind}:{key}": path for key, path in getattr(self, name).items()})
        return row

    @classmethod
    def from_row(cls, row: dict[str, str]) -> "ClipRecord":
        """What `to_row` gave, after a passage through text."""
        types = {"int": int, "float": float}
        values: dict[str, Any] = {}
        for f in fields(cls):
            if f.name in _FILES:
                start = f"{_FILES[f.name]}:"
                values[f.name] = {column[len(start) :]: path for column, path in row.items() if column.startswith(start) and path}
            elif f.name == "crop":
                values["crop"] = tuple(map(int, row["crop"].split()))
            else:
                kind = getattr(f.type, "__name__", f.type)
                if f.name == "neutral" and f.name not in row:
                    continue  # a manifest of tbd 0.1
                values[f.name] = types.get(kind, str)(row[f.name])
        return cls(**values)


class Cache:
    """A prepared cache that is there.

    Raises:
        InputError: the folder is no cache, or one that another version wrote.
    """

    def __init__(self, root: str | os.PathLike) -> None:
        self.root = Path(root)
        self.about = _read_about(self.root)

    @classmethod
    def claim(cls, root: str | os.PathLike, **recipe: Any) -> "Cache":
        """Open a cache for writing, made where there is none.

        Args:
            root: the folder.
            recipe: what all of its clips share (source, sizes, crop protocol): plain values.

        Raises:
            InputError: the folder was prepared with another recipe, by another version, or holds other things.
        """
        root = Path(root)
        if (root / "cache.json").is_file():
            cache = cls(root)
            differs = [f"{key} is {cache.about['recipe'].get(key)!r}, not {value!r}" for key, value in recipe.items()
                       if cache.about["recipe"].get(key) != value]  # fmt: skip
            if differs:
                raise InputError(f"{root} was prepared otherwise ({'; '.join(differs)}); choose an empty folder for this recipe.")
            return cache
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise InputError(f"{root} is not empty and holds no cache; choose an empty folder for --output.")
        with atomic_output(root / "cache.json") as temporary:
            temporary.write_text(json.dumps({"format": FORMAT, "recipe": recipe}, indent=1))
        return cls(root)

    def path(self, relative: str) -> Path:
        return self.root / relative

    def records(self) -> list[ClipRecord]:
        """The manifest.

        Raises:
            InputError: it is missing or damaged.
        """
        path = self.root / "manifest.csv"
        if not path.is_file():
            raise InputError(f"{self.root} has no manifest.csv; run `tbd preprocess` on it again, which takes up where it stopped.")
        try:
            with open(path, newline="", encoding="utf-8") as file:
                return [ClipRecord.from_row(row) for row in csv.DictReader(file)]
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is damaged ({error}); run `tbd preprocess` again, which writes it anew.") from error

    def require(self, records: Iterable[ClipRecord], kinds: Sequence[str] | None = None) -> None:
        """See that the files of `records` are there.

        Args:
            records: of this cache.
            kinds: fields of `ClipRecord` to look at (``audio``, ``motions`` …); all where not given.

        Raises:
            InputError: some are not.
        """
        gone = []
        for record in records:
            named = (
                record
                if kinds is None
                else replace(record, **{k: "" if k == "audio" else {} for k in ("audio", *_FILES) if k not in kinds})
            )
            gone += [path for path in named.files() if not (self.root / path).is_file()]
        if gone:
            raise InputError(
                f"The manifest of {self.root} names {len(gone)} files that are gone, the first is {gone[0]}; put them back, or run "
                "`tbd preprocess` again, which makes them anew."
            )

    # -- writing ---------------------------------------------------------------------------------------------------

    def record_path(self, record: ClipRecord) -> Path:
        return self.root / "records" / record.person / f"{record.clip}.json"

    def save_record(self, record: ClipRecord) -> None:
        """The last step of preparing a clip: from here on it is done."""
        with atomic_output(self.record_path(record)) as temporary:
            temporary.write_text(json.dumps(asdict(record)), encoding="utf-8")

    def load_record(self, record: ClipRecord) -> ClipRecord | None:
        """What became of a clip in an earlier run, or None. A record that cannot be read counts as none."""
        return _read_record(self.record_path(record))

    def write_manifest(self) -> Path:
        """Gather the records into ``manifest.csv``, ordered by clip."""
        found = (_read_record(path) for path in (self.root / "records").glob("*/[!.]*.json"))  # no temporary ones
        rows = [record.to_row() for record in sorted((r for r in found if r), key=lambda r: r.clip)]
        columns = [f.name for f in fields(ClipRecord) if f.name not in _FILES]
        columns += sorted({column for row in rows for column in row} - set(columns))
        path = self.root / "manifest.csv"
        with atomic_output(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path


def load_points(path: str | os.PathLike) -> np.ndarray:
    """Mesh points of a prepared clip, memory-mapped.

    Returns:
        (frames, 478, 3) float16: x right, y down, z towards the viewer, in sides of the crop from its centre, so that
        ``(points + [0.5, 0.5, 0]) * size`` are pixels of the video of that size. Exact to 0.1 pixel at 512.
    """
    return np.load(path, mmap_mode="r")


def _read_about(root: Path) -> dict[str, Any]:
    path = root / "cache.json"
    if not path.is_file():
        raise InputError(f"{root} is no prepared cache (it has no cache.json); make one with `tbd preprocess`.")
    try:
        about = json.loads(path.read_text())
        written = about["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged; remove it together with its folder, and run `tbd preprocess` again.") from error
    if written != FORMAT:
        raise InputError(f"{root} was written by another version of tbd ({written}; this one reads {FORMAT}); prepare it anew elsewhere.")
    return about


def _read_record(path: Path) -> ClipRecord | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return ClipRecord(**{**values, "crop": tuple(values["crop"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
