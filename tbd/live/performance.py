"""`Performance`: one face that talks: its sound, its motion, and the frames that are drawn of it."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np

from tbd.draw.motion.streaming import MotionStream
from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.face.render.renderer import DrawFrame, PreparedPortrait
from tbd.live.sound import SoundStream
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.think.plan import MusclePlan

_RELAXES = 0.85 / (0.5 * FPS)
"""How much of a portrait's own expression gives way within a frame when the plan changes: all of it in half a second."""


class Job(NamedTuple):
    """A frame that is being drawn, and its sound.

    Args:
        frame: Gives the frame, or None as it was too late for it; None where none is drawn. Then the one before stays.
        audio: (N,) float32 samples.
    """

    frame: "Future[np.ndarray | None] | None"
    audio: np.ndarray


class Performance:
    """A face that talks, whoever says when its frames are drawn.

    Args:
        motion: Draws the motion.
        draw: Draws a frame of it.
        relaxation: Plan → how far the portrait's own expression gives way to it; None for a renderer that takes no such number.
        sample_rate: Samples a second of the sound.
        head_motion: Factor on the head's movements.
    """

    def __init__(
        self,
        motion: MotionStream,
        draw: DrawFrame,
        relaxation: Callable[[MusclePlan], float] | None = None,
        sample_rate: int = SAMPLE_RATE,
        head_motion: float = 1.0,
    ) -> None:
        self.motion, self.renderer, self._head_motion = motion, draw, np.float32(head_motion)
        self._relaxation = relaxation if isinstance(draw, PreparedPortrait) else None
        self._relaxed = self._target = None if self._relaxation is None else self._relaxation(motion.plan)
        self._sound, self._next_plan = SoundStream(sample_rate), deque[MusclePlan](maxlen=1)

    @property
    def sample_rate(self) -> int:
        """Samples a second of the sound that comes with the frames."""
        return self._sound.sample_rate

    def change(self, plan: MusclePlan) -> None:
        """Let another plan take over, from any thread; see `tbd.live.talking_head.TalkingHeadStream.change`.

        Args:
            plan: The plan.

        Raises:
            InputError: If it is none.
        """
        if not isinstance(plan, MusclePlan):
            raise InputError(f"The plan is of type {type(plan).__name__}; give a MusclePlan, as `think` does.")
        self._next_plan.append(plan)

    def feed(self, chunk: Any) -> Iterator[int]:
        """Take a piece of sound in, a second at a time.

        Args:
            chunk: Samples, or a pair of them and their rate.

        Yields:
            How many samples the motion has been fed in all, after each second.
        """
        samples, rate = chunk if isinstance(chunk, tuple) else (chunk, None)
        samples = np.asarray(samples)
        length = max(len(samples) if samples.ndim else 0, 1)
        for i in range(0, length, SAMPLE_RATE):
            self.motion.feed(self._sound.feed(samples[i : i + SAMPLE_RATE] if samples.ndim else samples, rate))
            yield self.motion.samples

    def finish(self) -> None:
        """Say that no sound follows."""
        self.motion.feed(self._sound.finish())
        self.motion.finish()

    def take_plan(self) -> None:
        """Let the plan take over that was given last, if any has been since the last frames; before each hop."""
        if self._next_plan:
            plan = self._next_plan.popleft()
            self.motion.change(plan)
            self._target = None if self._relaxation is None else self._relaxation(plan)

    def jobs(
        self, values: np.ndarray, submit: "Callable[..., Future[np.ndarray | None]]", stride: int = 1, hold: bool = False
    ) -> list[Job]:
        """Have the frames of a motion rendered.

        Args:
            values: (n, 58) the newest frames of the motion.
            submit: Calls a function, perhaps in another thread.
            stride: Every how many frames one is drawn.
            hold: Whether none is, since the face stands still.

        Returns:
            A job for each.
        """
        first, out = self.motion.frames - len(values), []
        for i, frame in enumerate(values):
            frame[len(BLENDSHAPES) :] *= self._head_motion
            extra: tuple[float, ...] = ()
            if self._relaxed is not None and self._target is not None:
                self._relaxed += float(np.clip(self._target - self._relaxed, -_RELAXES, _RELAXES))
                extra = (self._relaxed,)
            wanted = (not hold and (first + i) % stride == 0) or first + i == 0  # the first is always drawn
            out.append(Job(submit(self.renderer, frame, *extra) if wanted else None, self._sound.next_frame()))
        return out
