"""Sample frames of a row: one small strip of pictures from its videos."""

from pathlib import Path

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.predictions import find_videos
from tbd.think.emotions import EMOTIONS
from tbd.utils.atomic import atomic_output

COUNT = len(EMOTIONS)
"""Clips shown: one of each emotion where their names have it, else evenly chosen."""
_SIDE = 96
"""Pixels of a picture."""
_PLACE = 0.55
"""Of a clip, where the picture is taken: expressions have come, and rarely gone."""


def save_samples(predictions: Path, path: Path) -> None:
    """Write a strip of `COUNT` pictures as JPEG.

    Args:
        predictions: A folder of videos.
        path: The ``.jpg``.

    Raises:
        InputError: If there are no videos.
    """
    from PIL import Image

    videos = find_videos(predictions)
    if not videos:
        raise InputError(f"There are no videos in {predictions} to take sample frames from.")
    strip = np.concatenate([frame_at(video, _PLACE) for video in choose(videos)], 1)
    with atomic_output(path) as temporary:
        Image.fromarray(strip).save(temporary, quality=82, optimize=True)


def choose(videos: list[Path]) -> list[Path]:
    """Choose at most `COUNT` videos: the first of each emotion, at the highest level that there is."""
    from tbd.evaluation.references.base import read_label

    best: dict[str, Path] = {}
    level: dict[str, int] = {}
    for video in videos:
        emotion, strength = read_label(video.stem)
        if emotion is not None and (strength or 0) > level.get(emotion, -1):
            best[emotion], level[emotion] = video, strength or 0
    if len(best) >= COUNT:
        return [best[emotion] for emotion in sorted(best)][:COUNT]
    return [videos[i] for i in np.unique(np.linspace(0, len(videos) - 1, COUNT).round().astype(int))]


def frame_at(video: Path, place: float) -> np.ndarray:
    """Read one frame of a video.

    Args:
        video: The file.
        place: Where in the video, 0..1.

    Returns:
        (96, 96, 3) uint8.
    """
    from tbd.evaluation.clip_decoding import count_frames
    from tbd.evaluation.references.frames import resize, select_frames
    from tbd.media import read_video

    number = int(place * max(count_frames(video).frames - 1, 0))
    return resize(next(select_frames(read_video(video), np.array([number]))), _SIDE)
