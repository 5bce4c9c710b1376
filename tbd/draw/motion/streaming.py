"""Motion while somebody speaks: short windows, each continuing the one before, drawn as soon as their sound is there.

The model draws windows of 4.4 seconds of a whole recording. Here it draws windows of half a second: the past that it continues, a hop of
new frames, and a little beyond. What the sound does next it does not know beyond a short look-ahead; it is taken to be like what was. Of
frames that are drawn twice the noise is the same, and few denoising steps draw them, which costs the lips little (``docs/live.md`` has the
figures).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tbd import DEFAULT_SEED
from tbd.draw.guidance.base import Guidance
from tbd.draw.motion.idle import IdlePerformance
from tbd.draw.motion.pose_drift import PoseAnchor
from tbd.draw.motion.sampler import MotionSampler
from tbd.draw.motion.stream_windows import StreamWindow, lip_guidance, sample_windows
from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.speech.alignment import PHONES_PER_FRAME
from tbd.speech.streaming import PhoneStream, open_phone_stream
from tbd.speech.voice_gate import COLUMN, VoiceGate
from tbd.think.plan import MusclePlan
from tbd.think.succession import hand_over, rebase

_REBASED = 60.0
"""Seconds after which a plan's times are counted anew, so that they stay small however long the performance lasts."""


@dataclass(frozen=True)
class StreamingOptions:
    """How motion is drawn while somebody speaks. The sound of a frame must have come `hop + lookahead` frames ahead at most.

    Args:
        hop: Frames that are drawn at once, 1 to 25.
        lookahead: Frames of sound behind them that are waited for, 0 to 25.
        beyond: Frames of these that are drawn as well and thrown away, so that the last frame of a hop knows its surroundings.
        num_inference_steps: Denoising steps, 1 to 100.

    Raises:
        InputError: If a number is out of range.
    """

    hop: int = 4
    lookahead: int = 2
    beyond: int = 1
    num_inference_steps: int = 2

    def __post_init__(self) -> None:
        for name, low, high in (("hop", 1, 25), ("lookahead", 0, 25), ("beyond", 0, 25), ("num_inference_steps", 1, 100)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} of a stream is a whole number from {low} to {high}, not {value}.")

    @property
    def latency(self) -> float:
        """Seconds of sound, from the start of a frame on, that must be there before it is drawn."""
        return (self.hop + self.lookahead) / FPS


