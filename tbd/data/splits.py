"""Splits: which clips train a model and which test it. Files with a source and a checksum, in ``tbd/assets/splits``.

    {"name": "mead_actor", "dataset": "mead", "by": "person", "source": "where the list comes from",
     "sides": {"val": ["M013"], "test": ["M003", ...]}, "rest": "train"}

`by` says what the sides list: ``person``, ``video`` (the recording that clips were cut from) or ``clip``. Clips of MEAD may be
written in runs, ``M003_angry_1_001-029,031``. `rest` is the side of whatever no side names, or null. `shared` lists what the two
sides have in common on purpose (``["person"]`` where sentences are held out, not people).
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
from typing import Any

from tbd.data.preprocess.cache import ClipRecord
from tbd.data.sources.naming import clip_names
from tbd.errors import InputError

SIDES = ("train", "val", "test")
_BY = ("person", "video", "clip")


@dataclass(frozen=True)
class Split:
    """One way to divide a data set.

    Args:
        name: of the split, as reports give it.
        dataset: ``mead``, ``hdtf`` or ``folder``: the `source` of the records that it divides.
        by: the field of a record that the sides list.
        source: where the list comes from, in words.
        sides: side → persons, videos or clips.
        rest: the side of whatever is not listed.
        shared: fields whose values two sides share on purpose.
        checksum: SHA-256 of the file.

    Example:
        >>> split = load_split("mead_actor")
        >>> split.side(ClipRecord("M003_angry_1_001", "mead", "M003", "M003_angry_1_001"))
        'test'
    """

    name: str
    dataset: str
    by: str
    source: str
    sides: dict[str, tuple[str, ...]]
    rest: str | None
    shared: tuple[str, ...]
    checksum: str

    @cached_property
    def _side_of(self) -> dict[str, str]:
        return {name: side for side, listed in self.sides.items() for name in listed}

    def side(self, record: ClipRecord) -> str | None:
        """The side of a clip, or None where the split leaves it out (another data set, another view of a clip it lists)."""
        if record.source != self.dataset:
            return None
        return self._side_of.get(getattr(record, self.by), self.rest)

    def named(self) -> set[str]:
        """Every person, video or clip that a side lists."""
        return set(self._side_of)

    def overlaps(self, records: Iterable[ClipRecord] = ()) -> dict[str, list[str]]:
        """What is on two sides although it should not be: the split's own clips, and those of `records`.

        Args:
            records: of a cache; where a split lists people, they show which recordings of theirs are on which side.

        Returns:
            ``person`` and ``video`` → those on more than one side, sorted. Recordings of one clip each (MEAD) cannot be.
        """
        seen: dict[str, dict[str, set[str]]] = {field: {} for field in ("person", "video")}

        def add(side: str | None, **values: str) -> None:
            for field, value in values.items():
                unnamed = field == "person" and value == values.get("video")  # a recording whose speaker nobody has named
                if side and value and field not in self.shared and not unnamed:
                    seen[field].setdefault(value, set()).add(side)

        for side, listed in self.sides.items():
            for name in listed:
                if self.by == "clip":
                    person, video = clip_names(self.dataset, name)
                    add(side, person=person, video=video)
                elif self.by == "video":
                    add(side, video=name, person=clip_names(self.dataset, f"{name}_000")[0])
                else:
                    add(side, person=name)
        for record in records:
            add(self.side(record), person=record.person, video=record.video)
        return {field: sorted(name for name, sides in values.items() if len(sides) > 1) for field, values in seen.items()}


def split_names() -> list[str]:
    """The packaged splits."""
    return sorted(path.name[: -len(".json")] for path in (files("tbd") / "assets/splits").iterdir() if path.name.endswith(".json"))


def load_split(name: str | os.PathLike) -> Split:
    """A packaged split by its name, or one of your own by its path.

    Raises:
        InputError: there is no such split, the file is no split, or a packaged one has been changed since it was checked in.
    """
    packaged = split_names()
    if str(name) in packaged:
        path = files("tbd") / "assets/splits" / f"{name}.json"
        sums = dict(line.split()[::-1] for line in (files("tbd") / "assets/splits/SHA256SUMS").read_text().splitlines())
        data, expected = path.read_bytes(), sums[f"{name}.json"]
    elif Path(name).is_file():
        path, data, expected = Path(name), Path(name).read_bytes(), None
    else:
        raise InputError(f"There is no split {str(name)!r}; name a .json file or one of {', '.join(packaged)}.")
    checksum = hashlib.sha256(data).hexdigest()
    if expected not in (None, checksum):
        raise InputError(
            f"{path} is not the split that tbd came with (its SHA-256 differs); install tbd again, or give yours another name."
        )
    return _parse(data, str(path), checksum)


def _parse(data: bytes, path: str, checksum: str) -> Split:
    try:
        values: dict[str, Any] = json.loads(data)
        sides = {side: tuple(name for entry in listed for name in expand(entry)) for side, listed in values["sides"].items()}
        split = Split(values["name"], values["dataset"], values["by"], values["source"], sides, values.get("rest"),
                      tuple(values.get("shared", ())), checksum)  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no split file ({error!r}); `tbd/data/splits.py` shows its form.") from error
    wrong = [s for s in (*sides, split.rest) if s not in (*SIDES, None)]
    if wrong or split.by not in _BY:
        raise InputError(f"{path} is no split file: sides are {', '.join(SIDES)} and `by` is one of {', '.join(_BY)}.")
    twice = _twice(sides.values())
    if twice:
        raise InputError(f"{path} lists {twice} on two sides; each {split.by} belongs to one.")
    return split


def _twice(lists: Iterable[Sequence[str]]) -> str | None:
    seen: set[str] = set()
    for listed in lists:
        both = seen.intersection(listed)
        if both:
            return min(both)
        seen.update(listed)
    return None


def expand(entry: str) -> list[str]:
    """A run of MEAD's clips as single names; any other entry as it is.

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
