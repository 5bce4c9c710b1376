"""The frames of a video, drawn by the mesh warp while the motion is still being sampled."""

import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tbd.face.motion import Motion
from tbd.face.render.renderer import MeshWarpRenderer, PreparedPortrait
from tbd.live.in_order import FrameRenderer, frame_renderer
from tbd.live.portrait_ahead import PortraitAhead, PortraitElsewhere
from tbd.subject import Still
from tbd.utils.jobs.ahead import ahead

if TYPE_CHECKING:
    from rich.console import Console

    from tbd.face.geometry import FaceGeometry
    from tbd.think import MusclePlan

T = TypeVar("T")

_WORTH = 75 * 512**2
"""Pixels of a video from which on processes of its own draw it: to start them takes as long as to draw 30 frames at 512²."""


class SampledMotion:
    """The motion of a voice, as it is sampled, and kept.

    Args:
        windows: Pieces of it, one after the other.
        head_motion: Factor on the head's movements.
        metadata: Of the whole.
    """

    def __init__(self, windows: Iterator[Motion], head_motion: float, metadata: dict[str, object]) -> None:
        self._windows, self._head_motion, self._metadata = windows, head_motion, metadata
        self._pieces: list[np.ndarray] = []

    def frames(self) -> Generator[np.ndarray, None, None]:
        """Sample.

        Yields:
            (58,) of each frame that was not sampled before, within what a face can do.
        """
        for window in self._windows:
            window.head[:] *= self._head_motion
            self._pieces.append(window.values)
            yield from window.clamped().values

    def whole(self) -> Motion:
        """Sample what was not sampled before.

        Returns:
            All of the motion.
        """
        for _ in self.frames():
            pass
        return Motion(np.concatenate(self._pieces), self._metadata)


def frames_of_plan(
    still: Still,
    plan: "MusclePlan",
    motion: Iterator[np.ndarray],
    total: int,
    prepared: PortraitAhead | None = None,
    renderer: FrameRenderer | None = None,
) -> Generator[np.ndarray, None, None]:
    """Draw a picture in motion by the mesh warp that fits a plan. The motion is sampled ahead, in a thread.

    Args:
        still: Who speaks.
        plan: The emotions and muscles.
        motion: (58,) of each frame.
        total: How many there will be.
        prepared: The portrait, where processes have it, or will.
        renderer: Draws the frames; None for one of their own.

    Yields:
        (H, W, 3) uint8 RGB frames.
    """
    from tbd.pipeline import relaxation, warp_renderer  # which imports torch, and a motion that is given needs none

    with ExitStack() as stack:
        sampled = stack.enter_context(closing(ahead(motion)))

        def prepare() -> PreparedPortrait:
            return warp_renderer(plan).prepare(still.face)

        workers = [] if prepared is None else prepared.workers()
        draw = PortraitElsewhere(prepare) if workers else prepare()
        count = processes_for(still.face, total)
        if renderer is None or workers or count == 0:
            renderer = stack.enter_context(frame_renderer(count, draw, workers))
        for frame in renderer.render(draw, sampled, relaxation(plan)):
            yield still.complete(frame)


def warped_frames(still: Still, motion: Motion) -> Generator[np.ndarray, None, None]:
    """Draw a picture in motion by the mesh warp, its own expression as it is.

    Args:
        still: Who moves.
        motion: T frames.

    Yields:
        T frames (H, W, 3) uint8 RGB.
    """
    draw = MeshWarpRenderer().prepare(still.face)
    with frame_renderer(processes_for(still.face, len(motion))) as renderer:
        for frame in renderer.render(draw, motion.clamped().values):
            yield still.complete(frame)


def processes_for(face: "FaceGeometry", frames: int) -> int | None:
    """Choose how many processes draw a video.

    Args:
        face: The part that moves.
        frames: Frames of the video.

    Returns:
        As for `frame_renderer`.
    """
    height, width = face.image.shape[:2]
    return None if height * width * frames >= _WORTH else 0


def wait_for_first(items: Iterable[T], console: "Console", what: str) -> Iterator[T]:
    """Say what is waited for until the first item is there.

    Args:
        items: Such as frames.
        console: Where to say it.
        what: What is being done.

    Returns:
        The same items.
    """
    rest = iter(items)
    with console.status(what):
        first = next(rest)
    return chain([first], rest)


def save_motion(motion: SampledMotion, path: str | os.PathLike | None) -> None:
    """Write a motion, where that is wanted.

    Args:
        motion: The motion; what was not sampled before is sampled.
        path: The file; None for none.
    """
    if path is not None:
        motion.whole().save(path)
