"""`tbd study build`: a folder with a page of pairs and videos without names, and the key to it.

study/index.html            the page; it opens from the disk or from any web space
study/videos/<TOKEN>.mp4    videos of one size and rate, without anything that says who made them
study.key.json              which is whose; beside the folder, not in it
"""

import json
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.clip_decoding import square
from tbd.evaluation.predictions import find_videos, read_predictions
from tbd.evaluation.study.key import Shown, StudyKey
from tbd.media.rates import SAMPLE_RATE
from tbd.utils.atomic import atomic_output

QUESTION = "Which face looks more like a real person who means what is said?"
_CRF = 20


class Study(NamedTuple):
    """What was built.

    Args:
        page: The page.
        key: The file of the key.
        clips: Number of clips.
        trials: Number of pairs that there are to compare.
    """

    page: Path
    key: Path
    clips: int
    trials: int


def build_study(
    methods: Mapping[str, Path],
    output: Path,
    clips: Sequence[str] | None = None,
    questions: Sequence[str] = (QUESTION,),
    trials: int = 30,
    repeats: int = 2,
    size: int = 384,
    most_clips: int | None = None,
    allow_same: bool = False,
    progress: Callable[[Sequence[tuple[str, str]]], Iterable[tuple[str, str]]] = iter,
) -> Study:
    """Write a study.

    Args:
        methods: Name of a method → the folder of its videos.
        output: An empty folder.
        clips: Ids of clips that videos are matched to, as an evaluation does; None for the names that all folders share.
        questions: What raters are asked of each pair.
        trials: Number of pairs that one rater compares, drawn so that all pairs of methods come as often.
        repeats: Number of these that come again at the end with their sides exchanged, to see whether answers hold.
        size: Pixels of the square videos.
        most_clips: Number of clips, evenly chosen; None for all.
        allow_same: Whether raters may say that neither is better.
        progress: Wraps what is worked on, such as a progress bar.

    Returns:
        The files and numbers.

    Raises:
        InputError: If there are fewer than two methods, they share no clip, or the folder is not empty.
    """
    if len(methods) < 2:
        raise InputError("A study compares two methods or more; give --predictions NAME=FOLDER for each.")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output} is not empty; name a new folder for the study.")
    videos = {name: _videos(folder, clips) for name, folder in methods.items()}
    shared = sorted(set.intersection(*(set(found) for found in videos.values())))
    if not shared:
        raise InputError(f"The folders of {', '.join(methods)} share no clip; give --protocol, by which names are matched.")
    if most_clips is not None:
        shared = [shared[i] for i in np.unique(np.linspace(0, len(shared) - 1, min(most_clips, len(shared))).round().astype(int))]
    key = StudyKey(study=secrets.token_hex(6), questions=list(questions), methods=list(methods), videos={})
    tokens: dict[tuple[str, str], str] = {}
    try:
        for name, clip in progress([(name, clip) for clip in shared for name in methods]):
            token = tokens[name, clip] = secrets.token_hex(8)
            key.videos[token] = Shown(method=name, clip=clip)
            _write_video(videos[name][clip], [videos[other][clip] for other in methods], output / "videos" / f"{token}.mp4", size)
    except BaseException:
        shutil.rmtree(output, ignore_errors=True)  # a study is whole or not there
        raise
    pairs = [[tokens[a, clip], tokens[b, clip], number] for clip in shared for number, (a, b) in enumerate(combinations(methods, 2))]
    secrets.SystemRandom().shuffle(pairs)
    settings = {
        "study": key.study,
        "questions": key.questions,
        "pairs": pairs,
        "trials": trials,
        "repeats": min(repeats, trials),
        "same": allow_same,
    }
    with atomic_output(output / "index.html") as temporary:
        temporary.write_text(_page(settings), encoding="utf-8")
    path = output.with_name(f"{output.name}.key.json")
    key.save(path)
    return Study(output / "index.html", path, len(shared), len(pairs))


def _videos(folder: Path, clips: Sequence[str] | None) -> dict[str, Path]:
    if clips is not None:
        return {clip: found.video for clip, found in read_predictions(folder, clips).clips.items()}
    found = {video.stem: video for video in find_videos(folder)}
    if not found:
        raise InputError(f"There are no videos in {folder}.")
    return found


def _write_video(video: Path, others: Sequence[Path], target: Path, size: int) -> None:
    """Code a video anew: one size, rate and sound for all, and no tags."""
    from tbd.media import VideoWriter, read_video

    note = {"comment": "One side of a comparison of talking heads; what it shows may be AI-generated.", "title": "Comparison"}
    with VideoWriter(target, _sound([video, *others]), SAMPLE_RATE, note, _CRF, "medium") as writer:
        for frame in read_video(video):
            writer.write(square(frame, size))


def _sound(videos: Sequence[Path]) -> np.ndarray | None:
    """The first sound that there is: a method that writes none shall not be known by that."""
    from tbd.media import read_audio

    for video in videos:
        try:
            return read_audio(video)
        except InputError:
            continue
    return None


def _page(settings: dict) -> str:
    assets = files("tbd") / "assets" / "study"
    parts = {name: (assets / f"page.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    data = json.dumps(settings).replace("<", "\\u003c")
    return Template(parts["html"]).substitute(style=parts["css"].rstrip(), script=parts["js"].rstrip(), data=data)