class MotionStream:
    """Draws the motion of a voice that is still speaking, in constant memory.

    Args:
        model: The motion model.
        plan: The muscle plan, its times in seconds from the start.
        seed: The same seed and the same sound give the same motion, however the sound is cut into pieces.
        options: How it is drawn.
        guidance: How the branches are combined; None for the model's own.
        idle: Adds idle motion; None: nothing is added.

    Example:
        >>> from tbd.draw.motion.loading import load_motion_model
        >>> stream = MotionStream(load_motion_model(), MusclePlan())
        >>> stream.feed(np.zeros(16000, np.float32))
        >>> stream.finish()
        >>> sum(len(stream.draw()) for _ in range(7))
        25
    """

    def __init__(
        self,
        model: MotionSampler,
        plan: MusclePlan,
        seed: int = DEFAULT_SEED,
        options: StreamingOptions | None = None,
        guidance: Guidance | None = None,
        idle: IdlePerformance | None = None,
    ) -> None:
        self.model, self.options, self._idle = model, options or StreamingOptions(), idle
        self.guidance = guidance or model.guidance
        recognizer = model.audio_encoder.recognizer
        self._phones: PhoneStream | None = None if recognizer is None else open_phone_stream(recognizer)
        self._gate = VoiceGate()
        self._generator = torch.Generator().manual_seed(seed)
        self._noise = torch.zeros(0, len(CHANNELS))  # of frames from `done` on
        self._past = torch.zeros(0, len(CHANNELS))
        self._sound = np.zeros(0, np.float32)
        self._first = 0  # number of the first sample that is kept
        self._recognized = 0  # samples whose phones are recognized, and of which it is known whether they are a voice's
        self.frames, self._finished = 0, False
        self._plan, self._origin, self._anchor = plan, 0.0, PoseAnchor(model.std.cpu().numpy())

    @property
    def plan(self) -> MusclePlan:
        """The plan that is carried out now; where others have taken over, with what is left of those before."""
        return self._plan

    @property
    def needed(self) -> int:
        """How many samples must have been fed before the next frames can be drawn."""
        return (self.frames + self.options.hop + self.options.lookahead) * SAMPLES_PER_FRAME

    @property
    def samples(self) -> int:
        """How many samples have been fed."""
        return self._first + len(self._sound)

    def feed(self, audio: np.ndarray) -> None:
        """Append sound.

        Args:
            audio: (N,) float32 samples at 16 kHz in −1..1, any number of them.
        """
        self._sound = np.concatenate([self._sound, audio])

    def finish(self) -> None:
        """Say that no sound follows: what is left is drawn without look-ahead, as before silence."""
        self._finished = True

    def change(self, plan: MusclePlan) -> None:
        """Let another plan take over from the next frame on that is drawn; see `tbd.think.succession.hand_over`.

        Args:
            plan: The plan, its times in seconds from then on.
        """
        self._plan = hand_over(self._plan, plan, self.frames / FPS - self._origin)

    def available(self) -> int:
        """Return of how many further frames the sound is there, look-ahead included."""
        if self._finished:
            return -(-self.samples // SAMPLES_PER_FRAME) - self.frames
        return max(self.samples // SAMPLES_PER_FRAME - self.options.lookahead - self.frames, 0)

    def ready(self) -> int:
        """Return how many frames `draw` would draw now: `hop`; fewer at the end of the sound, and none before."""
        count = min(self.available(), self.options.hop)
        return count if self._finished or count == self.options.hop else 0

    def draw(self, cheaply: bool = False) -> np.ndarray:
        """Draw the next frames whose sound is there.

        Args:
            cheaply: Whether to draw with `LipGuidance`, at about half the cost: what the plan asks for shows less strongly.

        Returns:
            (n, 58) float32, as `Motion` has them; n is what `ready` says.
        """
        count = self.ready()
        if count <= 0:
            return np.zeros((0, len(CHANNELS)), np.float32)
        window = self.window(count)
        (drawn,) = sample_windows(self.model, [window], self.guidance_for(cheaply), self.options.num_inference_steps)
        return self.accept(drawn)

    def guidance_for(self, cheaply: bool) -> Guidance:
        """Return what the next frames are drawn with; see `draw`."""
        return lip_guidance(getattr(self.guidance, "audio_scale", 1.0)) if cheaply else self.guidance

    def window(self, count: int, length: int | None = None) -> StreamWindow:
        """Make what a model needs to draw the next frames, for `sample_windows`; what that draws `accept` takes.

        Args:
            count: How many frames: at most what is `available`.
            length: How many frames the window has behind the past, if more than `count`, so that it is as long as other streams'
                windows; `beyond` frames come on top.

        Returns:
            The window.
        """
        if self.frames / FPS - self._origin > _REBASED:
            self._rebase()
        past, length = len(self._past), length or count
        frames = length + self.options.beyond
        audio, phones = self._window(self.frames - past, past + frames, (self.frames + length + self.options.lookahead) * SAMPLES_PER_FRAME)
        self._draw_noise(frames)
        noise = torch.cat([torch.zeros(past, len(CHANNELS)), self._noise[:frames]])
        return StreamWindow(audio, phones, self._plan, (self.frames - past) / FPS - self._origin, self._past, noise, count)

    def hold(self, count: int | None = None) -> np.ndarray:
        """Let the face stand still for the next frames whose sound is there, at next to no cost: a machine has fallen far behind.

        Args:
            count: How many frames; None for what is `ready`.

        Returns:
            (n, 58) float32, the last frame again.
        """
        count = self.ready() if count is None else count
        if count <= 0:
            return np.zeros((0, len(CHANNELS)), np.float32)
        self._recognize(min(self.samples, (self.frames + count + self.options.lookahead) * SAMPLES_PER_FRAME))
        self._draw_noise(count)
        last = self._past[-1:] if len(self._past) else torch.zeros(1, len(CHANNELS))
        return self.accept(last.repeat(count, 1))

    def accept(self, drawn: Tensor) -> np.ndarray:
        """Go on to the frames behind those that were drawn: what no later window reads is forgotten.

        Args:
            drawn: (n, 58) what was drawn of a `window`.

        Returns:
            (n, 58) float32, what a face does of them.
        """
        values = drawn.numpy().copy()
        np.clip(values[:, : len(BLENDSHAPES)], 0, 1, out=values[:, : len(BLENDSHAPES)])
        values = self._anchor(values, self._plan)
        if self._idle is not None:
            values = self._idle(values, self._plan, self.frames / FPS - self._origin)
        self._past = torch.cat([self._past, drawn])[-self.model.past_frames :]
        self._noise = self._noise[len(drawn) :]
        self.frames += len(drawn)
        first = max(self.frames - self.model.past_frames - self.model.audio_encoder.context, 0) * SAMPLES_PER_FRAME
        if first > self._first:
            self._sound, self._first = self._sound[first - self._first :], first
        return values

    def _window(self, start: int, length: int, needed: int) -> tuple[Tensor, Tensor | None]:
        """The sound of a window with the encoder's context, and its phones; of what is not known yet the sound is the past's, mirrored."""
        context = self.model.audio_encoder.context
        known = min(self.samples, needed)
        low, high = (start - context) * SAMPLES_PER_FRAME, (start + length + context) * SAMPLES_PER_FRAME
        out = np.zeros(high - low, np.float32)
        first, last = max(low, self._first), min(high, known)
        out[first - low : last - low] = self._sound[first - self._first : last - self._first]
        if high > known and not self._finished:
            mirrored = out[: known - low][::-1][: high - known]
            out[known - low : known - low + len(mirrored)] = mirrored
        columns = (start - context) * PHONES_PER_FRAME, (start + length + context) * PHONES_PER_FRAME
        self._recognize(known)
        gains = self._gate.gains(*columns)
        sound = torch.from_numpy(out * np.repeat(gains, COLUMN))[None].to(self.model.device)
        if self._phones is None:
            return sound, None
        track = np.where(gains > 0.5, self._phones.track(*columns), 0).astype(np.uint8)
        if self._finished:
            track[max(-(-known * PHONES_PER_FRAME // SAMPLES_PER_FRAME) - columns[0], 0) :] = 0
        return sound, torch.from_numpy(track)[None].to(self.model.device)

    def _recognize(self, known: int) -> None:
        """Recognize on to sample number `known`: never further, or the phones would depend on how the sound is cut into pieces."""
        if known > self._recognized:
            passage = self._sound[self._recognized - self._first : known - self._first]
            self._gate.feed(passage)
            if self._phones is not None:
                self._phones.feed(passage)
            self._recognized = known

    def _draw_noise(self, count: int) -> None:
        missing = count - len(self._noise)
        if missing > 0:
            self._noise = torch.cat([self._noise, torch.randn(missing, len(CHANNELS), generator=self._generator)])

    def _rebase(self) -> None:
        seconds = self.frames / FPS
        self._plan = rebase(self._plan, seconds - self._origin)
        self._origin = seconds
