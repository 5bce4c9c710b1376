"""The `tbd` command. Nothing heavy is imported before a subcommand needs it."""

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tbd import __version__
from tbd.errors import InputError, TBDError


class Command(NamedTuple):
    """A subcommand: one line of help, its options, and what it does with the parsed values."""

    summary: str
    options: Callable
    run: Callable


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Returns:
        0; 1 for a failure, 2 for something that the user can put right, 130 after Ctrl-C.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    argv = [a for a in argv if a != "--debug"]
    if not argv or argv[0] in ("-h", "--help"):
        print(_help())
        return 0
    if argv[0] == "--version":
        print(f"tbd {__version__}")
        return 0
    try:
        return _dispatch(argv[0], argv[1:])
    except TBDError as error:
        if debug:
            raise
        print(f"tbd {argv[0]}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"\ntbd {argv[0]}: interrupted; nothing half-written was left.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:
        if debug:
            raise
        print(f"tbd {argv[0]}: unexpected {type(error).__name__}: {error} (run again with --debug to see where).", file=sys.stderr)
        return 1


def _dispatch(name: str, argv: list[str]) -> int:
    if name in _LIGHTNING:
        from tbd.training import lightning_cli

        sys.argv = ["tbd", name, *argv]  # Lightning starts further processes of a node with these
        lightning_cli()
        return 0
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, [*COMMANDS, *_LIGHTNING], 1)
        raise InputError(f"there is no such command{f'; did you mean {near[0]}' if near else ''}? `tbd --help` lists them.")
    from jsonargparse import ArgumentParser

    command = COMMANDS[name]
    parser = ArgumentParser(prog=f"tbd {name}", description=command.summary)
    parser.add_argument("--config", action="config", help="a YAML file with these options")
    command.options(parser)
    command.run(parser.parse_args(argv))
    return 0


def _help() -> str:
    rows = [(name, command.summary) for name, command in COMMANDS.items()] + list(_LIGHTNING.items())
    lines = [f"  {name:<12} {summary}" for name, summary in rows]
    return "\n".join(
        [
            f"Think-Before-Draw {__version__}: a portrait, a voice and a sentence about a feeling become a talking face.",
            "",
            "usage: tbd COMMAND [options]      tbd COMMAND --help says what a command takes; --debug shows tracebacks",
            "",
            *lines,
        ]
    )


# -- think, draw, render ---------------------------------------------------------------------------------------------


def _generate_options(parser) -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face")
    parser.add_argument("--audio", required=True, help="speech, in any format that FFmpeg reads")
    parser.add_argument("--emotion", default="", help="a sentence about a feeling")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--plan", help="a plan from `tbd think --json`, perhaps edited, instead of --emotion")
    _drawing_options(parser)


def _drawing_options(parser) -> None:
    parser.add_argument("--motion-output", help="also write the motion (.npz or .csv)")
    parser.add_argument("--plan-output", help="also write the plan (.json)")
    parser.add_argument("--model", default="motion_mini", help="packaged name, folder, or hub repository of a motion model")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same video")
    parser.add_argument("--size", type=int, default=512, help="height and width of the video in pixels")
    parser.add_argument("--num-inference-steps", type=int, help="denoising steps; more is finer and slower (default: the model's)")
    parser.add_argument("--emotion-scale", type=float, help="strength of the global emotion; 1 is as trained (default: the model's)")
    parser.add_argument("--muscle-scale", type=float, help="strength of the local muscles (default: the model's)")
    parser.add_argument("--audio-scale", type=float, help="strength of the articulation (default: the model's)")
    parser.add_argument("--head-motion", type=float, default=1.0, help="how much the head moves; 0 holds it still")
    parser.add_argument("--quiet", action="store_true", help="print nothing")


def _generate(options) -> None:
    from tbd.pipeline import generate

    generate(options.portrait, options.audio, options.output, options.emotion, options.plan, **_drawing_values(options))


def _drawing_values(options) -> dict:
    from dataclasses import fields

    from rich.console import Console

    from tbd.pipeline import Drawing

    drawing = Drawing(**{field.name: options[field.name] for field in fields(Drawing)})
    shared = {name: options[name] for name in ("size", "motion_output", "plan_output")}
    return {"drawing": drawing, "console": Console(quiet=options.quiet), **shared}


def _demo_options(parser) -> None:
    parser.add_argument("--output", default="outputs/demo.mp4", help="the video to write (.mp4)")
    parser.add_argument("--emotion", default="she fights back tears, then smiles", help="a sentence about a feeling")
    _drawing_options(parser)


def _demo(options) -> None:
    from tbd.pipeline import demo

    demo(options.output, options.emotion, **_drawing_values(options))


