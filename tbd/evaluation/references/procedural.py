"""References of the procedural corpus: synthetic speech whose motion and plan are known exactly."""

import csv
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from typing_extensions import override

from tbd.errors import InputError
from tbd.evaluation.references.base import Reference, ReferenceClip, read_label, spread_evenly
from tbd.evaluation.references.frames import locate_face, resize, select_frames
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.media.wav import read_wave
from tbd.think.plan import MusclePlan
from tbd.utils.checksum import checksum_of_files

CONTENT = (".flac", ".npz", ".json", ".csv", ".mp4")
"""Endings of the files that numbers depend on."""


class ProceduralReference(Reference):
    """The held-out procedural clips that ship with tbd: synthetic speech with known motion and plan, on one portrait.

    ``python -m benchmarks.procedural_test`` made them; see ``tbd/assets/procedural_test/README.md``. The portrait is
    scikit-image's photograph of Eileen Collins; the true frames are the true motion on that portrait, as `MeshWarpRenderer` drew
    it when the protocol was made. They lie beside the motion as videos, so that a renderer that draws otherwise since is measured
    against the same truth as everybody's.

    Args:
        root: A folder of the same layout; None for the packaged one.
    """

    def __init__(self, root: str | None = None) -> None:
        self.root = Path(root) if root is not None else Path(str(files("tbd") / "assets" / "procedural_test"))

    @override
    def clips(self) -> Sequence[ReferenceClip]:
        path = self.root / "clips.csv"
        if not path.is_file():
            raise InputError(f"There is no {path}; give a folder that `python -m benchmarks.procedural_test` wrote, or no --reference.")
        with open(path, newline="", encoding="utf-8") as file:
            return [ProceduralClip(self.root, row) for row in sorted(csv.DictReader(file), key=lambda row: row["clip"])]

    @override
    def content(self) -> str:
        return checksum_of_files([p for p in self.root.iterdir() if p.suffix in CONTENT], self.root)


class ProceduralClip(ReferenceClip):
    """One row of ``clips.csv``; its files are named by the clip.

    Args:
        root: Folder of the files.
        row: Column → value.
    """

    def __init__(self, root: Path, row: dict[str, str]) -> None:
        super().__init__(row["clip"], row["emotion"] or None, int(row["level"]))
        self._root, self._frames = root, int(row["frames"])

    @override
    def frames(self) -> int:
        return self._frames

    @override
    def audio(self) -> np.ndarray:
        from tbd.media import read_audio

        return read_audio(self._root / f"{self.id}.flac")

    @override
    def plan(self) -> MusclePlan:
        return MusclePlan.load(self._root / f"{self.id}.json")

    @override
    def motion(self) -> Motion:
        return Motion.load(self._root / f"{self.id}.npz")

    @override
    def face(self, size: int) -> FaceGeometry:
        import skimage.data

        from tbd.face.portrait import crop_portrait

        return crop_portrait(locate_face("the astronaut", skimage.data.astronaut), size)

    @override
    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        kept = self._root / f"{self.id}.mp4"
        if kept.is_file():
            from tbd.media import read_video

            return (resize(frame, size) for frame in select_frames(read_video(kept), numbers))
        return self.draw(size, numbers)

    def draw(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Draw the true motion with today's renderer.

        Args:
            size: Pixels of the square frames.
            numbers: Numbers of the frames, ascending; None for all.

        Returns:
            (size, size, 3) uint8 frames, one by one.
        """
        from tbd.pipeline import warp_renderer

        motion = self.motion()
        wanted = motion if numbers is None else Motion(motion.values[numbers])
        return warp_renderer(self.plan()).render(self.face(size), wanted)


class CorpusReference(Reference):
    """The clips of one split of a corpus that `tbd synthesize` wrote, with the same portrait as `ProceduralReference`.

    Args:
        root: Folder of the corpus.
        split: ``val`` or ``test``, whose speakers and sentences training has not seen.
        count: Number of clips, spread evenly over the split; None for all.
    """

    def __init__(self, root: str, split: str = "test", count: int | None = None) -> None:
        self.root, self.split, self.count = Path(root), split, count

    @override
    def clips(self) -> Sequence[ReferenceClip]:
        from tbd.data.datamodules.procedural import read_manifest

        rows = sorted((row for row in read_manifest(self.root) if row["split"] == self.split), key=lambda row: row["clip"])
        if not rows:
            raise InputError(f"The corpus in {self.root} has no clip in the split {self.split}; synthesize more hours.")
        return [CorpusClip(self.root, row) for row in spread_evenly(rows, self.count)]


class CorpusClip(ProceduralClip):
    """One row of a corpus's ``manifest.csv``, which names its files.

    Args:
        root: Folder of the corpus.
        row: Column → value.
    """

    def __init__(self, root: Path, row: dict[str, str]) -> None:
        label, level = read_label(row["clip"])
        super().__init__(root, {**row, "emotion": row.get("emotion") or label or "", "level": row.get("level") or str(level or 3)})
        self._row = row

    def _file(self, kind: str) -> Path:
        return self._root / self._row[kind]

    @override
    def audio(self) -> np.ndarray:
        return read_wave(self._file("audio"))

    @override
    def plan(self) -> MusclePlan:
        return MusclePlan.load(self._file("plan"))

    @override
    def motion(self) -> Motion:
        return Motion.load(self._file("motion"))

    @override
    def bilabials(self) -> np.ndarray | None:
        from tbd.data.synthetic.visemes import bilabial_times
        from tbd.speech.phones import load_phones

        return bilabial_times(load_phones(self._file("phonemes"))) if self._row.get("phonemes") else None
