"""A portrait that a process of its own locates and prepares, and then draws, while a program is still importing what it needs."""

import os
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from tbd.face.framing import Frame, Framing, cut_face
from tbd.face.geometry import FaceGeometry
from tbd.face.render.renderer import SPEAKING, MeshWarpRenderer, PreparedPortrait
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.choice import FaceChoice
from tbd.live.forked import Pipes, serve_forked
from tbd.live.in_order import PATIENCE, most_processes
from tbd.live.render_worker import RenderWorker, WorkerEnded
from tbd.utils.jobs.head_start import HeadStart, pays_off

_YIELDS = 4
"""Niceness: where cores are scarce, the motion, which all frames wait for, comes first."""


class PortraitAhead:
    """Starts to locate a face of a picture, to prepare it for the mesh warp, and to wait for frames to draw. All ends with the program.

    It answers for nothing: where it fails, whoever asks finds the face, prepares it, and says by themselves what is wrong.

    Args:
        path: The picture.
        face: Which one of several faces.
        frame: What is shown, as in `Framing`; None for ``portrait``.
        aspect: Width and height.
        size: Pixels of the longer side.
        count: Processes that draw.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        face: FaceChoice,
        frame: Frame | None,
        aspect: tuple[float, float] | None,
        size: int | None,
        count: int,
    ) -> None:
        self._pipes = [Pipes() for _ in range(count)]
        self._start = HeadStart(_prepare, self._pipes, os.fspath(path), face, frame, aspect, size)
        for pipes in self._pipes:
            pipes.close_theirs()

    @cached_property
    def geometry(self) -> FaceGeometry | None:
        """The face in the whole picture, as `FaceMeshTracker` locates it: waited for when it is asked for.

        None where the file is no picture, shows no such face, or the process failed.
        """
        geometry: FaceGeometry | None = self._start.next()
        return geometry

    def workers(self) -> list[RenderWorker]:
        """Wait for the processes that draw the portrait, as a `MeshWarpRenderer` prepares it whose lips start closed and whose eyes open.

        Its own expression gives way where a frame says so. They can be asked for once.

        Returns:
            The processes; none where it failed.
        """
        workers, self._pipes = [RenderWorker(PATIENCE, pipes.process()) for pipes in self._pipes], []
        started = []
        for worker in workers:
            try:
                worker.await_start()
                started.append(worker)
            except WorkerEnded:
                worker.end()
        return started

    def close(self) -> None:
        """Let the processes end that nobody has asked for."""
        for pipes in self._pipes:
            pipes.close_ours()
        self._pipes = []
        self._start.close()


class PortraitElsewhere(PreparedPortrait):
    """A portrait that other processes have, and that is prepared here if a frame is to be drawn here all the same.

    Args:
        prepare: Prepares it.
    """

    def __init__(self, prepare: Callable[[], PreparedPortrait]) -> None:
        self._prepare = prepare

    @cached_property
    def _here(self) -> PreparedPortrait:
        return self._prepare()

    def __call__(self, values: np.ndarray, neutralize: float | None = None) -> np.ndarray:
        """Draw one frame; see `PreparedPortrait.__call__`."""
        return self._here(values, neutralize)

    def __reduce__(self) -> tuple[Any, ...]:
        return _same, (self._here,)


def prepare_ahead(
    path: str | os.PathLike, face: FaceChoice, frame: Frame | None, aspect: tuple[float, float] | None, size: int | None
) -> PortraitAhead | None:
    """Start to prepare a portrait that is drawn soon.

    Args:
        path: The picture.
        face: Which one of several faces.
        frame: What is shown, as in `Framing`; None for ``portrait``.
        aspect: Width and height.
        size: Pixels of the longer side.

    Returns:
        The portrait; None where nothing is gained by a head start, or processes are not forked.
    """
    if sys.platform != "linux" or not pays_off() or len(os.listdir("/proc/self/task")) > 1:
        return None  # OpenCV and others wait for ever, in a fork, for threads that the program had
    return PortraitAhead(path, face, frame, aspect, size, most_processes())


def _same(prepared: PreparedPortrait) -> PreparedPortrait:
    return prepared


def _prepare(
    pipes: list[Pipes], path: str, face: FaceChoice, frame: Frame | None, aspect: tuple[float, float] | None, size: int | None
) -> Iterator[FaceGeometry]:
    """In the process: find the face, prepare it, draw."""
    import cv2

    from tbd.media import VideoFrames, read_still_or_video

    for each in pipes:
        each.close_ours()
    os.nice(_YIELDS)
    cv2.setNumThreads(1)  # processes are the parallelism here; and a fork has no threads
    found = read_still_or_video(path)
    if isinstance(found, VideoFrames):
        return
    (picture,) = found
    geometry = FaceMeshTracker().locate(picture, path, face)
    yield geometry
    moving, _ = cut_face(geometry, Framing(frame or "portrait", aspect, size))
    serve_forked(MeshWarpRenderer(**SPEAKING).prepare(moving), pipes)