def _think_options(parser) -> None:
    parser.add_argument("text", nargs="?", help="a sentence about a feeling")
    parser.add_argument("--from", metavar="PLAN", help="read this plan (.json) instead of a sentence")
    parser.add_argument("--duration", type=float, help="seconds that the plan should span")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="WHAT=VALUE",
        help="set a muscle (AU12=0.4, AU12L=0.4 for the left side, 0 removes it), a region's description "
        "(lower=lips pressed together) or the intensity (intensity=0.5); may be repeated",
    )
    parser.add_argument("--check", action="store_true", help="print only what a face could not do, or not while it speaks")
    parser.add_argument("--repair", action="store_true", help="mend what --check finds, and say what was changed")
    parser.add_argument("--chart", metavar="SVG", help="also draw the muscles on a face (.svg)")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON, for editing and for `generate --plan`")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of plans, and nothing else")
    _planner_options(parser)


def _planner_options(parser) -> None:
    choices = ["knowledge", "language_model", "server"]
    parser.add_argument(
        "--planner", default="knowledge", choices=choices, help="tables and rules, a language model here, or one on a server"
    )
    parser.add_argument("--model", help="language_model: a folder or hub repository; server: the model's name there")
    parser.add_argument("--url", help="server: its URL, such as http://localhost:8000/v1; a key is read from TBD_API_KEY or OPENAI_API_KEY")
    parser.add_argument(
        "--prompt", metavar="FILE", help="language_model, server: what the model is told, instead of assets/think/prompt.md"
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="language_model, server: how long a plan may take (default: 300)")


def _planner(options):
    import inspect

    from tbd.think import KnowledgePlanner, LanguageModelPlanner, ServerPlanner

    planner = {"knowledge": KnowledgePlanner, "language_model": LanguageModelPlanner, "server": ServerPlanner}[options.planner]
    given = {name: options[name] for name in ("model", "url", "prompt", "timeout") if options[name] is not None}
    taken = inspect.signature(planner).parameters
    for name in given:
        if name not in taken:
            raise InputError(f"--{name} is nothing that --planner {options.planner} takes; leave it out or choose another planner.")
    for name, parameter in taken.items():
        if parameter.default is parameter.empty and name not in given:
            raise InputError(f"--planner {options.planner} needs --{name}; `tbd think --help` says what it is.")
    return planner(**given)


def _think(options) -> None:
    from tbd.think.command import print_schema, think

    if options.schema:
        print_schema()
        return
    think(
        options.text,
        _planner(options),
        duration=options.duration,
        source=options["from"],
        assignments=options.set,
        **{name: options[name] for name in ("repair", "check", "chart")},
        as_json=options.json,
    )


def _track_options(parser) -> None:
    parser.add_argument("video", help="a video with a face")
    parser.add_argument("--output", required=True, help="the motion to write (.npz or .csv)")
    parser.add_argument("--landmarker", help="a face_landmarker.task file: track with MediaPipe's landmarker instead of the mesh")


def _track(options) -> None:
    from tbd.pipeline import track

    track(options.video, options.output, landmarker=options.landmarker)


def _render_options(parser) -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face")
    parser.add_argument("--motion", required=True, help="a motion (.npz or .csv)")
    parser.add_argument("--audio", help="sound for the video")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--size", type=int, default=512, help="height and width of the video in pixels")


def _render(options) -> None:
    from tbd.pipeline import render

    render(options.portrait, options.motion, options.output, audio=options.audio, size=options.size)


# -- data ------------------------------------------------------------------------------------------------------------


def _synthesize_options(parser) -> None:
    parser.add_argument("--output", required=True, help="the folder to write, in MEAD's layout")
    parser.add_argument("--hours", type=float, default=2.0, help="hours of speech")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same corpus")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")


def _synthesize(options) -> None:
    from tbd.data.synthesis import synthesize

    synthesize(options.output, options.hours, seed=options.seed, workers=options.workers)


COMMANDS = {
    "generate": Command("a portrait, a voice and a sentence become a video", _generate_options, _generate),
    "demo": Command("generate from the sample portrait and voice", _demo_options, _demo),
    "think": Command("a sentence becomes a chain of thought and a muscle plan", _think_options, _think),
    "track": Command("a real performance becomes a motion", _track_options, _track),
    "render": Command("a motion becomes a video of any portrait", _render_options, _render),
    "synthesize": Command("write the procedural corpus", _synthesize_options, _synthesize),
}
_LIGHTNING = {
    "fit": "train from a configuration (Lightning's)",
    "validate": "validate a checkpoint (Lightning's)",
    "test": "test a checkpoint (Lightning's)",
    "predict": "predict with a checkpoint (Lightning's)",
}

if __name__ == "__main__":
    sys.exit(main())
