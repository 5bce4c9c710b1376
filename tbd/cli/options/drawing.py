"""The options that `tbd generate` and `tbd demo` share, and the components that they choose."""

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from tbd import DEFAULT_SEED, MOTION_MODEL
from tbd.cli.options.components import add_slot, chosen, made, swapped_scheduler
from tbd.cli.options.planner import add_planner_options, add_voice_options, asks_for_planner, chosen_planner
from tbd.errors import InputError

if TYPE_CHECKING:
    from diffusers import SchedulerMixin
    from jsonargparse import ArgumentParser, Namespace

    from tbd.draw.guidance.base import Guidance
    from tbd.draw.motion.sampler import MotionSampler
    from tbd.face.render.renderer import Renderer
    from tbd.face.tracker import Tracker
    from tbd.pipeline import TalkingHeadPipeline
    from tbd.think.planner import Planner
    from tbd.think.voice import VoiceReader

MOTION_FORMATS = ".npz exact, .csv in Live Link Face's layout, .tsv with all channels"
"""What help says about the name of a motion's file."""
_MESHES = ("tbd.face.render.renderer.MeshWarpRenderer", "tbd.draw.mouth.renderer.NeuralMeshRenderer")


def add_drawing_options(parser: "ArgumentParser") -> None:
    """Add the options of `SamplingOptions` and `Components`, and those of the files beside the video."""
    add_planner_options(parser, observes=True)
    add_voice_options(parser)
    add_slot(parser, "tracker", "finds the face", "mesh")
    add_slot(parser, "guidance", "combines the predictions of a denoising step (default: the model's)")
    add_slot(parser, "noise_scheduler", "the denoising steps (default: the model's)")
    parser.add_argument("--motion-output", help=f"also write the motion ({MOTION_FORMATS})")
    parser.add_argument("--plan-output", help="also write the plan (.json)")
    parser.add_argument("--motion-model", default=MOTION_MODEL, help="packaged name, folder, or hub repository of a motion model")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="the same seed gives the same video")
    parser.add_argument("--size", type=int, help="the video's longer side in pixels (default: 512; of a whole picture its own, up to 1920)")
    parser.add_argument("--num-inference-steps", type=int, help="denoising steps; more is finer and slower (default: the model's)")
    parser.add_argument("--emotion-scale", type=float, help="strength of the global emotion; 1 is as trained (default: the model's)")
    parser.add_argument("--muscle-scale", type=float, help="strength of the local muscles (default: the model's)")
    parser.add_argument("--audio-scale", type=float, help="strength of the articulation (default: the model's)")
    parser.add_argument("--head-motion", type=float, default=1.0, help="how much the head moves; 0 holds it still")
    idle = "how much eyes glance, the head shifts, halves of the face differ, and a feeling and sounds share muscles; 0: not at all"
    parser.add_argument("--idle-motion", type=float, default=1.0, help=idle)
    parser.add_argument("--quiet", action="store_true", help="print nothing but warnings, which go to standard error")


def add_renderer_options(parser: "ArgumentParser") -> None:
    """Add ``--renderer`` and the options of a video model."""
    add_slot(parser, "renderer", "warp the portrait, or draw each frame anew with the latent video model (needs --checkpoint)", "mesh")
    parser.add_argument(
        "--checkpoint", help="the video model of --renderer video: hallo, emocast, exported folder, checkpoint, or hub repository"
    )
    parser.add_argument("--low-memory", action="store_true", help="a video model draws more slowly, in less memory")
    parser.add_argument("--compile", action="store_true", help="a video model is compiled first: two minutes, then 1.4 times as fast")


def renderer_values(options: "Namespace") -> dict[str, Any]:
    """Turn the options of `add_renderer_options` into arguments of `tbd.cli.generate.generate`.

    Args:
        options: Parsed options.

    Returns:
        Argument → value.
    """
    renderer = "video" if names_video(options.renderer) else "mesh"
    return {"renderer": renderer, "checkpoint": options.checkpoint, "low_memory": options.low_memory, "compile": options.compile}


def check_renderer(renderer: str, checkpoint: str | os.PathLike | None, low_memory: bool, compile: bool) -> None:
    """Check that the options of a video model go together.

    Args:
        renderer: ``mesh`` or ``video``.
        checkpoint: The video model.
        low_memory: Whether it draws in less memory.
        compile: Whether it is compiled.

    Raises:
        InputError: If one is given without another that it needs.
    """
    if (renderer == "video") != (checkpoint is not None):
        raise InputError("--renderer video and --checkpoint, the video model that draws, go together.")
    if checkpoint is None and (low_memory or compile):
        flag = "--low-memory" if low_memory else "--compile"
        raise InputError(f"{flag} is for a video model; give --renderer video and --checkpoint.")


def drawing_values(options: "Namespace") -> dict[str, Any]:
    """Turn parsed options into arguments of `tbd.cli.generate.generate`.

    Args:
        options: Those of `add_drawing_options`.

    Returns:
        Argument → value.

    Raises:
        InputError: If an option is out of range, or a component cannot be made.
    """
    from rich.console import Console

    own = {field.name: options[field.name] for field in fields(SamplingOptions) if field.name != "model"}
    sampling = SamplingOptions(model=options.motion_model, **own)
    shared = {name: options[name] for name in ("size", "motion_output", "plan_output", "emotion_from")}
    return {"sampling": sampling, "console": Console(quiet=options.quiet), "components": chosen_components(options), **shared}


