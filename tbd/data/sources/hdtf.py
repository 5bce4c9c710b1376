"""HDTF as it is downloaded: whatever videos are still to be had, and the authors' annotation files with their irregularities."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tbd.data.preprocess.cache import ClipRecord
from tbd.data.sources.base import VIDEO_SUFFIXES, RawClip, RawFile, RawSource, Scan, walk
from tbd.data.sources.naming import hdtf_person
from tbd.errors import InputError

SUBSETS = ("RD", "WDA", "WRA")


@dataclass
class Annotation:
    """What HDTF's files say of one video.

    Args:
        intervals: start and end of each clip in seconds.
        resolution: the height in pixels that the boxes were measured at; 0 where it is not told.
        boxes: clip → left, top, side.
        zooms: clip → how much larger than the merged face box its crop is.
    """

    intervals: list[tuple[float, float]] = field(default_factory=list)
    resolution: int = 0
    boxes: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    zooms: dict[int, float] = field(default_factory=dict)


def read_annotations(folder: Path, problems: dict[str, str]) -> dict[str, Annotation]:
    """The annotation files of HDTF's repository (``RD_annotion_time.txt`` and so on, spelt like that).

    Args:
        folder: holds them.
        problems: gets an entry for each line that cannot be used.

    Returns:
        ``WDA_KatieHill`` → what is said of it.

    Raises:
        InputError: none of the files is there.
    """
    told: dict[str, Annotation] = {}
    subsets = [s for s in SUBSETS if (folder / f"{s}_annotion_time.txt").is_file()]
    if not subsets:
        raise InputError(f"{folder} holds no {SUBSETS[0]}_annotion_time.txt; --annotations names HDTF_dataset of HDTF's repository.")
    for subset in subsets:
        for video, _ in _lines(folder / f"{subset}_video_url.txt"):
            told.setdefault(f"{subset}_{video}", Annotation())
        for video, values in _lines(folder / f"{subset}_annotion_time.txt"):
            entry = told.setdefault(f"{subset}_{video}", Annotation())
            for value in values:
                interval = _interval(value)
                if interval is None:
                    problems[f"{subset}_{video}"] = f"the interval {value!r} is none"
                else:
                    entry.intervals.append(interval)
        for video, values in _lines(folder / f"{subset}_resolution.txt"):
            if f"{subset}_{video}" in told:
                told[f"{subset}_{video}"].resolution = int(values[0]) if values and values[0].isdigit() else 0
        for clip, values in _lines(folder / f"{subset}_crop_wh.txt"):
            video, _, index = clip.rpartition("_")
            if f"{subset}_{video}" in told and len(values) == 4 and index.isdigit():
                left, width, top, height = map(int, values)  # in this order
                told[f"{subset}_{video}"].boxes[int(index)] = (left, top, min(width, height))
        for clip, values in _lines(folder / f"{subset}_crop_ratio.txt"):
            video, _, index = clip.rpartition("_")
            if f"{subset}_{video}" in told and values and index.isdigit():
                told[f"{subset}_{video}"].zooms[int(index)] = float(values[0])
    problems.update({video: "no interval is annotated; left out" for video, entry in told.items() if not entry.intervals})
    return told


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
    """Any part of HDTF's videos with all of its annotations.

    Args:
        root: videos as they were downloaded (``WDA_KatieHill.mp4``, ``KatieHill.mp4``), or clips already cut
            (``WDA_KatieHill_000.mp4``), anywhere below.
        annotations: the folder of the annotation files.
    """

    name = "hdtf"

    def __init__(self, root: str, annotations: str) -> None:
        self.root, self.annotations = Path(root), Path(annotations)

    def scan(self, skip: Path | None = None) -> Scan:
        scan = Scan()
        told = read_annotations(self.annotations, scan.problems)
        short = {name.split("_", 1)[1]: name for name in told}
        clips: dict[str, RawClip] = {}
        videos = set()
        for file in walk(self.root, scan.problems, skip):
            if not file.name.lower().endswith(VIDEO_SUFFIXES):
                continue
            stem = Path(file.name).stem
            video, index = _named(stem, told, short)
            if video is None:
                scan.problems[file.name] = "no video of HDTF is called so; left out"
                continue
            videos.add(video)
            for raw in _clips(video, told[video], file, index):
                clips.setdefault(raw.record.clip, raw)
        if not clips:
            raise InputError(
                f"{self.root} holds no video that HDTF's annotations name, such as {next(iter(told))}.mp4; "
                "for other videos there is `tbd preprocess folder`."
            )
        scan.clips = [clips[name] for name in sorted(clips)]
        boxless = [f"{v}_{i:03d}" for v, a in sorted(told.items()) for i in range(len(a.intervals)) if i not in a.boxes]
        uncut = [clip for clip in boxless if clip in clips and clips[clip].end is not None]
        scan.problems.update({clip: "no crop row; the face is looked for in the whole picture" for clip in uncut})
        scan.counts = {"clips": len(clips), "videos": len(videos), "videos annotated": len(told),
                       "clips annotated": sum(len(a.intervals) for a in told.values()),
                       "clips annotated without a crop row": len(boxless)}  # fmt: skip
        return scan


def _named(stem: str, told: dict[str, Annotation], short: dict[str, str]) -> tuple[str | None, int | None]:
    """Video and, where the file is one of its clips, the clip's index."""
    base, _, index = stem.rpartition("_")
    for name, number in ((stem, None), (base, int(index) if index.isdigit() else None)):
        if name in told or name in short:
            return (name if name in told else short[name]), number
    return None, None


def _clips(video: str, told: Annotation, file: RawFile, index: int | None) -> Iterator[RawClip]:
    """The clips of a file: all of its intervals, or the one that it already is."""
    if index is not None:
        yield RawClip(_record(video, index, file), file, zoom=told.zooms.get(index, 1.2))
        return
    for i, (start, end) in enumerate(told.intervals):
        box = told.boxes.get(i)
        yield RawClip(_record(video, i, file), file, None, start, end, box, told.resolution, told.zooms.get(i, 1.2))


def _record(video: str, index: int, file: RawFile) -> ClipRecord:
    return ClipRecord(
        clip=f"{video}_{index:03d}",
        source="hdtf",
        person=hdtf_person(video),
        video=video,
        number=index,
        origin=file.name,
        origin_bytes=file.size,
    )
