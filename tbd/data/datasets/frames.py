"""`FrameReader`: single frames of a prepared video, without decoding the rest.

A reader is opened where it is used, in a loader's worker: decord that was opened before a fork hangs in it (dmlc/decord#294).
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tbd.errors import InputError, first_line
from tbd.media.lazy_frame import LazyFrame
from tbd.media.rates import FPS


class FrameReader(ABC):
    """Reads frames by their numbers. It keeps nothing open between calls, so it can be sent to any process."""

    @abstractmethod
    def read(self, path: str | os.PathLike, frames: Sequence[int]) -> np.ndarray:
        """Read frames of a video of 25 frames a second.

        Args:
            path: The video.
            frames: Their numbers, in any order, repeats included.

        Returns:
            (F, H, W, 3) uint8 RGB.

        Raises:
            InputError: If the file is missing or damaged, or has no such frame.
        """


class DecordReader(FrameReader):
    """decord: as fast as PyAV for a run of neighbouring frames, slower for scattered ones (`benchmarks/results/data.md`).

    One thread, since loaders have workers. There are no wheels for arm64.
    """

    def read(self, path: str | os.PathLike, frames: Sequence[int]) -> np.ndarray:
        """See `FrameReader.read`.

        Args:
            path: The video.
            frames: Frame numbers, in any order.

        Returns:
            (F, H, W, 3) uint8 RGB.
        """
        # decord hands its libraries to all that is loaded later: PyAV after it would code with decord's own, older libvpx, and fail
        import av  # noqa: F401
        import decord

        try:
            video = decord.VideoReader(str(path), num_threads=1)
            _require_there(path, frames, len(video))
            return video.get_batch(np.asarray(frames, np.int64)).asnumpy()
        except (RuntimeError, decord.DECORDError) as error:
            raise InputError(f"{path} cannot be read as video ({first_line(error)}); prepare the clip again.") from error


class PyAVReader(FrameReader):
    """PyAV, going from keyframe to keyframe: on every platform, and twice as fast as decord for frames that lie apart."""

    def read(self, path: str | os.PathLike, frames: Sequence[int]) -> np.ndarray:
        """See `FrameReader.read`.

        Args:
            path: The video.
            frames: Frame numbers, in any order.

        Returns:
            (F, H, W, 3) uint8 RGB.
        """
        import av

        wanted = sorted(set(map(int, frames)))
        found: dict[int, np.ndarray] = {}
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "NONE"
                _require_there(path, wanted, stream.frames)
                start, unit = stream.start_time or 0, float(stream.time_base or 0)
                at = -1
                decoding: Iterator[av.VideoFrame] = iter(())
                for number in wanted:
                    if at < 0 or number > at + _NEAR:
                        container.seek(start + round(number / FPS / unit), stream=stream)
                        decoding = container.decode(stream)
                    for frame in decoding:
                        at = round(((frame.pts or 0) - start) * unit * FPS)
                        if at >= number:
                            found[number] = LazyFrame(frame)[:, :]
                            break
        except (av.FFmpegError, OSError, IndexError) as error:
            raise InputError(f"{path} cannot be read as video ({error}); prepare the clip again.") from error
        if len(found) < len(wanted):
            raise InputError(f"{path} ends before frame {max(wanted)}; prepare the clip again.")
        return np.stack([found[int(number)] for number in frames])


_NEAR = 4
"""Frames ahead up to which decoding on is cheaper than looking for a keyframe, of which prepared videos have one in five."""


def _require_there(path: str | os.PathLike, frames: Sequence[int], count: int) -> None:
    wrong = [n for n in frames if not 0 <= n < count]
    if wrong:
        raise InputError(f"{path} has {count} frames; there is no frame {wrong[0]}.")


class VideoClips:
    """The videos of the clips of a DataModule.

    Args:
        paths: One a clip; None where it has no video.
        count: Number of frames of a window, evenly spread over it.
        reader: How frames are read; by PyAV where not given.
    """

    def __init__(self, paths: Sequence[Path | None], count: int, reader: FrameReader | None = None) -> None:
        self.paths, self.count, self.reader = list(paths), count, reader or PyAVReader()

    def read(self, clips: Sequence[int], starts: Sequence[int], lengths: Sequence[int], frames: int) -> tuple[Tensor, Tensor]:
        """Read frames of windows.

        Args:
            clips: B indices into `paths`.
            starts: The windows' first frames.
            lengths: The clips' numbers of frames; beyond its end a clip shows its last one.
            frames: T of the windows.

        Returns:
            (B, F, 3, H, W) uint8, and (B, F) int64 frame numbers within the window.

        Raises:
            InputError: If a clip has no video, or its file cannot be read.
        """
        places = torch.linspace(0, frames - 1, self.count).round().long()
        pictures = []
        for clip, start, length in zip(clips, starts, lengths):
            path = self.paths[clip]
            if path is None:
                raise InputError(f"Clip number {clip} has no video of the wanted size; prepare it with that size.")
            pictures.append(self.reader.read(path, (places + start).clamp(max=length - 1).tolist()))
        return torch.from_numpy(np.stack(pictures)).permute(0, 1, 4, 2, 3), places.expand(len(pictures), -1)
