"""HDTF as it is downloaded: whatever videos are still to be had, and the authors' annotation files with their irregularities."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tbd.data.records import ClipRecord
from tbd.data.sources.base import RawClip, RawSource, Scan
from tbd.data.sources.files import VIDEO_SUFFIXES, RawFile, walk
from tbd.errors import InputError

SUBSETS = ("RD", "WDA", "WRA")


@dataclass
class Annotation:
    """What HDTF's files say of one video.

    Args:
        intervals: Start and end of each clip in seconds.
        resolution: Height in pixels that the boxes were measured at; 0 where it is not given.
        boxes: Clip → left, top and width of its square.
        zooms: Clip → how much larger than the merged face box its crop is.
    """

    intervals: list[tuple[float, float]] = field(default_factory=list)
    resolution: int = 0
    boxes: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    zooms: dict[int, float] = field(default_factory=dict)


def read_annotations(folder: Path, problems: dict[str, str]) -> dict[str, Annotation]:
    """Read the annotation files of HDTF's repository (``RD_annotion_time.txt`` and so on, spelt like that).

    Args:
        folder: The folder that holds them.
        problems: Gets an entry for each line that cannot be used.

    Returns:
        Video, such as ``WDA_KatieHill`` → its annotation.

    Raises:
        InputError: If none of the files is there.
    """
    annotations: dict[str, Annotation] = {}
    subsets = [s for s in SUBSETS if (folder / f"{s}_annotion_time.txt").is_file()]
    if not subsets:
        raise InputError(f"{folder} holds no {SUBSETS[0]}_annotion_time.txt; --annotations names HDTF_dataset of HDTF's repository.")
    for subset in subsets:
        for video, _ in _lines(folder / f"{subset}_video_url.txt"):
            annotations.setdefault(f"{subset}_{video}", Annotation())
        for video, values in _lines(folder / f"{subset}_annotion_time.txt"):
            entry = annotations.setdefault(f"{subset}_{video}", Annotation())
            for value in values:
                interval = _interval(value)
                if interval is None:
                    problems[f"{subset}_{video}"] = f"the interval {value!r} is none"
                else:
                    entry.intervals.append(interval)
        for video, values in _lines(folder / f"{subset}_resolution.txt"):
            if f"{subset}_{video}" in annotations:
                annotations[f"{subset}_{video}"].resolution = int(values[0]) if values and values[0].isdigit() else 0
        for clip, values in _lines(folder / f"{subset}_crop_wh.txt"):
            video, _, index = clip.rpartition("_")
            if f"{subset}_{video}" in annotations and len(values) == 4 and index.isdigit():
                left, width, top, height = map(int, values)  # in this order
                annotations[f"{subset}_{video}"].boxes[int(index)] = (left, top, min(width, height))
        for clip, values in _lines(folder / f"{subset}_crop_ratio.txt"):
            video, _, index = clip.rpartition("_")
            if f"{subset}_{video}" in annotations and values and index.isdigit():
                annotations[f"{subset}_{video}"].zooms[int(index)] = float(values[0])
    problems.update({video: "no interval is annotated; left out" for video, entry in annotations.items() if not entry.intervals})
    return annotations


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """First word without ``.mp4``, and the others; of a missing file nothing. A byte-order mark is dropped."""
    if path.is_file():
        for line in path.read_text(encoding="utf-8-sig").splitlines():
            words = line.split()
            if words:
                yield words[0].removesuffix(".mp4"), words[1:]


def _interval(text: str) -> tuple[float, float] | None:
    """``00:35-02:45`` or ``1:00:35-1:02:45`` → seconds.

    Example:
        >>> _interval("00:35-02:45")
        (35.0, 165.0)
    """
    if not re.fullmatch(r"(\d+:)?\d+:\d+-(\d+:)?\d+:\d+", text):
        return None
    start, end = (sum(float(n) * 60**i for i, n in enumerate(reversed(time.split(":")))) for time in text.split("-"))
    return (start, end) if end > start else None


class HDTFSource(RawSource):
    """HDTF (Zhang et al., CVPR 2021): any part of its videos, with its annotation files.

    Args:
        root: The folder of the download: videos (``WDA_KatieHill.mp4``, ``KatieHill.mp4``), or clips already cut
            (``WDA_KatieHill_000.mp4``), anywhere below.
        annotations: The folder of HDTF's annotation files (``RD_annotion_time.txt`` …).
    """

    default_splits = "hdtf_person"

    def __init__(self, root: str, annotations: str) -> None:
        self.root, self.annotations = Path(root), Path(annotations)

    def scan(self, skip: Path | None = None) -> Scan:
        """See `RawSource.scan`."""
        scan = Scan()
        annotations = read_annotations(self.annotations, scan.problems)
        short = {name.split("_", 1)[1]: name for name in annotations}
        clips: dict[str, RawClip] = {}
        videos = set()
        for file in walk(self.root, scan.problems, skip):
            if not file.name.lower().endswith(VIDEO_SUFFIXES):
                continue
            stem = Path(file.name).stem
            video, index = _named(stem, annotations, short)
            if video is None:
                scan.problems[file.name] = "no video of HDTF is called so; left out"
                continue
            videos.add(video)
            for raw in self._clips(video, annotations[video], file, index):
                clips.setdefault(raw.record.clip, raw)
        if not clips:
            raise InputError(
                f"{self.root} holds no video that HDTF's annotations name, such as {next(iter(annotations))}.mp4; "
                "for other videos there is `tbd preprocess folder`."
            )
        scan.clips = [clips[name] for name in sorted(clips)]
        boxless = [f"{v}_{i:03d}" for v, a in sorted(annotations.items()) for i in range(len(a.intervals)) if i not in a.boxes]
        uncut = [clip for clip in boxless if clip in clips and clips[clip].end is not None]
        scan.problems.update({clip: "no crop row; the face is looked for in the whole picture" for clip in uncut})
        scan.counts = {"clips": len(clips), "videos": len(videos), "videos annotated": len(annotations),
                       "clips annotated": sum(len(a.intervals) for a in annotations.values()),
                       "clips annotated without a crop row": len(boxless)}  # fmt: skip
        return scan

    @classmethod
    def video_of(cls, clip: str) -> str:
        """Name the recording of a clip: ``WDA_AmyKlobuchar1_002`` is cut from ``WDA_AmyKlobuchar1``."""
        return clip.rsplit("_", 1)[0]

    @classmethod
    def person_of(cls, video: str) -> str:
        """Name the person of a recording: its name without subset and running number.

        Args:
            video: The recording.

        Returns:
            The person. RD's speakers are unnamed, so each recording is a person of its own.

        Example:
            >>> HDTFSource.person_of("WDA_AmyKlobuchar1"), HDTFSource.person_of("RD_Radio11")
            ('AmyKlobuchar', 'RD_Radio11')
        """
        subset, _, name = video.partition("_")
        return video if subset == "RD" else re.sub(r"\d+$", "", name)

    def _clips(self, video: str, annotation: Annotation, file: RawFile, index: int | None) -> Iterator[RawClip]:
        """Yield the clips of a file: all of its intervals, or the one that it already is."""
        if index is not None:
            yield RawClip(self._record(video, index, file), file, zoom=annotation.zooms.get(index, 1.2))
            return
        for i, (start, end) in enumerate(annotation.intervals):
            box, zoom = annotation.boxes.get(i), annotation.zooms.get(i, 1.2)
            yield RawClip(self._record(video, i, file), file, None, start, end, box, annotation.resolution, zoom)

    def _record(self, video: str, index: int, file: RawFile) -> ClipRecord:
        return self.record(file, f"{video}_{index:03d}", self.person_of(video), video, number=index)


def _named(stem: str, annotations: dict[str, Annotation], short: dict[str, str]) -> tuple[str | None, int | None]:
    """Video and, where the file is one of its clips, the clip's index."""
    base, _, index = stem.rpartition("_")
    for name, number in ((stem, None), (base, int(index) if index.isdigit() else None)):
        if name in annotations or name in short:
            return (name if name in annotations else short[name]), number
    return None, None
