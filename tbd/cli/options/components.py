"""Components on the command line: ``--planner rules``, ``--planner my_module.MyPlanner --planner.words few``.

An option of a slot takes a short name, a class path, a YAML file of class_path and init_args (as in ``configs/``), or these
two as JSON; ``--SLOT.ARGUMENT VALUE`` gives one argument. Nothing is imported before the component is made.
"""

import difflib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tbd.data.sources.registry import DATASETS
from tbd.errors import InputError, TBDError

if TYPE_CHECKING:
    from tbd.utils.class_path import Component


class Slot(NamedTuple):
    """A place for a component.

    Args:
        base: Class path of the base class.
        short: Short name → class path.
    """

    base: str
    short: Mapping[str, str]


SLOTS = {
    "planner": Slot(
        "tbd.think.planner.Planner",
        {
            "situations": "tbd.think.SituationPlanner",
            "rules": "tbd.think.KnowledgePlanner",
            "language_model": "tbd.think.LanguageModelPlanner",
            "server": "tbd.think.ServerPlanner",
        },
    ),
    "voice_reader": Slot("tbd.think.voice.VoiceReader", {"prosodic": "tbd.think.voice.ProsodicVoiceReader"}),
    "tracker": Slot(
        "tbd.face.tracker.Tracker",
        {
            "mesh": "tbd.face.tracker.FaceMeshTracker",
            "landmarker": "tbd.face.tracker.FaceLandmarkerTracker",
            "expressive": "tbd.think.coding.expressive_tracker.ExpressiveTracker",
        },
    ),
    "renderer": Slot(
        "tbd.face.render.renderer.Renderer",
        {
            "mesh": "tbd.face.render.renderer.MeshWarpRenderer",
            "neural_mesh": "tbd.draw.mouth.renderer.NeuralMeshRenderer",
            "video": "tbd.draw.video.renderer.VideoRenderer",
        },
    ),
    "guidance": Slot(
        "tbd.draw.guidance.base.Guidance",
        {
            "none": "tbd.draw.guidance.base.NoGuidance",
            "classifier_free": "tbd.draw.guidance.classifier_free.ClassifierFreeGuidance",
            "progressive": "tbd.draw.guidance.progressive.ProgressiveGuidance",
        },
    ),
    "predictor": Slot(
        "tbd.evaluation.predictors.Predictor",
        {
            "model": "tbd.evaluation.predictors.ModelPredictor",
            "command": "tbd.evaluation.command.predictor.CommandPredictor",
            "truth": "tbd.evaluation.predictors.GroundTruth",
            "still": "tbd.evaluation.predictors.StillPortrait",
            "loudness": "tbd.evaluation.predictors.LoudnessJaw",
        },
    ),
    "source": Slot("tbd.data.sources.base.RawSource", DATASETS),
    "noise_scheduler": Slot(
        "diffusers.schedulers.scheduling_utils.SchedulerMixin",
        {
            "ddim": "diffusers.DDIMScheduler",
            "dpm_solver": "diffusers.DPMSolverMultistepScheduler",
            "unipc": "diffusers.UniPCMultistepScheduler",
        },
    ),
}


def add_slot(parser: Any, slot: str, help: str, default: str | None = None) -> None:
    """Add a slot's option to a parser.

    Args:
        parser: A parser of jsonargparse.
        slot: A key of `SLOTS`.
        help: What the slot is for; the short names are added.
        default: A short name.
    """
    names = ", ".join(SLOTS[slot].short)
    option = f"--{slot.replace('_', '-')}"
    parser.add_argument(option, type=dict | str, default=default, metavar="NAME", help=f"{help}: {names}, or a class path")


def fold(argv: Sequence[str]) -> list[str]:
    """Put ``--SLOT.ARGUMENT VALUE`` into the slot's own option, as JSON.

    Args:
        argv: The options of a subcommand.

    Returns:
        The same without such options.

    Example:
        >>> fold(["--size", "64", "--planner", "my.Planner", "--planner.words", "3"])
        ['--size', '64', '--planner={"class_path": "my.Planner", "init_args": {"words": 3}}']
    """
    kept: list[str] = []
    given: dict[str, dict[str, Any]] = {}
    words = iter(argv)
    for word in words:
        option, equals, value = word.partition("=")
        slot, dot, argument = option.removeprefix("--").partition(".")
        if not option.startswith("--") or slot.replace("-", "_") not in SLOTS or (not dot and not _takes_arguments(slot, argv)):
            kept.append(word)
            continue
        if not equals:
            value = next(words, "")
        component = given.setdefault(slot, {"class_path": None, "init_args": {}})
        if dot:
            component["init_args"][argument.removeprefix("init_args.").replace("-", "_")] = _value(value)
        else:
            component["class_path"] = value
    for slot, component in given.items():
        if component["class_path"] is None:
            del component["class_path"]  # the default's
        kept.append(f"--{slot}={json.dumps(component)}")
    return kept


