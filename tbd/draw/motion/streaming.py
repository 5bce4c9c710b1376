"""Motion while somebody speaks: short windows, each continuing the one before, drawn as soon as their sound is there.

The model draws windows of 4.4 seconds of a whole recording. Here it draws windows of half a second: the past that it continues, a hop of
new frames, and a little beyond. What the sound does next it does not know beyond a short look-ahead; it is taken to be like what was. Of
frames that are drawn twice the noise is the same, and few denoising steps draw them, which costs the lips little (``docs/live.md`` has the
figures).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tbd import DEFAULT_SEED
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.guidance.base import COND, COND_NO_AUDIO, Branch, Guidance, over_regions, weighted, within
from tbd.draw.motion.idle import IdlePerformance
from tbd.draw.motion.sampler import MotionSampler
from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, CHANNELS
from tbd.media.rates import FPS, SAMPLES_PER_FRAME
from tbd.speech.alignment import PHONES_PER_FRAME
from tbd.speech.streaming import PhoneStream, open_phone_stream
from tbd.think.plan import MusclePlan
from tbd.think.succession import hand_over, rebase

_CROSSFADE = 2
"""Frames over which a hop's difference to the past fades out. Where hops are short, a longer fade would never let go of the past: a
smile that a plan ends would stay for seconds."""
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


class LipGuidance(Guidance):
    """The voice's scale on the lower face, and all else as trained: half the branches, for a machine that is short of time.

    Args:
        audio_scale: Strength of the audio in the lower face; 1 is as trained.

    Example:
        >>> LipGuidance(1.0).branches(0.0) == (COND,)
        True
    """

    scale_names = ("audio_scale",)

    def __init__(self, audio_scale: float = 1.5) -> None:
        self.audio_scale = audio_scale

    def branches(self, progress: float) -> tuple[Branch, ...]:
        """Name the wanted branches; see `Guidance.branches`."""
        return (COND,) if self.audio_scale == 1 else (COND, COND_NO_AUDIO)

    def __call__(self, preds: Mapping[Branch, Tensor], progress: float, masks: Tensor | None = None) -> Tensor:
        """Combine the predictions of one step; see `Guidance.__call__`."""
        more = over_regions(within(["lower"], self.audio_scale - 1, 0.0), preds[COND], masks)
        return weighted(preds, {COND: 1 + more, COND_NO_AUDIO: -more})


class MotionStream:
    """Draws the motion of a voice that is still speaking, in constant memory.

    Args:
        model: The motion model.
        plan: The muscle plan, its times in seconds from the start.
        seed: The same seed and the same sound give the same motion, however the sound is cut into pieces.
        options: How it is drawn.
        guidance: How the branches are combined; None for the model's own.
        idle: Adds glances and lopsidedness; None: nothing is added.

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
        self._generator = torch.Generator().manual_seed(seed)
        self._noise = torch.zeros(0, len(CHANNELS))  # of frames from `done` on
        self._past = torch.zeros(0, len(CHANNELS))
        self._sound = np.zeros(0, np.float32)
        self._first = 0  # number of the first sample that is kept
        self._recognized = 0  # samples whose phones are recognized
        self.frames, self._finished = 0, False
        self._plan, self._origin, self._tensors = plan, 0.0, PlanTensors.collate([plan]).to(model.device)

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
        self._set_plan(hand_over(self._plan, plan, self.frames / FPS - self._origin))

    def ready(self) -> int:
        """Return how many frames `draw` would draw now, 0 to `hop`."""
        if self._finished:
            return min(self.options.hop, -(-self.samples // SAMPLES_PER_FRAME) - self.frames)
        return self.options.hop if self.samples >= self.needed else 0

    @torch.inference_mode()
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
        if self.frames / FPS - self._origin > _REBASED:
            self._rebase()
        past, beyond = len(self._past), self.options.beyond
        start, length = self.frames - past, past + count + beyond
        sound, phones = self._window(start, length)
        self._draw_noise(count + beyond)
        drawn = self.model.sample_window(
            sound,
            self._tensors.shifted(torch.tensor([start / FPS - self._origin], device=self.model.device)),
            past=self._past[None].to(self.model.device) if past else None,
            guidance=self._cheap_guidance() if cheaply else self.guidance,
            num_inference_steps=self.options.num_inference_steps,
            noise=torch.cat([torch.zeros(past, len(CHANNELS)), self._noise[: count + beyond]])[None],
            phones=phones,
            crossfade_frames=_CROSSFADE,
        )[0, past : past + count].float().cpu()  # fmt: skip
        return self._advance(drawn)

    def hold(self) -> np.ndarray:
        """Let the face stand still for the next frames whose sound is there, at next to no cost: a machine has fallen far behind.

        Returns:
            (n, 58) float32, the last frame again.
        """
        count = self.ready()
        if count <= 0:
            return np.zeros((0, len(CHANNELS)), np.float32)
        self._recognize(min(self.samples, self.needed))
        self._draw_noise(count)
        last = self._past[-1:] if len(self._past) else torch.zeros(1, len(CHANNELS))
        return self._advance(last.repeat(count, 1))

    def _advance(self, drawn: Tensor) -> np.ndarray:
        """Go on to the frames behind (n, 58) drawn ones: what no later window reads is forgotten. Returns what a face does of them."""
        values = drawn.numpy().copy()
        np.clip(values[:, : len(BLENDSHAPES)], 0, 1, out=values[:, : len(BLENDSHAPES)])
        if self._idle is not None:
            values = self._idle(values, self._plan, self.frames / FPS - self._origin)
        self._past = torch.cat([self._past, drawn])[-self.model.past_frames :]
        self._noise = self._noise[len(drawn) :]
        self.frames += len(drawn)
        first = max(self.frames - self.model.past_frames - self.model.audio_encoder.context, 0) * SAMPLES_PER_FRAME
        if first > self._first:
            self._sound, self._first = self._sound[first - self._first :], first
        return values

    def _window(self, start: int, length: int) -> tuple[Tensor, Tensor | None]:
        """The sound of a window with the encoder's context, and its phones; of what is not known yet the sound is the past's, mirrored."""
        context = self.model.audio_encoder.context
        known = min(self.samples, self.needed)
        low, high = (start - context) * SAMPLES_PER_FRAME, (start + length + context) * SAMPLES_PER_FRAME
        out = np.zeros(high - low, np.float32)
        first, last = max(low, self._first), min(high, known)
        out[first - low : last - low] = self._sound[first - self._first : last - self._first]
        if high > known and not self._finished:
            mirrored = out[: known - low][::-1][: high - known]
            out[known - low : known - low + len(mirrored)] = mirrored
        sound = torch.from_numpy(out)[None].to(self.model.device)
        if self._phones is None:
            return sound, None
        columns = (start - context) * PHONES_PER_FRAME, (start + length + context) * PHONES_PER_FRAME
        self._recognize(known)
        track = self._phones.track(*columns)
        if self._finished:
            track[max(-(-known * PHONES_PER_FRAME // SAMPLES_PER_FRAME) - columns[0], 0) :] = 0
        return sound, torch.from_numpy(track)[None].to(self.model.device)

    def _recognize(self, known: int) -> None:
        """Recognize on to sample number `known`: never further, or the phones would depend on how the sound is cut into pieces."""
        if self._phones is not None and known > self._recognized:
            self._phones.feed(self._sound[self._recognized - self._first : known - self._first])
            self._recognized = known

    def _draw_noise(self, count: int) -> None:
        missing = count - len(self._noise)
        if missing > 0:
            self._noise = torch.cat([self._noise, torch.randn(missing, len(CHANNELS), generator=self._generator)])

    def _cheap_guidance(self) -> Guidance:
        return LipGuidance(getattr(self.guidance, "audio_scale", 1.0))

    def _rebase(self) -> None:
        seconds = self.frames / FPS
        self._set_plan(rebase(self._plan, seconds - self._origin))
        self._origin = seconds

    def _set_plan(self, plan: MusclePlan) -> None:
        self._plan, self._tensors = plan, PlanTensors.collate([plan]).to(self.model.device)
