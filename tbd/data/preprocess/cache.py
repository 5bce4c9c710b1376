"""The prepared cache: what `tbd preprocess` writes, and all that a Dataset or an evaluation reads.

    cache.json                              format, and the config that all clips share: data set, sizes, crop protocol
    manifest.csv                            one row a clip, ready or not; the paths are relative to it
    records/<person>/<clip>.json            the same rows one by one, each written when its clip is done
    video/<size>/<person>/<clip>.mp4        H.264, size × size pixels, exactly 25 frames a second, the clip's sound as AAC
    audio/<person>/<clip>.wav               16 kHz mono int16, exactly frames · 640 samples
    motion/<tracker>/<person>/<clip>.npz    `Motion`, one row a frame
    points/<tracker>/<person>/<clip>.npy    (frames, 478, 3) float16 mesh points, see `load_points`
    features/<name>/<person>/<clip>.npy     optional: latents and features of pretrained networks
    plans/<tracker>/<person>/<clip>.json    optional: what the face does, measured from that motion: `tbd.data.measured_plans`
    neutral/<tracker>/<clip>.npz            people at rest, as `tbd.face.neutral.NeutralFace`, from their neutral clips

A tracker's folder is its name, version and recipe, ``face_mesh@mediapipe-0.10.21-absolute-2``: results of two trackers never mix.
"""

import csv
import json
import os
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from tbd.data.records import FILE_KINDS, ClipRecord
from tbd.errors import InputError
from tbd.utils.atomic import atomic_output

FORMAT = "tbd-cache-2"


class Cache:
    """A prepared cache on disk.

    Args:
        root: Its folder.

    Raises:
        InputError: If the folder is no cache, or one that another version wrote.
    """

    def __init__(self, root: str | os.PathLike) -> None:
        self.root = Path(root)
        self.config: dict[str, Any] = _read_config(self.root)
        """What all of its clips share: ``source``, ``sizes``, ``crop`` and the videos' codec."""

    @classmethod
    def claim(cls, root: str | os.PathLike, **config: Any) -> "Cache":
        """Open a cache for writing, made where there is none.

        Args:
            root: The folder.
            config: What all of its clips share (source, sizes, crop protocol): plain values.

        Returns:
            The cache.

        Raises:
            InputError: If the folder was prepared with another config, by another version, or holds other things.
        """
        root = Path(root)
        if (root / "cache.json").is_file():
            cache = cls(root)
            there = cache.config
            differs = [f"{key} is {there.get(key)!r}, not {value!r}" for key, value in config.items() if there.get(key) != value]
            if differs:
                raise InputError(f"{root} was prepared otherwise ({'; '.join(differs)}); choose an empty folder for this config.")
            return cache
        # another shard's temporary file is no reason to refuse
        if root.exists() and (not root.is_dir() or any(not path.name.startswith(".") for path in root.iterdir())):
            raise InputError(f"{root} is not empty and holds no cache; choose an empty folder for --output.")
        with atomic_output(root / "cache.json") as temporary:
            temporary.write_text(json.dumps({"format": FORMAT, "config": config}, indent=1))
        return cls(root)

    def path(self, relative: str) -> Path:
        """Locate a file that a record names."""
        return self.root / relative

    def records(self) -> list[ClipRecord]:
        """Read the manifest.

        Returns:
            Its rows, ordered by clip.

        Raises:
            InputError: If it is missing or damaged.
        """
        path = self.root / "manifest.csv"
        if not path.is_file():
            raise InputError(f"{self.root} has no manifest.csv; run `tbd preprocess` on it again, which takes up where it stopped.")
        try:
            with open(path, newline="", encoding="utf-8") as file:
                return [ClipRecord.from_row(row) for row in csv.DictReader(file)]
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is damaged ({error}); run `tbd preprocess` again, which writes it anew.") from error

    def require(self, records: Iterable[ClipRecord], kinds: Collection[str] = ("audio", *FILE_KINDS)) -> None:
        """Check that the files of `records` exist.

        Args:
            records: Rows of this cache.
            kinds: Fields of `ClipRecord` to look at (``audio``, ``motions`` …).

        Raises:
            InputError: If some do not.
        """
        gone = [path for record in records for path in record.files(kinds) if not (self.root / path).is_file()]
        if gone:
            raise InputError(
                f"The manifest of {self.root} names {len(gone)} files that are gone, the first is {gone[0]}; put them back, or run "
                "`tbd preprocess` again, which makes them anew."
            )

    # -- writing ---------------------------------------------------------------------------------------------------

    def record_path(self, record: ClipRecord) -> Path:
        """Locate the file of a clip's own row."""
        return self.root / "records" / record.person / f"{record.clip}.json"

    def save_record(self, record: ClipRecord) -> None:
        """Write a clip's own row, the last step of preparing it: from here on it is done."""
        with atomic_output(self.record_path(record)) as temporary:
            temporary.write_text(json.dumps(asdict(record)), encoding="utf-8")

    def load_record(self, record: ClipRecord) -> ClipRecord | None:
        """Read what an earlier run wrote of a clip, or None. A record that cannot be read counts as none."""
        return _read_record(self.record_path(record))

    def write_manifest(self) -> Path:
        """Gather the records into ``manifest.csv``, ordered by clip.

        Several processes may gather at the same time: whoever writes last has seen all records, since a process that finds others than
        it has written gathers again.
        """
        while True:
            gathered = self._record_files()
            path = self._write_rows(gathered)
            if self._record_files() == gathered:
                return path

    def _record_files(self) -> dict[Path, tuple[int, int]]:
        """Each clip's own row → what changes when it is written again."""
        files: dict[Path, tuple[int, int]] = {}
        for path in (self.root / "records").glob("*/[!.]*.json"):  # no temporary ones
            with suppress(FileNotFoundError):
                status = path.stat()
                files[path] = status.st_mtime_ns, status.st_ino
        return files

    def _write_rows(self, files: Iterable[Path]) -> Path:
        found = (_read_record(path) for path in files)
        rows = [record.to_row() for record in sorted((r for r in found if r), key=lambda r: r.clip)]
        columns = [f.name for f in fields(ClipRecord) if f.name not in FILE_KINDS]
        columns += sorted({column for row in rows for column in row} - set(columns))
        path = self.root / "manifest.csv"
        with atomic_output(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path


def load_points(path: str | os.PathLike) -> np.ndarray:
    """Open the mesh points of a prepared clip, memory-mapped.

    Args:
        path: A file of ``points/``.

    Returns:
        (frames, 478, 3) float16: x right, y down, z towards the viewer, in widths of the crop from its centre, so that
        ``(points + [0.5, 0.5, 0]) * size`` are pixels of the video of that size. Exact to 0.1 pixel at 512.
    """
    return np.load(path, mmap_mode="r")


def _read_config(root: Path) -> dict[str, Any]:
    path = root / "cache.json"
    if not path.is_file():
        raise InputError(f"{root} is no prepared cache (it has no cache.json); make one with `tbd preprocess`.")
    try:
        content = json.loads(path.read_text())
        written = content["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged; remove it together with its folder, and run `tbd preprocess` again.") from error
    if written != FORMAT:
        raise InputError(f"{root} was written by another version of tbd ({written}; this one reads {FORMAT}); prepare it anew elsewhere.")
    return content["config"]


def _read_record(path: Path) -> ClipRecord | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return ClipRecord(**{**values, "crop": tuple(values["crop"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