def _takes_arguments(slot: str, argv: Sequence[str]) -> bool:
    return any(word.startswith(f"--{slot}.") for word in argv)


def _value(text: str) -> Any:
    """A value as YAML reads it: numbers, lists, true and null are none of them text."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def chosen(value: Any, slot: str, default: str | None = None) -> "Component":
    """Read what an option of a slot names.

    Args:
        value: The option's value: a short name, a class path, a YAML file, or class_path and init_args.
        slot: A key of `SLOTS`.
        default: A short name, for arguments without a class and for an option that is not given.

    Returns:
        Class path and arguments.

    Raises:
        InputError: If it names no class.
    """
    from tbd.utils.class_path import Component

    named = _content(value, slot)
    unknown = set(named) - {"class_path", "init_args"}
    if unknown:
        raise InputError(f"{_option(slot)} takes class_path and init_args, not {', '.join(sorted(unknown))}.")
    path = named.get("class_path") or default
    if path is None:
        raise InputError(f"{_option(slot)} needs a class beside its arguments, such as {next(iter(SLOTS[slot].short))}.")
    if path.endswith((".yaml", ".yml", ".json")):
        return chosen({**_read(path, slot), "init_args": {**_read(path, slot).get("init_args", {}), **named.get("init_args", {})}}, slot)
    return Component(class_path=_class_path(path, slot), init_args=named.get("init_args") or {})


def _content(value: Any, slot: str) -> dict[str, Any]:
    if value is None or isinstance(value, Mapping):
        return dict(value or {})
    text = str(value)
    if text.endswith((".yaml", ".yml", ".json")):
        return _read(text, slot)
    return {"class_path": text}


def _read(path: str, slot: str) -> dict[str, Any]:
    import yaml

    if not Path(path).is_file():
        raise InputError(f"There is no file {path} ({_option(slot)}).")
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("class_path"), str):
        raise InputError(f"{path} ({_option(slot)}) is no YAML of a component; class_path and init_args are right.")
    return content


def _class_path(name: str, slot: str) -> str:
    short = SLOTS[slot].short
    if name in short:
        return short[name]
    classes = {path.rpartition(".")[2]: path for path in short.values()}
    if name in classes:
        return classes[name]
    if "." not in name:
        near = difflib.get_close_matches(name, [*short, *classes], 1)
        guess = f"did you mean {near[0]}? Else " if near else ""
        raise InputError(
            f"There is no {slot.replace('_', ' ')} {name}; {guess}choose {', '.join(short)}, or a class path such as my_module.MyClass."
        )
    return name


def _option(slot: str) -> str:
    return f"--{slot.replace('_', '-')}"


def class_of(component: "Component", slot: str) -> type:
    """Import the class that a component names.

    Args:
        component: Class path and arguments.
        slot: A key of `SLOTS`.

    Returns:
        The class.

    Raises:
        InputError: If there is no such class, or it does not derive from the slot's base class.
    """
    from tbd.utils.class_path import import_class

    kind, base = import_class(component.class_path), import_class(SLOTS[slot].base)
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise InputError(f"{_option(slot)} names {component.class_path}, which is no {SLOTS[slot].base}.")
    return kind


def made(component: "Component", slot: str) -> Any:
    """Make a component.

    Args:
        component: Class path and arguments.
        slot: A key of `SLOTS`.

    Returns:
        An object of the slot's base class.

    Raises:
        InputError: If there is no such class, it does not derive from the slot's base class, or it refuses the arguments.
    """
    from tbd.utils.class_path import build, import_class

    try:
        return build(component, import_class(SLOTS[slot].base), _option(slot))
    except TBDError:
        raise
    except Exception as error:  # a stranger's class may raise anything
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, TBDError):
            raise cause from error
        said = " ".join(str(cause).split())[:300] or type(cause).__name__
        raise InputError(f"{_option(slot)}: {component.class_path} cannot be made: {said}") from error


def swapped_scheduler(component: "Component") -> Callable[[Any], Any]:
    """Prepare a noise scheduler that takes over how a model was trained.

    Args:
        component: Its class path, and arguments that differ from the model's own.

    Returns:
        A function from the model's noise scheduler to the new one, which has the model's betas and prediction type.

    Raises:
        InputError: If there is no such class, or it takes other arguments.
    """
    from tbd.utils.class_path import require_known_arguments

    kind = class_of(component, "noise_scheduler")
    require_known_arguments(component, kind, "--noise-scheduler")

    def swap(own: Any) -> Any:
        from tbd.draw.noise_scheduler import scheduler_like

        try:
            return scheduler_like(own, kind, component.init_args)
        except InputError as error:
            raise InputError(f"--noise-scheduler: {error}") from error

    return swap


def require_working_folder() -> None:
    """Let modules in the working directory be found by class path, behind all that is installed."""
    import sys

    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
