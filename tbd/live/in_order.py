"""The frames of a motion, drawn in processes of their own while the motion is still being sampled."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from tbd.face.render.renderer import PreparedPortrait
from tbd.live.render_processes import RenderProcesses, can_start_processes
from tbd.live.render_worker import RenderWorker
from tbd.utils.jobs.threads import usable_cores

MOST = 8
"""Processes that draw one video: beyond these the motion or the encoder is what takes long."""
PATIENCE = 60.0
"""Seconds for one frame: a large one on a machine that is busy, or that slept."""
_ENDED = "A process that draws frames has ended unexpectedly; its frames are drawn anew, which takes longer."


class FrameRenderer:
    """Draws the frames of one motion after the other, several at the same time.

    Args:
        processes: Draw the frames.
    """

    def __init__(self, processes: RenderProcesses) -> None:
        self._processes = processes

    def render(self, draw: PreparedPortrait, values: Iterable[np.ndarray], *args: Any) -> Iterator[np.ndarray]:
        """Draw frames.

        Args:
            draw: Draws a frame.
            values: (58,) of each frame, which may still be sampled.
            args: What else `draw` takes.

        Yields:
            An array (H, W, 3) uint8 RGB for each, in order; few are waiting at a time.
        """
        self._processes.load(draw)  # unless they have it
        most = max(self._processes.count, 1)
        waiting: deque[Future[np.ndarray]] = deque()
        pool = ThreadPoolExecutor(most, "tbd-frames")
        try:
            for number, frame in enumerate(values):
                if number == 0:
                    self._processes.wait()  # or the first frames would be drawn here, in the way of the motion
                waiting.append(pool.submit(self._processes.render, draw, frame, *args))
                if len(waiting) > 2 * most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def frame_renderer(
    count: int | None = None, draw: PreparedPortrait | None = None, adopted: Sequence[RenderWorker] = ()
) -> Iterator[FrameRenderer]:
    """Let processes draw frames; they end with the block.

    Args:
        count: How many; None for one on each core, 0 for none: then frames are drawn here. They are the same pictures.
        draw: The portrait that `adopted` have.
        adopted: Processes to take instead of starting any.

    Yields:
        What draws the frames.

    Example:
        >>> from tbd.face.motion import Motion
        >>> from tbd.face.portrait import crop_portrait
        >>> from tbd.face.render.renderer import MeshWarpRenderer
        >>> from tbd.face.tracker import FaceMeshTracker
        >>> from tbd.media import read_image
        >>> from tbd.utils.sample_inputs import PORTRAIT
        >>> portrait = crop_portrait(FaceMeshTracker().locate(read_image(PORTRAIT)), 64)
        >>> with frame_renderer(0) as frames:
        ...     [frame.shape for frame in frames.render(MeshWarpRenderer().prepare(portrait), Motion.zeros(2).values)]
        [(64, 64, 3), (64, 64, 3)]
    """
    with RenderProcesses(most_processes() if count is None else count, PATIENCE, _ENDED) as processes:
        if draw is not None and adopted:
            processes.adopt(draw, adopted)
        yield FrameRenderer(processes)


def most_processes() -> int:
    """Return how many processes draw one video: one on each core, where any can be started."""
    return min(usable_cores(), MOST) if can_start_processes() else 0
