"""`TalkingHeadStream`: pieces of sound in, frames with their sound out."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from tbd.draw.motion.streaming import MotionStream
from tbd.face.render.renderer import DrawFrame
from tbd.live.performance import Job, Performance
from tbd.live.scheduler import LiveScheduler
from tbd.live.speaker import Speaker
from tbd.media.rates import SAMPLE_RATE
from tbd.think.plan import MusclePlan


class StreamPiece(NamedTuple):
    """One frame and its sound.

    Args:
        frame: (H, W, 3) uint8 RGB; the very array of the piece before where it is that frame again, because the machine is too slow.
        audio: (N,) float32, the 40 ms of sound that belong to it, at the stream's `sample_rate`; fewer samples at the end.
    """

    frame: np.ndarray
    audio: np.ndarray


class TalkingHeadStream:
    """An iterator of frames and their sound, as `tbd.pipeline.TalkingHeadPipeline.stream` opens it.

    Two kinds of time. Without `realtime` each piece of sound is taken when frames are asked for, all frames are drawn, and the same
    sound gives the same frames. With it a thread takes the sound as it comes, frames are drawn at once, and where the machine cannot
    keep up fewer of them are (see `tbd.live.load`): there are always 25 pieces a second, and their delay does not grow.

    Args:
        chunks: Pieces of sound, (N,) or (N, C), or pairs of one and its sample rate. Closed with the stream if it has ``close``; if it has
            ``arrived``, that is when the piece that it gave last had come, by `time.monotonic`.
        motion: Draws the motion.
        draw: Draws a frame of it.
        relaxation: Plan → how far the portrait's own expression gives way to it; None for a renderer that takes no such number.
        sample_rate: Samples a second of the pieces.
        head_motion: Factor on the head's movements.
        realtime: Whether the sound comes as it is spoken.
        workers: Frames that are rendered at the same time, without `realtime`.
        scheduler: In real time, draws this face together with others; None: one of its own.
    """

    def __init__(
        self,
        chunks: Iterable[Any],
        motion: MotionStream,
        draw: DrawFrame,
        relaxation: Callable[[MusclePlan], float] | None = None,
        sample_rate: int = SAMPLE_RATE,
        head_motion: float = 1.0,
        realtime: bool = False,
        workers: int = 2,
        scheduler: LiveScheduler | None = None,
    ) -> None:
        self._chunks, self._workers = chunks, workers
        self._scheduler, self._own_scheduler = LiveScheduler() if scheduler is None else scheduler, scheduler is None
        self._performance = Performance(motion, draw, relaxation, sample_rate, head_motion)
        self._speaker, self._closed = Speaker(self._performance), threading.Event()
        self._frame: np.ndarray  # the last one that was given out; the first frame is always drawn
        self._pieces = self._in_real_time() if realtime else self._one_by_one()

    @property
    def sample_rate(self) -> int:
        """Samples a second of the sound that comes with the frames."""
        return self._performance.sample_rate

    def change(self, plan: MusclePlan) -> None:
        """Let another plan take over from the next frame on that is drawn, from any thread. Its clock starts then.

        Args:
            plan: The plan; half a second later nothing is left of the one before.

        Raises:
            InputError: If it is none.
        """
        self._performance.change(plan)

    def __iter__(self) -> Iterator[StreamPiece]:
        return self

    def __next__(self) -> StreamPiece:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop: nothing goes on behind a stream that is closed."""
        if not self._closed.is_set():
            self._closed.set()
            with suppress(ValueError):  # a generator that another thread runs ends with it
                getattr(self._chunks, "close", lambda: None)()
            self._leave()

    def _leave(self) -> None:
        self._speaker.close()
        self._scheduler.leave(self._speaker)
        if self._own_scheduler:
            self._scheduler.close()

    def __enter__(self) -> "TalkingHeadStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _one_by_one(self) -> Iterator[StreamPiece]:
        waiting: deque[Job] = deque()
        with ThreadPoolExecutor(self._workers) as pool:
            try:
                for jobs in self._jobs(pool):
                    waiting += jobs
                    while len(waiting) > 2:
                        yield self._finish(waiting.popleft())
                while waiting:
                    yield self._finish(waiting.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _jobs(self, pool: ThreadPoolExecutor) -> Iterator[list[Job]]:
        """The frames that each piece of sound makes possible, hop by hop."""
        performance = self._performance

        def hops() -> Iterator[list[Job]]:
            while performance.motion.ready():
                performance.take_plan()
                yield performance.jobs(performance.motion.draw(), pool.submit)

        for chunk in self._chunks:
            for _ in performance.feed(chunk):
                yield from hops()
        performance.finish()
        yield from hops()

    def _finish(self, job: Job) -> StreamPiece:
        """Wait for a frame; where none was drawn, the one before stays."""
        if job.frame is not None and (frame := job.frame.result()) is not None:
            self._frame = frame
        return StreamPiece(self._frame, job.audio)

    def _in_real_time(self) -> Iterator[StreamPiece]:
        self._scheduler.join(self._speaker)
        threading.Thread(target=self._speaker.read, args=(self._chunks, self._scheduler.notify), daemon=True).start()
        try:
            while (job := self._speaker.next_job()) is not None:
                self._scheduler.notify()  # there is room for another frame
                yield self._finish(job)
        except CancelledError:  # the stream was closed while somebody waited for its next frame
            return
        finally:
            self._leave()
