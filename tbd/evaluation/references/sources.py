"""The references there are: procedural clips, prepared caches, folders of films, portraits with speech."""

import csv
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.references.base import Reference, ReferenceClip, read_label
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.media.wav import read_wave
from tbd.think.action_units import EMOTIONS
from tbd.think.plan import MusclePlan
from tbd.utils.checksum import checksum_of_files
from tbd.utils.class_path import Component, build, import_class

if TYPE_CHECKING:
    from tbd.data.preprocess.cache import Cache
    from tbd.data.records import ClipRecord


def build_reference(component: Component, root: str | None) -> Reference:
    """A protocol's reference over the folder that `--reference` gives.

    Raises:
        InputError: the class cannot be built, or needs a folder and none was given.
    """
    kind = import_class(component.class_path)
    if root is None and inspect.signature(kind).parameters["root"].default is inspect.Parameter.empty:
        raise InputError(f"--reference is missing: {(inspect.getdoc(kind) or kind.__name__).splitlines()[0]} Name its folder.")
    given = {} if root is None else {"root": root}
    return build(component.model_copy(update={"init_args": {**component.init_args, **given}}), Reference, "The protocol's reference")


# --------------------------------------------------------------------------------------------------------- procedural


class ProceduralReference(Reference):
    """The held-out procedural clips that ship with tbd: speech by synthesizers, true motion and plan, said by one portrait.

    ``python -m benchmarks.procedural_test`` made them; see ``tbd/assets/procedural_test/README.md``. The portrait is
    scikit-image's photograph of Eileen Collins; the true frames are the true motion on that portrait, as
    `MeshWarpRenderer` draws it.

    Args:
        root: a folder of the same layout, instead of the packaged one.
    """

    def __init__(self, root: str | None = None) -> None:
        self.root = Path(root) if root is not None else Path(str(files("tbd") / "assets" / "procedural_test"))

    def clips(self) -> Sequence[ReferenceClip]:
        path = self.root / "clips.csv"
        if not path.is_file():
            raise InputError(f"There is no {path}; give a folder that `python -m benchmarks.procedural_test` wrote, or no --reference.")
        with open(path, newline="", encoding="utf-8") as file:
            return [ProceduralClip(self.root, row) for row in sorted(csv.DictReader(file), key=lambda row: row["clip"])]

    def content(self) -> str:
        return checksum_of_files([p for p in self.root.iterdir() if p.suffix in (".flac", ".npz", ".json", ".csv")], self.root)


class ProceduralClip(ReferenceClip):
    """One row of ``clips.csv``; its files are named by the clip."""

    def __init__(self, root: Path, row: dict[str, str]) -> None:
        super().__init__(row["clip"], row["emotion"], int(row["level"]))
        self._root, self._frames = root, int(row["frames"])

    def frames(self) -> int:
        return self._frames

    def audio(self) -> np.ndarray:
        from tbd.media import read_audio

        return read_audio(self._root / f"{self.id}.flac")

    def plan(self) -> MusclePlan:
        return MusclePlan.load(self._root / f"{self.id}.json")

    def motion(self) -> Motion:
        return Motion.load(self._root / f"{self.id}.npz")

    def face(self, size: int) -> FaceGeometry:
        import skimage.data

        from tbd.face.portrait import crop_portrait

        return crop_portrait(_locate("the astronaut", skimage.data.astronaut), size)

    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        from tbd.pipeline import warp_renderer

        motion = self.motion()
        wanted = motion if numbers is None else Motion(motion.values[numbers])
        return warp_renderer(self.plan()).render(self.face(size), wanted)


