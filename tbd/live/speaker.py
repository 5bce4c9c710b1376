"""`Speaker`: a performance in real time, between the thread that reads its sound and whoever takes its frames."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import Tensor

from tbd.draw.motion.stream_windows import StreamWindow
from tbd.face.render.renderer import DrawFrame
from tbd.live.performance import Job, Performance
from tbd.live.render_processes import RenderPool
from tbd.media.rates import FPS, SAMPLE_RATE

_AHEAD = 3 * FPS
"""Frames that may wait for whoever takes them; then drawing waits, too."""
_IN_TIME = 0.2
"""Seconds after its motion within which the rendering of a frame begins; one that is still waiting then is left out."""
_UNREAD = 500
"""Pieces of sound that may wait to be drawn, ten seconds of a microphone's; then reading waits, too."""


class Speaker:
    """Somebody who speaks: sound waits here to be drawn, and frames to be shown. `tbd.live.scheduler.LiveScheduler` draws.

    Args:
        performance: What is drawn.
    """

    def __init__(self, performance: Performance) -> None:
        self.performance = performance
        self.closed = threading.Event()
        """Set when nobody wants anything of this speaker any more."""
        self.over = False
        """Whether all has been drawn, or nothing can be."""
        self._arrived: queue.Queue[Any] = queue.Queue(_UNREAD)
        self._jobs: queue.SimpleQueue[Job | BaseException | None] = queue.SimpleQueue()
        self._arrivals, self._submitted = _Arrivals(), deque["Future[np.ndarray | None]"]()
        self._ending = self._ended = False

    # -- the thread that reads ---------------------------------------------------------------------------------------------

    def read(self, chunks: Iterable[Any], notify: Callable[[], None]) -> None:
        """Take the sound as it comes, with the time at which it did.

        Args:
            chunks: Pieces of sound; see `tbd.live.talking_head.TalkingHeadStream`.
            notify: Is called when there is more.
        """
        try:
            for chunk in chunks:
                # who knows when it came says so: sound that has waited for the portrait to be prepared is late from the first frame on
                self._put((getattr(chunks, "arrived", None), chunk, time.monotonic()))
                notify()
                if self.closed.is_set():
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)
        notify()

    def _put(self, item: Any) -> None:
        while not self.closed.is_set():
            try:
                self._arrived.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    # -- who takes frames --------------------------------------------------------------------------------------------------

    def next_job(self) -> Job | None:
        """Wait for the next frame.

        Returns:
            The frame; None when there will be no more.
        """
        while not self.closed.is_set():
            try:
                job = self._jobs.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(job, BaseException):
                raise job
            return job
        return None

    def close(self) -> None:
        """Let nothing more be drawn."""
        self.closed.set()
        for future in [*self._submitted]:
            future.cancel()

    # -- the scheduler's thread --------------------------------------------------------------------------------------------

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Let an error of the block be this speaker's alone, raised where its frames are taken."""
        try:
            yield
        except BaseException as error:
            self.fail(error)

    def fail(self, error: BaseException | None) -> None:
        """End with an error, or with None, as all has been drawn."""
        if not self.over:
            self.over = True
            self._jobs.put(error)

    @property
    def available(self) -> int:
        """Of how many frames the sound is there."""
        return self.performance.motion.available()

    @property
    def is_due(self) -> bool:
        """Whether the sound of a whole hop is there, or the last."""
        return self.performance.motion.ready() > 0

    @property
    def has_waited(self) -> bool:
        """Whether it has been for a frame at least, or none follows that could be waited for."""
        return self._ended or self.available > self.performance.motion.options.hop

    @property
    def has_room(self) -> bool:
        """Whether more frames may wait."""
        return self._jobs.qsize() + 2 * self.performance.motion.options.hop <= _AHEAD

    @property
    def waits(self) -> bool:
        """Whether more than a hop's frames are still to be rendered."""
        while self._submitted and self._submitted[0].done():
            self._submitted.popleft()
        return len(self._submitted) > self.performance.motion.options.hop

    def take(self) -> None:
        """Take over what sound has come, but not much more than is drawn next: the rest waits outside."""
        if self.closed.is_set():
            self.over = True
        motion = self.performance.motion
        while not self._ending and not self.over and motion.available() < 2 * motion.options.hop:
            try:
                item = self._arrived.get_nowait()
            except queue.Empty:
                break
            if isinstance(item, BaseException):
                raise item
            if item is None:
                self._ending = True
            else:
                came, chunk, taken = item
                for samples in self.performance.feed(chunk):
                    self._arrivals.add(samples, taken if came is None else came, exact=came is not None)
        if self._ending and not self._ended and not motion.ready():  # what has its look-ahead is drawn before
            self.performance.finish()
            self._ended = True
        if self._ended and motion.available() <= 0:
            self.fail(None)

    def late(self, now: float) -> float:
        """Return how many seconds ago the sound of the next hop was there; negative where it is still to come."""
        motion = self.performance.motion
        return now - self._arrivals.due(min(motion.needed, motion.samples))

    def wanted(self, is_late: bool) -> int:
        """Return how many frames are drawn next: those of a hop, or of two for who has fallen behind."""
        motion = self.performance.motion
        return min(self.available, motion.options.hop * (2 if is_late else 1))

    def window(self, count: int, length: int) -> StreamWindow:
        """Make the window of the next frames; see `tbd.draw.motion.streaming.MotionStream.window`."""
        self.performance.take_plan()
        return self.performance.motion.window(count, length)

    def accept(self, drawn: Tensor, pool: RenderPool, stride: int) -> None:
        """Have the frames of a window rendered.

        Args:
            drawn: (n, 58) its motion.
            pool: Renders.
            stride: Every how many frames one is.
        """
        self._pass_on(self.performance.motion.accept(drawn), pool, stride)

    def hold(self, count: int, pool: RenderPool) -> None:
        """Let the face stand still for some frames, of which none is rendered."""
        self.performance.take_plan()
        self._pass_on(self.performance.motion.hold(count), pool, hold=True)

    def _pass_on(self, values: np.ndarray, pool: RenderPool, stride: int = 1, hold: bool = False) -> None:
        first = self.performance.motion.frames == len(values)
        by = float("inf") if first else time.monotonic() + _IN_TIME

        def submit(draw: DrawFrame, *args: Any) -> "Future[np.ndarray | None]":
            future = pool.draw(by, draw, *args)
            self._submitted.append(future)
            return future

        if not self.closed.is_set():
            for job in self.performance.jobs(values, submit, stride, hold):
                self._jobs.put(job)


class _Arrivals:
    """When sound was there, but not before it could have been spoken: what a pipe pours in at once is not late."""

    def __init__(self) -> None:
        self._times: deque[tuple[int, float]] = deque()
        self._start = float("nan")

    def add(self, samples: int, time: float, exact: bool = False) -> None:
        """Note that `samples` in all were there at `time`; where that is exact, they were spoken then."""
        if np.isnan(self._start):
            self._start = time - samples / SAMPLE_RATE
        self._times.append((samples, time if exact else max(time, self._start + samples / SAMPLE_RATE)))

    def due(self, samples: int) -> float:
        """Return when the first `samples` were there."""
        while len(self._times) > 1 and self._times[0][0] < samples:
            self._times.popleft()
        return self._times[0][1] if self._times else float("inf")
