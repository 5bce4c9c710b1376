"""Scales, seed and size of a video, and the command line that draws the same one."""

import os
import shlex
from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import Any

from tbd import DEFAULT_SEED, MOTION_MODEL
from tbd.draw.guidance.base import SCALES, Guidance
from tbd.errors import InputError
from tbd.face.framing import Frame, Framing, parse_aspect
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.studio.limits import SIZES

_LABELS = {"emotion_scale": "emotion", "muscle_scale": "muscles", "audio_scale": "articulation", "head_motion": "head motion"}
FRAMES: tuple[Frame, ...] = ("portrait", "full")
"""What a video may show."""


@dataclass(frozen=True)
class Settings:
    """How a plan is drawn.

    Args:
        emotion_scale: Strength of the global emotion, 0 to 5. None takes the model's own, as for the other two scales.
        muscle_scale: Strength of the local muscles, 0 to 5.
        audio_scale: Strength of the articulation, 0 to 5.
        head_motion: Factor on the head's movements, 0 to 5.
        seed: The same seed gives the same motion.
        size: Longer side of the full video in pixels.
        frame: ``portrait``, head and shoulders, or ``full``, the whole picture.
        aspect: Width and height such as ``9:16``; empty for a square, or the whole picture's own.

    Raises:
        InputError: If a value is out of its range.

    Example:
        >>> Settings(muscle_scale=2.0).options({"muscle_scale": 1.5})
        ['--muscle-scale', '2', '--head-motion', '1', '--seed', '1', '--size', '512']
    """

    emotion_scale: float | None = None
    muscle_scale: float | None = None
    audio_scale: float | None = None
    head_motion: float = 1.0
    seed: int = DEFAULT_SEED
    size: int = 512
    frame: Frame = "portrait"
    aspect: str = ""

    def __post_init__(self) -> None:
        for name, label in _LABELS.items():
            value = getattr(self, name)
            if value is None and name != "head_motion":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 5:
                raise InputError(f"The scale of {label} is a factor from 0 to 5, not {value!r}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**31:
            raise InputError(f"The seed is a whole number from 0 to {2**31 - 1}, not {self.seed!r}.")
        if self.size not in SIZES:
            raise InputError(f"The size is one of {', '.join(map(str, SIZES))} pixels, not {self.size!r}.")
        if self.frame not in FRAMES:
            raise InputError(f"What is shown is {' or '.join(FRAMES)}, not {self.frame!r}.")
        self.framing(self.size)

    def framing(self, size: int) -> Framing:
        """Say what a video shows.

        Args:
            size: Its longer side in pixels.

        Returns:
            The framing.

        Raises:
            InputError: If the aspect cannot be read.
        """
        return Framing(self.frame, parse_aspect(self.aspect) if self.aspect else None, size)

    def scales(self) -> dict[str, float]:
        """Return the scales that are set, by the names that a guidance gives them."""
        return {name: float(value) for name in SCALES if (value := getattr(self, name)) is not None}

    def guidance(self, own: Guidance) -> Guidance:
        """Apply the scales to a model's guidance.

        Args:
            own: The model's guidance.

        Returns:
            The guidance with the scales that it has; scales that it lacks are left out.
        """
        known = {name: value for name, value in self.scales().items() if name in own.scale_names}
        return own.scaled(**known) if known else own

    def options(self, own: dict[str, float], filmed: bool = False) -> list[str]:
        """Write the settings as options of `tbd generate`.

        Args:
            own: The scales of the model's guidance.
            filmed: Whether the portrait is a video, of which the whole picture is shown unless the command says otherwise.

        Returns:
            The options; a scale that the model lacks or already has is left out.
        """
        named = [(name, value) for name, value in self.scales().items() if name in own and value != own[name]]
        rest: list[tuple[str, Any]] = [("head_motion", self.head_motion), ("seed", self.seed), ("size", self.size)]
        rest += [("frame", self.frame)] if filmed or self.frame != "portrait" else []
        rest += [("aspect", self.aspect)] if self.aspect else []
        return [word for name, value in [*named, *rest] for word in (f"--{name.replace('_', '-')}", _plain(value))]

    def differences(self, other: "Settings") -> list[str]:
        """Say in words where these settings differ from others."""
        differing = [field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name)]
        return [f"{_LABELS.get(name, name)} {getattr(self, name)}" for name in differing]


def _plain(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


def command_line(
    portrait: str,
    audio: str,
    settings: Settings,
    own: dict[str, float],
    model: str = MOTION_MODEL,
    face: FaceChoice = LARGEST,
    filmed: bool = False,
) -> str:
    """Write the command that gives the video of the page again, from the files that were uploaded and the plan that can be downloaded.

    Args:
        portrait: Name of the portrait's file.
        audio: Name of the voice's file.
        settings: How it was drawn.
        own: The scales of the model's guidance.
        model: The motion model; of one on this machine the folder's name alone is shown.
        face: Which of several faces speaks.
        filmed: Whether the portrait is a video.

    Returns:
        The command, quoted for a shell.

    Example:
        >>> command_line("me.jpg", "my voice.wav", Settings(), {})
        "tbd generate --portrait me.jpg --audio 'my voice.wav' --plan plan.json --head-motion 1 --seed 1 --size 512 --output video.mp4"
    """
    files = ["--portrait", PurePath(portrait).name, "--audio", PurePath(audio).name, "--plan", "plan.json"]
    named = [] if model == MOTION_MODEL else ["--motion-model", PurePath(model).name if os.path.exists(model) else model]
    chosen = [] if face == LARGEST else ["--face", str(face)]
    return shlex.join(["tbd", "generate", *files, *named, *chosen, *settings.options(own, filmed), "--output", "video.mp4"])