class CorpusReference(Reference):
    """The clips of one split of a corpus that `tbd synthesize` wrote, said by the same portrait as `ProceduralReference`'s.

    Args:
        root: the corpus.
        split: ``val`` or ``test``, whose speakers and sentences training has not seen.
        count: how many clips, spread evenly over the split; all where not given.
    """

    def __init__(self, root: str, split: str = "test", count: int | None = None) -> None:
        self.root, self.split, self.count = Path(root), split, count

    def clips(self) -> Sequence[ReferenceClip]:
        from tbd.data.datamodules.procedural import read_manifest

        rows = sorted((row for row in read_manifest(self.root) if row["split"] == self.split), key=lambda row: row["clip"])
        if not rows:
            raise InputError(f"The corpus in {self.root} has no clip in the split {self.split}; synthesize more hours.")
        count = min(self.count or len(rows), len(rows))
        return [CorpusClip(self.root, rows[i * len(rows) // count]) for i in range(count)]


class CorpusClip(ProceduralClip):
    """One row of a corpus's ``manifest.csv``, which says where its files are."""

    def __init__(self, root: Path, row: dict[str, str]) -> None:
        label, level = read_label(row["clip"])
        super().__init__(root, {**row, "emotion": row.get("emotion") or label, "level": row.get("level") or level or 3})
        self._row = row

    def _file(self, kind: str) -> Path:
        return self._root / self._row[kind]

    def audio(self) -> np.ndarray:
        return read_wave(self._file("audio"))

    def plan(self) -> MusclePlan:
        return MusclePlan.load(self._file("plan"))

    def motion(self) -> Motion:
        return Motion.load(self._file("motion"))

    def bilabials(self) -> np.ndarray | None:
        from tbd.data.synthetic.visemes import bilabial_times
        from tbd.speech.phones import load_phones

        return bilabial_times(load_phones(self._file("phonemes"))) if self._row.get("phonemes") else None


_LAST_LOCATED: dict[str, FaceGeometry] = {}


def _locate(name: str, image: Callable[[], np.ndarray]) -> FaceGeometry:
    """The face of a picture; the last one is kept, since many clips share a portrait."""
    from tbd.face.tracker import FaceMeshTracker

    if name not in _LAST_LOCATED:
        _LAST_LOCATED.clear()
        _LAST_LOCATED[name] = FaceMeshTracker().locate(image(), name)
    return _LAST_LOCATED[name]


# ---------------------------------------------------------------------------------------------------- prepared caches


class CacheReference(Reference):
    """The clips of one split of a cache that `tbd preprocess` wrote.

    A clip that the split lists and the cache lacks stays in the list, so that it is counted.

    Args:
        root: the cache.
        splits: name of packaged splits, or a file's path.
        split: one of them.
    """

    def __init__(self, root: str, splits: str, split: str = "test") -> None:
        self.root, self.splits, self.split = root, splits, split

    def clips(self) -> Sequence[ReferenceClip]:
        from tbd.data.preprocess.cache import Cache
        from tbd.data.splits import load_splits

        cache, splits = Cache(self.root), load_splits(self.splits)
        records = {record.clip: record for record in cache.records() if splits.split_of(record) == self.split}
        listed = splits.members.get(self.split, ()) if splits.by == "clip" else ()
        names = sorted({*records, *listed})
        if not names:
            raise InputError(
                f"{self.root} holds no clip of {splits.name}'s split {self.split}; prepare {splits.dataset} with `tbd preprocess`."
            )
        return [CacheClip(cache, name, records.get(name)) for name in names]


class CacheClip(ReferenceClip):
    """One record of a prepared cache; its frames are framed already."""

    def __init__(self, cache: "Cache", clip: str, record: "ClipRecord | None") -> None:
        emotion, level = (record.emotion or None, record.level or None) if record else read_label(clip)
        super().__init__(clip, emotion, level)
        self._cache, self._record = cache, record

    def _ready(self) -> "ClipRecord":
        if self._record is None:
            raise InputError(f"{self._cache.root} does not have {self.id}; add it to the raw data and prepare it with `tbd preprocess`.")
        if not self._record.ready:
            raise InputError(f"{self.id} could not be prepared: {self._record.reason or self._record.status}")
        return self._record

    def frames(self) -> int:
        return self._ready().frames

    def audio(self) -> np.ndarray:
        from tbd.media import read_audio

        if not self._ready().audio:
            raise InputError(f"{self.id} has no sound in {self._cache.root}.")
        return read_audio(self._cache.path(self._ready().audio))

    def plan(self) -> MusclePlan:
        from tbd.think import KnowledgePlanner

        if self._ready().text:
            return KnowledgePlanner().plan(self._ready().text, duration=self.frames() / FPS)
        return super().plan()

    def _video(self, size: int) -> Path:
        """The file of that size, or of the largest."""
        held = self._ready().videos
        if not held:
            raise InputError(f"{self.id} has no video in {self._cache.root}; run `tbd preprocess` with --video-sizes {size}.")
        return self._cache.path(held.get(str(size)) or held[max(held, key=int)])

    def face(self, size: int) -> FaceGeometry:
        from tbd.media import read_video

        path = self._video(size)
        first = _locate(str(path), lambda: next(iter(read_video(path))))
        return first.cropped(0, 0, resize(first.image, size), size / first.image.shape[1])

    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        from tbd.media import read_video

        return (resize(frame, size) for frame in among(read_video(self._video(size)), numbers))


# -------------------------------------------------------------------------------------------------------------- films


class FilmClip(ReferenceClip):
    """A real clip: a video of one talking face, with its sound. The portrait is its first frame.

    Args:
        path: the video.
        framed: whether the frames are already the square that a prediction should fill; otherwise the square of head and
            shoulders around the first frame's face is taken, and held.
        sound: another file with the sound.
        emotion, level: as in `ReferenceClip`.
    """

    def __init__(
        self, id: str, path: Path, framed: bool, sound: Path | None = None, emotion: str | None = None, level: int | None = None
    ) -> None:
        super().__init__(id, emotion, level)
        self.path, self.framed, self.sound = path, framed, sound or path

    @cached_property
    def _length(self) -> int:
        from tbd.evaluation.clip_decoding import count_frames

        return count_frames(self.path).frames

    def frames(self) -> int:
        return self._length

    def audio(self) -> np.ndarray:
        from tbd.media import read_audio

        return read_audio(self.sound)

    def _first(self) -> FaceGeometry:
        from tbd.media import read_video

        return _locate(str(self.path), lambda: next(iter(read_video(self.path))))

    def face(self, size: int) -> FaceGeometry:
        from tbd.face.portrait import crop_portrait

        first = self._first()
        if not self.framed:
            return crop_portrait(first, size)
        return first.cropped(0, 0, resize(first.image, size), size / first.image.shape[1])

    def video(self, size: int, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        from tbd.face.portrait import portrait_crop
        from tbd.media import read_video

        points = None if self.framed else self._first().points
        for frame in among(read_video(self.path), numbers):
            yield resize(frame, size) if points is None else portrait_crop(frame, points, size)


def among(frames: Iterable[np.ndarray], numbers: np.ndarray | None) -> Iterator[np.ndarray]:
    """The frames of these numbers; all where None is given."""
    if numbers is None:
        yield from frames
        return
    wanted = set(map(int, numbers))
    yield from (frame for number, frame in enumerate(frames) if number in wanted)


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) uint8 → (size, size, 3)."""
    import cv2

    if image.shape[:2] == (size, size):
        return image
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if min(image.shape[:2]) > size else cv2.INTER_CUBIC)


class VideoReference(Reference):
    """Any folder of videos of talking faces, compared with themselves: each is said anew by its own first frame.

    Args:
        root: the folder. An emotion is read from a name of MEAD's form, ``M030_sad_3_001``.
        framed: see `FilmClip`.
    """

    def __init__(self, root: str, framed: bool = False) -> None:
        self.root, self.framed = Path(root), framed

    def clips(self) -> Sequence[ReferenceClip]:
        return [FilmClip(p.stem, p, self.framed, emotion=e, level=k) for p in self._files() for e, k in [read_label(p.stem)]]

    def content(self) -> str:
        return checksum_of_files(self._files(), self.root)

    def _files(self) -> list[Path]:
        from tbd.evaluation.predictions import VIDEOS

        found = sorted(p for p in self.root.glob("*") if p.suffix.lower() in VIDEOS) if self.root.is_dir() else []
        if not found:
            raise InputError(f"There are no videos in {self.root}; --reference is a folder of clips of talking faces.")
        return found


# ---------------------------------------------------------------------------------------------------------- portraits


class PortraitReference(Reference):
    """Zero-shot: every portrait of a folder says every recording with each of the eight emotions. There are no true frames.

    Args:
        root: a folder with ``portraits/`` (pictures) and ``speech/`` (recordings).
    """

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    def clips(self) -> Sequence[ReferenceClip]:
        pairs = [(picture, speech) for picture in self._listed("portraits") for speech in self._listed("speech")]
        clips = [PortraitClip(picture, speech, emotion) for picture, speech in pairs for emotion in EMOTIONS]
        return sorted(clips, key=lambda clip: clip.id)

    def content(self) -> str:
        return checksum_of_files([*self._listed("portraits"), *self._listed("speech")], self.root)

    def _listed(self, kind: str) -> list[Path]:
        folder = self.root / kind
        found = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")) if folder.is_dir() else []
        if not found:
            raise InputError(f"There is nothing in {folder}; --reference is a folder with portraits/ (pictures) and speech/ (recordings).")
        return found


class PortraitClip(ReferenceClip):
    """One portrait, one recording, one emotion."""

    def __init__(self, picture: Path, speech: Path, emotion: str) -> None:
        super().__init__(f"{picture.stem}_{speech.stem}_{emotion}", emotion)
        self.picture, self.speech = picture, speech

    @cached_property
    def _audio(self) -> np.ndarray:
        from tbd.media import read_audio

        return read_audio(self.speech)

    def audio(self) -> np.ndarray:
        return self._audio

    def frames(self) -> int:
        return -(-len(self._audio) * FPS // SAMPLE_RATE)

    def face(self, size: int) -> FaceGeometry:
        from tbd.face.portrait import crop_portrait
        from tbd.media import read_image

        return crop_portrait(_locate(str(self.picture), lambda: read_image(self.picture)), size)
