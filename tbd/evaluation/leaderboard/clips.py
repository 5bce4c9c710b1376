"""Clips of a row for the board's page: small, of the same moments as the other rows', with their sound.

benchmarks/leaderboard/<PROTOCOL>/<ROW>/<CLIP>.mp4
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tbd.errors import InputError
from tbd.evaluation.predictions import find_videos, read_predictions
from tbd.evaluation.protocol import load_protocol, protocol_names
from tbd.evaluation.references.base import build_reference, read_label
from tbd.think.emotions import EMOTIONS

COUNT = 3
"""Clips of each row, unless somebody asks for more or fewer."""
SIDE = 192
"""Pixels of their square frames."""
_CRF = 29
_SHOWN_FIRST = ("happy", "angry", "sad", "surprised", "fear", "disgusted", "contempt", "neutral")
"""Emotions that differ most at a glance come first."""


def save_clips(predictions: Path, folder: Path, protocol: str, count: int = COUNT, table: str | os.PathLike | None = None) -> list[Path]:
    """Write small copies of some of a row's videos, in place of those that it had.

    Args:
        predictions: Folder of the row's videos.
        folder: Folder of the copies; it holds nothing else.
        protocol: Id of the row's protocol. Where tbd ships it with its clips, names are matched to them as an evaluation does.
        count: Number of clips; 0 takes away what there was.
        table: Which video is which clip's, as for `read_predictions`.

    Returns:
        The files.

    Raises:
        InputError: If there are no videos.
    """
    videos = _by_clip(predictions, protocol, table)
    if not videos:
        raise InputError(f"There are no videos in {predictions} to take clips from.")
    written = [folder / f"{clip}.mp4" for clip in choose_clips(sorted(videos), count)]
    if folder.is_dir():
        shutil.rmtree(folder)
    for path in written:
        _shrink(videos[path.stem], path)
    return written


def choose_clips(clips: Sequence[str], count: int) -> list[str]:
    """Choose clips to show: one of each emotion, at the highest level that there is, and of another speaker each time.

    Args:
        clips: Ids, sorted.
        count: Number of clips.

    Returns:
        At most `count` ids; the same for every row over the same clips.

    Example:
        >>> choose_clips(["a_x_happy_1", "a_x_happy_3", "a_x_sad_3", "b_y_sad_3", "c"], 2)
        ['a_x_happy_3', 'b_y_sad_3']
    """
    labels = {clip: read_label(clip) for clip in clips}
    order = {emotion: number for number, emotion in enumerate((*_SHOWN_FIRST, *(e for e in EMOTIONS if e not in _SHOWN_FIRST)))}
    chosen: list[str] = []
    while len(chosen) < min(count, len(clips)):
        emotions = [labels[clip][0] for clip in chosen]
        speakers = [clip.split("_")[:2] for clip in chosen]

        def rank(clip: str, emotions: list = emotions, speakers: list = speakers) -> tuple:
            emotion, level = labels[clip]
            shown = emotions.count(emotion), order.get(emotion or "", len(order))
            return (*shown, -(level or 0), speakers.count(clip.split("_")[:2]), clip)

        chosen.append(min((clip for clip in clips if clip not in chosen), key=rank))
    return chosen


def clips_of(folder: Path) -> dict[str, Path]:
    """List a row's clips.

    Args:
        folder: The row's folder.

    Returns:
        Clip → file.
    """
    return {path.stem: path for path in sorted(folder.glob("[!.]*.mp4"))}


def _by_clip(predictions: Path, protocol: str, table: str | os.PathLike | None) -> dict[str, Path]:
    if protocol in protocol_names():
        try:
            ids = [clip.id for clip in build_reference(load_protocol(protocol).reference, None).clips()]
        except InputError:  # its clips are in a folder that we do not know
            ids = []
        if ids:
            return {clip: found.video for clip, found in read_predictions(predictions, ids, table).clips.items()}
    return {video.stem: video for video in find_videos(predictions)}


def _shrink(video: Path, target: Path) -> None:
    """Code a video again, small; what its container says of its origin stays."""
    from tbd.evaluation.clip_decoding import square
    from tbd.media import VideoWriter, read_audio, read_video, video_info
    from tbd.media.rates import SAMPLE_RATE

    try:
        sound = read_audio(video)
    except InputError:
        sound = None
    target.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(target, sound, SAMPLE_RATE, video_info(video).metadata, _CRF, "veryslow", keyframes=25) as writer:
        for frame in read_video(video):
            writer.write(square(frame, SIDE))
