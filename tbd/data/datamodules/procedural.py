"""`ProceduralDataModule`: training batches from the corpus that `tbd synthesize` writes."""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tbd.data.datamodules.base import MotionDataModule
from tbd.data.datasets.packed import TrainingClip
from tbd.data.splits import SPLITS
from tbd.errors import InputError
from tbd.think.plan import MusclePlan


class ProceduralDataModule(MotionDataModule):
    """Windows of procedural speech, motion and plans.

    Args:
        root: A folder that `tbd synthesize` wrote.
        kwargs: See `MotionDataModule`.
    """

    def __init__(self, root: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.root = Path(root)

    def clips(self) -> list[TrainingClip]:
        """See `MotionDataModule.clips`."""
        return [
            TrainingClip(
                name=row["clip"],
                split=row["split"],
                person=row.get("actor", ""),
                frames=int(row["frames"]),
                motion=self.root / row["motion"],
                audio=self.root / row["audio"],
                plan=MusclePlan.load(self.root / row["plan"]),
                emotion=row.get("emotion", ""),
                phones=self.root / row["phonemes"] if row.get("phonemes") else None,
            )
            for row in read_manifest(self.root)
        ]

    @property
    def packed(self) -> tuple[Path, str]:
        """Folder and name of the pack."""
        return self.root / "packed", "procedural"


def read_manifest(root: Path) -> list[dict[str, str]]:
    """Read the rows of a corpus's manifest.

    Args:
        root: The corpus.

    Returns:
        Column → text for each clip.

    Raises:
        InputError: If there is no corpus, or a row of its manifest is not as `tbd synthesize` writes it.
    """
    path = root / "manifest.csv"
    if not path.is_file():
        raise InputError(f"There is no corpus in {root}: run `tbd synthesize --output {root} --hours 2` first.")
    with open(path, newline="", encoding="utf-8-sig") as file:  # spreadsheets write a byte order mark
        rows = list(csv.DictReader(file))
    if not rows:
        raise InputError(f"{path} lists no clips; `tbd synthesize --output {root}` writes it anew.")
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        if (problem := _problem(row, seen)) is not None:
            raise InputError(f"{path}, line {number}: {problem}; `tbd synthesize --output {root}` writes it anew.")
        seen.add(row["clip"])
    return rows


_COLUMNS = ("clip", "split", "frames", "motion", "audio", "plan")


def _problem(row: dict[str, str], seen: Collection[str]) -> str | None:
    """What is wrong with a row, or None; `seen` are the clips before it."""
    absent = [name for name in _COLUMNS if not row.get(name)]
    if absent:
        return f"the row has no {' and no '.join(absent)}"
    if not row["frames"].isdigit() or int(row["frames"]) == 0:
        return f"frames is {row['frames']}, not a whole number from 1 on"
    if row["split"] not in SPLITS:
        return f"the split {row['split']} is none of {', '.join(SPLITS)}"
    return f"{row['clip']} is listed twice" if row["clip"] in seen else None
