"""`ClipRecord`: one clip of a data set, from the scan of a download to its row in a prepared cache."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from tbd.errors import InputError

Status = Literal["ready", "failed", "found"]
FILE_KINDS = {"videos": "video", "motions": "motion", "points": "points", "features": "features", "plans": "plan"}
"""Field of `ClipRecord` → kind of file, which is also the first part of its columns (``video:256``)."""


@dataclass(frozen=True)
class ClipRecord:
    """A row of the manifest: one clip, what it shows, whether it could be prepared, and where its files are.

    Args:
        clip: Unique in the cache: ``M003_angry_1_001`` (front view; others end in the view's name), ``WDA_KatieHill_000``.
        source: Data set: a name of `tbd.data.sources.registry.DATASETS`, or the class path of a `RawSource` of your own.
        person: Who is seen, as far as the source says. No person is in two splits of a division by person.
        video: The recording that the clip was cut from; the clip itself where it is a file of its own.
        emotion: One of `tbd.think.emotions.EMOTIONS`, or empty where the source has no label. Always a name, never a number.
        level: MEAD's 1, 2 or 3; 0 where the source has none.
        view: MEAD's camera, ``front`` and six more; empty elsewhere.
        number: As in the file's name; not the same sentence across emotions.
        text: A sentence about the emotion, where one was given.
        origin: The file, relative to the raw root; a member of an archive as ``M003.tar/video/front/…/001.mp4``.
        origin_bytes: Its size.
        status: ``ready``; ``failed``, for `reason`; ``found``, which is probed but not prepared.
        reason: One sentence where the clip failed; remarks where it is ready.
        frames: Of the prepared clip, at 25 a second; of the motion, the mesh and the audio alike.
        seconds: ``frames / 25``.
        source_fps: Average frame rate of the file.
        source_width: Pixels of the file, as displayed.
        source_height: Pixels of the file, as displayed.
        source_seconds: Length of the file's video stream.
        source_audio_seconds: Length of the file's audio stream; 0 where there is none.
        frames_without_face: Frames that the first tracker interpolated.
        neutral: What coefficients are measured against: ``average`` for people at large, or the origin of the person's neutral clip.
        crop: Left, top and width of the square in pixels of the file, turned upright; of the first frame where the crop follows the head.
        audio: Path of the sound, empty where the clip has none.
        videos: Size in pixels → path.
        motions: Tracker → path.
        points: Tracker → path.
        features: Name → path.
        plans: Tracker → path of the plan that was measured from its motion, see `tbd.data.measured_plans`.

    Example:
        >>> record = ClipRecord("M003_sad_1_001", "mead", "M003", "M003_sad_1_001", emotion="sad", level=1)
        >>> record.ready, record.to_row()["emotion"]
        (False, 'sad')
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
    plans: dict[str, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether the clip is prepared."""
        return self.status == "ready"

    def files(self, kinds: Collection[str] = ("audio", *FILE_KINDS)) -> list[str]:
        """List the paths that the record names.

        Args:
            kinds: Fields to look at (``audio``, ``motions`` …).

        Returns:
            Paths relative to the cache.
        """
        audio = [self.audio] if "audio" in kinds else []
        return [path for path in [*audio, *(p for kind in FILE_KINDS if kind in kinds for p in getattr(self, kind).values())] if path]

    def file(self, kind: Literal["videos", "motions", "points", "features", "plans"], name: str) -> str:
        """Find the path of one file.

        Args:
            kind: The field that holds it.
            name: A size, a tracker (``face_mesh``, or with its version), or a feature.

        Returns:
            The path, relative to the cache.

        Raises:
            InputError: If there is none, or two versions of a tracker were used and the name does not say which.

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
                f"Clip {self.clip} {why} {FILE_KINDS[kind]} {name!r} in its cache (there: {there}); prepare it, or name one of these."
            )
        return held[keys[0]]

    def to_row(self) -> dict[str, Any]:
        """Write the manifest's columns."""
        row = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in FILE_KINDS}
        row["crop"] = " ".join(map(str, self.crop))
        for name, kind in FILE_KINDS.items():
            row.update({f"{kind}:{key}": path for key, path in getattr(self, name).items()})
        return row

    @classmethod
    def from_row(cls, row: dict[str, str]) -> "ClipRecord":
        """Read what `to_row` wrote, after a passage through text.

        Args:
            row: Column → text.

        Returns:
            The record.

        Raises:
            KeyError: If a column is missing.
            ValueError: If a number is none.
        """
        types = {"int": int, "float": float}
        values: dict[str, Any] = {}
        for f in fields(cls):
            if f.name in FILE_KINDS:
                start = f"{FILE_KINDS[f.name]}:"
                values[f.name] = {column[len(start) :]: path for column, path in row.items() if column.startswith(start) and path}
            elif f.name == "crop":
                values["crop"] = tuple(map(int, row["crop"].split()))
            else:
                kind = str(getattr(f.type, "__name__", f.type))
                values[f.name] = types.get(kind, str)(row[f.name])
        return cls(**values)
