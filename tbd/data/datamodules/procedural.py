"""`ProceduralDataModule`: training batches from the corpus that `tbd synthesize` writes."""

import csv
from pathlib import Path
from typing import Any

from tbd.data.datamodules.base import MotionDataModule
from tbd.data.datasets.packed import TrainingClip
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
                plan=MusclePlan.model_validate_json((self.root / row["plan"]).read_text()),
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
        InputError: If there is no corpus.
    """
    path = root / "manifest.csv"
    if not path.is_file():
        raise InputError(f"There is no corpus in {root}: run `tbd synthesize --output {root} --hours 2` first.")
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
