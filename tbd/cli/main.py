"""The `tbd` command. Nothing heavy is imported before a subcommand needs it."""

import os
import signal
import sys
from collections.abc import Sequence

from tbd import __version__
from tbd.cli import (
    ablate,
    batch,
    demo,
    doctor,
    evaluate,
    generate,
    leaderboard,
    live,
    predict,
    preprocess,
    render,
    studio,
    study,
    synthesize,
    think,
    track,
    train,
    weights,
)
from tbd.cli.completion import completion_command
from tbd.cli.options.components import require_working_folder
from tbd.errors import INTERRUPTED, InputError, TBDError, disk_error
from tbd.training.launcher import follow_launcher, report_failure
from tbd.utils.user_warnings import print_warnings

COMMANDS = {
    "think": think.COMMAND,
    "generate": generate.COMMAND,
    "live": live.COMMAND,
    "batch": batch.COMMAND,
    "demo": demo.COMMAND,
    "studio": studio.COMMAND,
    "track": track.COMMAND,
    "render": render.COMMAND,
    "synthesize": synthesize.COMMAND,
    "preprocess": preprocess.COMMAND,
    "predict": predict.COMMAND,
    "evaluate": evaluate.COMMAND,
    "leaderboard": leaderboard.COMMAND,
    "study": study.COMMAND,
    "ablate": ablate.COMMAND,
    "weights": weights.COMMAND,
    "doctor": doctor.COMMAND,
}
COMMANDS["completion"] = completion_command(COMMANDS)
"""In the order of `tbd --help`. Those of `tbd.cli.train` follow; they are Lightning's and have no parser of ours."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: The subcommand and its options; those of this process by default.

    Returns:
        0; 1 for a failure, 2 for something that the user can put right, 130 after Ctrl-C, 141 where nobody reads the output to its end.
    """
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()  # here, where a closed pipe can still be handled, rather than when Python ends
    except (BrokenPipeError, SystemExit) as end:
        # rich ends a process whose output is closed by itself
        if not isinstance(end, BrokenPipeError) and not isinstance(end.__context__, BrokenPipeError):
            raise
        _discard_output()
        return 128 + signal.SIGPIPE  # as a shell reports a command that `head` has closed the pipe on


def _discard_output() -> None:
    """Let what is still buffered go nowhere, or Python would complain of the closed pipe when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _run(argv: list[str]) -> int:
    follow_launcher()
    debug = "--debug" in argv
    argv = [a for a in argv if a != "--debug"]
    if not argv or argv[0] in ("-h", "--help"):
        print(_help())
        return 0
    if argv[0] == "--version":
        print(f"tbd {__version__}")
        return 0
    require_working_folder()
    try:
        with print_warnings(argv[0]):
            return _dispatch(argv[0], argv[1:])
    except TBDError as error:
        if debug:
            raise
        return _failed(f"tbd {argv[0]}: {error}", error.exit_code)
    except KeyboardInterrupt:
        return _failed(f"\ntbd {argv[0]}: interrupted; nothing half-written was left.", INTERRUPTED)
    except BrokenPipeError:
        raise
    except Exception as error:
        if debug:
            raise
        if (full := disk_error(error)) is not None:
            return _failed(f"tbd {argv[0]}: {full}", full.exit_code)
        return _failed(f"tbd {argv[0]}: unexpected {type(error).__name__}: {error} (run again with --debug to see where).", 1)


def _failed(sentence: str, code: int) -> int:
    """Say it once, also where several processes of one training fail together."""
    if not report_failure(sentence, code):
        print(sentence, file=sys.stderr)
    return code


def _dispatch(name: str, argv: list[str]) -> int:
    if name in train.SUMMARIES:
        return train.train(name, argv)
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, [*COMMANDS, *train.SUMMARIES], 1)
        raise InputError(f"there is no such command{f'; did you mean {near[0]}?' if near else '.'} `tbd --help` lists them.")
    from tbd.cli.options.parsing import command_parser, parse

    command = COMMANDS[name]
    command.run(parse(command_parser(name, command), argv))
    return 0


def _help() -> str:
    rows = [(name, command.summary) for name, command in COMMANDS.items()] + list(train.SUMMARIES.items())
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


if __name__ == "__main__":
    sys.exit(main())
