"""`TalkingHeadStream`: pieces of sound in, frames with their sound out."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from tbd.draw.motion.streaming import MotionStream
from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.face.render.renderer import DrawFrame, PreparedPortrait
from tbd.live.load import LoadShedder
from tbd.live.sound import SoundStream
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.think.plan import MusclePlan

_AHEAD = 3 * FPS
"""Frames that may wait for whoever takes them; then drawing waits, too."""
_UNREAD = 500
"""Pieces of sound that may wait to be drawn, ten seconds of a microphone's; then reading waits, too."""
_RELAXES = 0.85 / (0.5 * FPS)
"""How much of a portrait's own expression gives way within a frame when the plan changes: all of it in half a second."""


class StreamPiece(NamedTuple):
    """One frame and its sound.

    Args:
        frame: (H, W, 3) uint8 RGB; the very array of the piece before where it is that frame again, because the machine is too slow.
        audio: (N,) float32, the 40 ms of sound that belong to it, at the stream's `sample_rate`; fewer samples at the end.
    """

    frame: np.ndarray
    audio: np.ndarray


class _Job(NamedTuple):
    frame: "Future[np.ndarray] | None"
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
        workers: Frames that are drawn at the same time.
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
    ) -> None:
        self._chunks, self._motion, self._draw, self._head_motion = chunks, motion, draw, np.float32(head_motion)
        self._relaxation = relaxation if isinstance(draw, PreparedPortrait) else None
        self._relaxed = self._target = None if self._relaxation is None else self._relaxation(motion.plan)
        self._sound, self._next_plan = SoundStream(sample_rate), deque[MusclePlan](maxlen=1)
        self._pool, self._closed = ThreadPoolExecutor(workers), threading.Event()
        self._frame: np.ndarray  # the last one that was given out; the first frame is always drawn
        self.load = LoadShedder()
        self._pieces = self._in_real_time() if realtime else self._one_by_one()

    @property
    def sample_rate(self) -> int:
        """Samples a second of the sound that comes with the frames."""
        return self._sound.sample_rate

    def change(self, plan: MusclePlan) -> None:
        """Let another plan take over from the next frame on that is drawn, from any thread. Its clock starts then.

        Args:
            plan: The plan; half a second later nothing is left of the one before.
        """
        if not isinstance(plan, MusclePlan):
            raise InputError(f"The plan is of type {type(plan).__name__}; give a MusclePlan, as `think` does.")
        self._next_plan.append(plan)

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
            self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> "TalkingHeadStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _one_by_one(self) -> Iterator[StreamPiece]:
        waiting: deque[_Job] = deque()
        for jobs in self._jobs(self._chunks):
            waiting += jobs
            while len(waiting) > 2:
                yield self._finish(waiting.popleft())
        while waiting:
            yield self._finish(waiting.popleft())

    def _jobs(self, chunks: Iterable[Any]) -> Iterator[list[_Job]]:
        """The frames that each piece of sound makes possible, hop by hop."""
        for chunk in chunks:
            for samples in self._split(chunk):
                self._motion.feed(samples)
                while self._motion.ready():
                    yield self._hop(1, False)
        self._motion.feed(self._sound.finish())
        self._motion.finish()
        while self._motion.ready():
            yield self._hop(1, False)

    def _split(self, chunk: Any) -> Iterator[np.ndarray]:
        """What the model hears of a piece of sound, a second at a time."""
        samples, rate = chunk if isinstance(chunk, tuple) else (chunk, None)
        samples = np.asarray(samples)
        length = max(len(samples) if samples.ndim else 0, 1)
        for i in range(0, length, SAMPLE_RATE):
            yield self._sound.feed(samples[i : i + SAMPLE_RATE] if samples.ndim else samples, rate)

    def _hop(self, stride: int, cheaply: bool, hold: bool = False) -> list[_Job]:
        """Draw the motion of the next frames, and have those rendered that the stride asks for; none while the face stands still."""
        if self._next_plan:
            plan = self._next_plan.popleft()
            self._motion.change(plan)
            self._target = None if self._relaxation is None else self._relaxation(plan)
        first, jobs = self._motion.frames, []
        for i, values in enumerate(self._motion.hold() if hold else self._motion.draw(cheaply)):
            values[len(BLENDSHAPES) :] *= self._head_motion
            extra: tuple[float, ...] = ()
            if self._relaxed is not None and self._target is not None:
                self._relaxed += float(np.clip(self._target - self._relaxed, -_RELAXES, _RELAXES))
                extra = (self._relaxed,)
            drawn = self._pool.submit(self._draw, values, *extra) if (not hold and (first + i) % stride == 0) or first + i == 0 else None
            jobs.append(_Job(drawn, self._sound.next_frame()))
        return jobs

    def _finish(self, job: _Job) -> StreamPiece:
        """Wait for a frame; where none was drawn, the one before stays."""
        if job.frame is not None:
            self._frame = job.frame.result()
        return StreamPiece(self._frame, job.audio)

    def _in_real_time(self) -> Iterator[StreamPiece]:
        arrived: queue.Queue[Any] = queue.Queue(_UNREAD)
        jobs: queue.Queue[Any] = queue.Queue(_AHEAD)
        threads = [
            threading.Thread(target=self._read, args=(arrived,), daemon=True),
            threading.Thread(target=self._work, args=(arrived, jobs), daemon=True),
        ]
        for thread in threads:
            thread.start()
        while True:
            job = _get(jobs, self._closed)
            if job is None:
                return
            if isinstance(job, BaseException):
                raise job
            yield self._finish(job)

    def _read(self, arrived: "queue.Queue[Any]") -> None:
        """Take the sound as it comes, with the time at which it did."""
        try:
            for chunk in self._chunks:
                # who knows when it came says so: sound that has waited for the portrait to be prepared is late from the first frame on
                _put(arrived, (getattr(self._chunks, "arrived", None), chunk, time.monotonic()), self._closed)
                if self._closed.is_set():
                    return
            _put(arrived, None, self._closed)
        except BaseException as error:
            _put(arrived, error, self._closed)

    def _work(self, arrived: "queue.Queue[Any]", jobs: "queue.Queue[Any]") -> None:
        try:
            self._draw_as_it_comes(arrived, jobs)
            _put(jobs, None, self._closed)
        except BaseException as error:
            _put(jobs, error, self._closed)

    def _draw_as_it_comes(self, arrived: "queue.Queue[Any]", jobs: "queue.Queue[Any]") -> None:
        arrivals, submitted = _Arrivals(), deque[Future[np.ndarray]]()
        while not self._closed.is_set():
            item = _get(arrived, self._closed)
            if isinstance(item, BaseException):
                raise item
            if item is None:
                self._motion.feed(self._sound.finish())
                self._motion.finish()
            else:
                came, chunk, taken = item
                for samples in self._split(chunk):
                    self._motion.feed(samples)
                    arrivals.add(self._motion.samples, taken if came is None else came, exact=came is not None)
            while self._motion.ready() and not self._closed.is_set():
                while submitted and submitted[0].done():
                    submitted.popleft()
                due = arrivals.due(min(self._motion.needed, self._motion.samples))
                level = self.load.update(time.monotonic() - due, len(submitted) > self._motion.options.hop)
                for job in self._hop(*level):
                    if job.frame is not None:
                        submitted.append(job.frame)
                    _put(jobs, job, self._closed)
            if item is None:
                return


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


def _get(waiting: "queue.Queue[Any]", closed: threading.Event) -> Any:
    while not closed.is_set():
        try:
            return waiting.get(timeout=0.2)
        except queue.Empty:
            continue
    return None


def _put(waiting: "queue.Queue[Any]", item: Any, closed: threading.Event) -> None:
    while not closed.is_set():
        try:
            waiting.put(item, timeout=0.2)
            return
        except queue.Full:
            continue
