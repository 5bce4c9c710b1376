"""Splits: which clips train a model and which test it. Files with a source and a checksum, in ``tbd/assets/splits``.

    {"name": "mead_actor", "dataset": "mead", "by": "person", "source": "where the list comes from",
     "splits": {"val": ["M013"], "test": ["M003", ...]}, "rest": "train"}

`dataset` is a registered name or a class path (`tbd.data.sources.registry`). `by` says what the splits list: ``person``, ``video`` (the
recording that clips were cut from) or ``clip``. Clips of MEAD may be written in runs, ``M003_angry_1_001-029,031``. `rest` is the split of
whatever none of them names, or null. `shared` lists what splits have in common on purpose (``["person"]`` where sentences are held out,
not people).
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from tbd.data.records import ClipRecord
from tbd.data.sources.base import source_class
from tbd.errors import InputError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_BY = ("person", "video", "clip")


@dataclass(frozen=True)
class DatasetSplits:
    """One way to divide a data set into train, val and test.

    Args:
        name: As reports give it.
        dataset: The `ClipRecord.source` of the records that it divides.
        by: The field of a record that the splits list.
        source: Where the list comes from, in words.
        members: Split → persons, videos or clips.
        rest: The split of whatever is not listed; None leaves it out.
        shared: Fields whose values splits share on purpose.
        checksum: SHA-256 of the file; empty where there is none.

    Example:
        >>> splits = load_splits("mead_actor")
        >>> splits.split_of(ClipRecord("M003_angry_1_001", "mead", "M003", "M003_angry_1_001"))
        'test'
    """

    name: str
    dataset: str
    by: str
    source: str
    members: dict[Split, tuple[str, ...]]
    rest: Split | None
    shared: tuple[str, ...] = ()
    checksum: str = ""

    @cached_property
    def _split_of(self) -> dict[str, Split]:
        return {name: split for split, listed in self.members.items() for name in listed}

    def split_of(self, record: ClipRecord) -> Split | None:
        """Look up the split of a clip; None where it is left out (another data set, another view of a listed clip)."""
        if record.source != self.dataset:
            return None
        return self._split_of.get(getattr(record, self.by), self.rest)

    def named(self) -> set[str]:
        """Collect every person, video or clip that is listed."""
        return set(self._split_of)

    def overlaps(self, records: Iterable[ClipRecord] = ()) -> dict[str, list[str]]:
        """Find what is in two splits although it should not be: among the listed clips, and among `records`.

        Args:
            records: Of a cache; where splits list people, they show which recordings of theirs are in which split.

        Returns:
            ``person`` and ``video`` → those in more than one split, sorted. Recordings of one clip each (MEAD) cannot be.
        """
        seen: dict[str, dict[str, set[Split]]] = {field: {} for field in ("person", "video")}

        def add(split: Split | None, **values: str) -> None:
            for field, value in values.items():
                unnamed = field == "person" and value == values.get("video")  # a recording whose speaker nobody has named
                if split and value and field not in self.shared and not unnamed:
                    seen[field].setdefault(value, set()).add(split)

        kind = source_class(self.dataset)
        for split, listed in self.members.items():
            for name in listed:
                if self.by == "person":
                    add(split, person=name)
                else:
                    video = kind.video_of(name) if self.by == "clip" else name
                    add(split, person=kind.person_of(video), video=video)
        for record in records:
            add(self.split_of(record), person=record.person, video=record.video)
        return {field: sorted(name for name, found in values.items() if len(found) > 1) for field, values in seen.items()}


def packaged_splits() -> list[str]:
    """List the names of the packaged splits."""
    return sorted(path.name[: -len(".json")] for path in (files("tbd") / "assets/splits").iterdir() if path.name.endswith(".json"))


def load_splits(name: str | os.PathLike, folder: str | os.PathLike = "") -> DatasetSplits:
    """Load packaged splits by their name, or your own by their path.

    Args:
        name: One of `packaged_splits`, or a .json file.
        folder: The cache that they divide, where a file that is not found from here is looked for as well.

    Returns:
        The splits.

    Raises:
        InputError: If there is no such file, the file holds no splits, or packaged ones have been changed since they were checked in.
    """
    packaged = packaged_splits()
    path = Path(str(files("tbd") / "assets/splits" / f"{name}.json")) if str(name) in packaged else Path(name)
    if not path.is_file() and folder:
        path = Path(folder) / path
    if not path.is_file():
        raise InputError(f"There are no splits {str(name)!r}; name a .json file or one of {', '.join(packaged)}.")
    data = path.read_bytes()
    checksum = hashlib.sha256(data).hexdigest()
    if str(name) in packaged and checksum != _packaged_checksums()[path.name]:
        raise InputError(
            f"{path} is not what tbd came with (its SHA-256 differs); install tbd again, or give splits of yours another name."
        )
    return _parse(data, str(path), checksum)


def default_splits(dataset: str) -> DatasetSplits:
    """Load the splits that training uses by default.

    Args:
        dataset: A registered name, or a class path.

    Returns:
        Those that the data set's class names; where it names none, everything trains.

    Example:
        >>> default_splits("folder").split_of(ClipRecord("a", "folder", "Ann", "a"))
        'train'
    """
    name = source_class(dataset).default_splits
    return DatasetSplits("all", dataset, "person", "everything trains", {}, "train") if name is None else load_splits(name)


def _packaged_checksums() -> dict[str, str]:
    """Read file → SHA-256."""
    lines = (files("tbd") / "assets/splits/SHA256SUMS").read_text().splitlines()
    return {name: checksum for checksum, name in map(str.split, lines)}


def _parse(data: bytes, path: str, checksum: str) -> DatasetSplits:
    try:
        values: dict[str, Any] = json.loads(data)
        members = {split: tuple(name for entry in listed for name in expand(entry)) for split, listed in values["splits"].items()}
        shared = tuple(values.get("shared", ()))
        splits = DatasetSplits(
            values["name"], values["dataset"], values["by"], values["source"], members, values.get("rest"), shared, checksum
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} holds no splits ({error!r}); `tbd/data/splits.py` shows their form.") from error
    wrong = [s for s in (*members, splits.rest) if s not in (*SPLITS, None)]
    if wrong or splits.by not in _BY:
        raise InputError(f"{path} holds no splits: they are {', '.join(SPLITS)}, and `by` is one of {', '.join(_BY)}.")
    twice = _twice(members.values())
    if twice:
        raise InputError(f"{path} lists {twice} in two splits; each {splits.by} belongs to one.")
    return splits


def _twice(lists: Iterable[Sequence[str]]) -> str | None:
    seen: set[str] = set()
    for listed in lists:
        both = seen.intersection(listed)
        if both:
            return min(both)
        seen.update(listed)
    return None


def expand(entry: str) -> list[str]:
    """Write a run of MEAD's clips as single names.

    Args:
        entry: Of a file of splits.

    Returns:
        The names; any other entry alone.

    Example:
        >>> expand("M003_angry_1_001-003,007")
        ['M003_angry_1_001', 'M003_angry_1_002', 'M003_angry_1_003', 'M003_angry_1_007']
    """
    match = re.fullmatch(r"([MW]\d{3}_[a-z]+_\d)_([\d,-]+)", entry)
    if not match:
        return [entry]
    clips = []
    for run in match[2].split(","):
        first, _, last = run.partition("-")
        clips += [f"{match[1]}_{number:03d}" for number in range(int(first), int(last or first) + 1)]
    return clips