@dataclass(frozen=True)
class SamplingOptions:
    """How a motion is sampled.

    Args:
        model: Packaged name, folder, or hub repository of a motion model.
        seed: The same seed gives the same motion; another one, another manner of moving beside the words.
        num_inference_steps: Number of denoising steps, 1 to 1000. None takes the model's.
        emotion_scale: Strength of the global emotion, 0 to 5; 1 is as trained. None takes the model's, as for the other two.
        muscle_scale: Strength of the local muscles, 0 to 5.
        audio_scale: Strength of the articulation, 0 to 5.
        head_motion: Factor on the head's movements, 0 to 5; 0 holds the head still.
        idle_motion: Factor on glances, shifts of the head, lopsidedness, and how much smiles give way to sounds; 0 to 3.

    Raises:
        InputError: If a number is out of range.
    """

    model: str = MOTION_MODEL
    seed: int = DEFAULT_SEED
    num_inference_steps: int | None = None
    emotion_scale: float | None = None
    muscle_scale: float | None = None
    audio_scale: float | None = None
    head_motion: float = 1.0
    idle_motion: float = 1.0

    def __post_init__(self) -> None:
        for name in ("emotion_scale", "muscle_scale", "audio_scale", "head_motion"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 5:
                raise InputError(f"--{name.replace('_', '-')} is a factor from 0 to 5, not {value:g}; 1 is as trained.")
        if not 0 <= self.idle_motion <= 3:
            raise InputError(f"--idle-motion is a factor from 0 to 3, not {self.idle_motion:g}; 1 is as people have it.")
        if self.num_inference_steps is not None and not 1 <= self.num_inference_steps <= 1000:
            raise InputError(f"--num-inference-steps is a number from 1 to 1000, not {self.num_inference_steps}.")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed is a whole number from 0 to {2**63 - 1}, not {self.seed}.")

    def guidance(self, own: "Guidance") -> "Guidance":
        """Apply the given scales to a model's guidance.

        Args:
            own: The model's guidance.

        Returns:
            The same guidance with the given scales; `own` itself where no scale is given.

        Raises:
            InputError: If the guidance does not have a given scale.
        """
        from tbd.draw.guidance.base import SCALES

        scales = {name: scale for name in SCALES if (scale := getattr(self, name)) is not None}
        if missing := [name for name in scales if name not in own.scale_names]:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
            raise InputError(f"This model draws with {type(own).__name__}, which has no {options}; leave that out.")
        return own.scaled(**scales) if scales else own


@dataclass(frozen=True)
class Components:
    """What `tbd generate` and `tbd render` put in the place of the packaged components; None keeps those.

    Args:
        planner: Text → plan.
        tracker: Picture → face geometry.
        renderer: Face geometry and motion → frames.
        guidance: Combines the predictions of a denoising step of the motion model.
        noise_scheduler: From the motion model's own noise scheduler to the one that samples.
        voice_reader: Voice → how it is said.
    """

    planner: "Planner | None" = None
    tracker: "Tracker | None" = None
    renderer: "Renderer | None" = None
    guidance: "Guidance | None" = None
    noise_scheduler: "Callable[[SchedulerMixin], SchedulerMixin] | None" = None
    voice_reader: "VoiceReader | None" = None

    def pipeline(self, motion_model: "MotionSampler") -> "TalkingHeadPipeline":
        """Build a pipeline of these components and a motion model.

        Args:
            motion_model: The model; its guidance and noise scheduler are replaced by those of this object, if any.

        Returns:
            The pipeline, with the packaged components where this object has None.
        """
        from tbd.pipeline import TalkingHeadPipeline

        motion_model.guidance = self.guidance or motion_model.guidance
        if self.noise_scheduler is not None:
            motion_model.noise_scheduler = self.noise_scheduler(motion_model.noise_scheduler)
        return TalkingHeadPipeline(self.planner, motion_model, self.tracker, self.renderer, voice_reader=self.voice_reader)


def chosen_components(options: "Namespace | dict[str, Any]") -> Components:
    """Make the components that the options of the slots name.

    Args:
        options: Parsed options; a slot that a command does not have may be missing.

    Returns:
        The components; None for a slot that names the packaged component without arguments, which the pipeline fits to the plan.

    Raises:
        InputError: If a component cannot be made.
    """
    found: dict[str, Any] = {}
    if "planner" in options and asks_for_planner(options):
        found["planner"] = chosen_planner(options)
    for slot, own in (("tracker", "mesh"), ("renderer", "mesh"), ("voice_reader", "prosodic"), ("guidance", None)):
        value = options.get(slot)
        if value in (None, own) or (slot == "renderer" and names_video(value)):
            continue
        component = chosen(value, slot, own)
        if own is not None and component == chosen(own, slot):
            continue
        if "emotion" in options and component.class_path in _MESHES:
            from tbd.face.render.renderer import SPEAKING

            component = component.model_copy(update={"init_args": {**SPEAKING, **component.init_args}})
        found[slot] = made(component, slot)
    scheduler = options.get("noise_scheduler")
    if scheduler is not None:
        found["noise_scheduler"] = swapped_scheduler(chosen(scheduler, "noise_scheduler"))
    return Components(**found)


def names_video(renderer: Any) -> bool:
    """Return whether the value of ``--renderer`` names the latent video model."""
    return chosen(renderer, "renderer", "mesh").class_path == "tbd.draw.video.renderer.VideoRenderer"
