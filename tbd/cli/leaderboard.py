"""`tbd leaderboard build | add | measure | verify | report`: keep scores, measure, recompute and show them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbd.cli.options.command import Command
from tbd.cli.options.protocol import add_map_option, add_protocol_options, chosen_reference
from tbd.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jsonargparse import ArgumentParser, Namespace

    from tbd.evaluation.references.base import ReferenceClip

_BOARD, _README = "benchmarks/leaderboard", "benchmarks/README.md"


def _options(parser: "ArgumentParser") -> None:
    from jsonargparse import ArgumentParser

    from tbd.cli.options.help import HelpFormatter

    commands = parser.add_subcommands(dest="action")
    build, add, measure, verify, report = (
        ArgumentParser(description=about, formatter_class=HelpFormatter, exit_on_error=False, allow_abbrev=False)
        for about in (
            "Write the tables and the page from the board's entries.",
            "Put scores on the board.",
            "Measure predictions and put them on the board as a verified row, for the board's keeper.",
            "Measure a row's predictions again, and note on the board that its numbers are theirs.",
            "Put a paper's own numbers on the board, with their citation, apart from measured ones.",
        )
    )
    for sub in (build, add, measure, verify, report):
        sub.add_argument("--board", default=_BOARD, help="the folder of the board's entries")
    build.add_argument("--output", help="the page to write (default: index.html in the board's folder)")
    build.add_argument("--readme", help=f"the markdown file whose table is renewed between its markers (default: {_README}, with {_BOARD})")
    add.add_argument("scores", help="what `tbd evaluate --output` wrote")
    for sub in (add, measure, report):
        sub.add_argument("--name", required=True, help="what the row is called")
        sub.add_argument("--paper", help="a URL or citation")
        sub.add_argument("--code", help="a URL")
        sub.add_argument("--note", default="", help="one sentence: what this row is")
        sub.add_argument("--replace", action="store_true", help="take the place of the row of that name")
    add.add_argument("--predictions", help="the folder of the videos: sample frames and clips are taken from it")
    add.add_argument("--clips", type=int, default=3, help="how many clips of the row the page shows beside the other rows'; 0 for none")
    add_map_option(add)
    add_protocol_options(measure)
    measure.add_argument("--predictions", help="the folder of the videos, with motion files beside them if there are any")
    measure.add_argument("--show", action="store_true", help="keep sample frames and clips for the page; for faces that may be shown")
    measure.add_argument("--clips", type=int, default=3, help="how many clips with --show; 0 for sample frames alone")
    add_map_option(measure)
    verify.add_argument("--name", required=True, help="which row")
    verify.add_argument("--predictions", help="the folder of its videos, with the motion files that lay beside them")
    add_map_option(verify)
    verify.add_argument(
        "--protocol", help="where several tables have a row of that name: its protocol; or the YAML file of one of your own"
    )
    verify.add_argument("--reference", help="where the true clips are, as for `tbd evaluate`")
    for sub in (measure, verify):
        sub.add_argument(
            "--ground-truth",
            action="store_true",
            help="instead of --predictions, for the ground truth: the board codes the true clips itself, since ≈ columns aim at it",
        )
        sub.add_argument("--workers", type=int, default=1, help="processes that measure clips; the numbers do not depend on it")
        sub.add_argument("--device", default="cpu", help="where the metrics' networks run")
    report.add_argument("--protocol", required=True, help="a protocol's name, or any name for the paper's own recipe")
    report.add_argument("--citation", required=True, help="paper and table that the numbers stand in")
    report.add_argument("--metric", action="append", required=True, metavar="NAME=VALUE", help="a number; may be repeated")
    commands.add_subcommand("build", build, help="write the tables and the page")
    commands.add_subcommand("add", add, help="put scores on the board")
    commands.add_subcommand("measure", measure, help="measure predictions and put them on the board, verified")
    commands.add_subcommand("verify", verify, help="measure a row's predictions again")
    commands.add_subcommand("report", report, help="put a paper's own numbers on the board, apart from measured ones")


def _run(options: "Namespace") -> None:
    from tbd.evaluation.leaderboard import store
    from tbd.evaluation.leaderboard.build import build
    from tbd.evaluation.leaderboard.reported import parse_numbers, report

    chosen = options[options.action]
    if chosen.board == _BOARD:
        store.begin(chosen.board)
    if options.action == "build":
        for path in build(chosen.board, chosen.output, _readme(chosen.board, chosen.readme)):
            print(path)
    elif options.action == "measure":
        _require_count(chosen.clips)
        _measure(chosen)
    elif options.action == "add":
        _require_count(chosen.clips)
        shown = {"predictions": chosen.predictions, "clips": chosen.clips, "table": chosen.map}
        print(store.add(chosen.board, chosen.scores, **shown, **_row(chosen)))
    elif options.action == "verify":
        _verify(chosen)
    else:
        print(report(chosen.board, chosen.protocol, parse_numbers(chosen.metric), chosen.citation, **_row(chosen)))


def _require_count(clips: int) -> None:
    if clips < 0:
        raise InputError(f"--clips is a number of clips from 0, not {clips}.")


def _progress(clips: "Sequence[ReferenceClip]") -> "Iterable[ReferenceClip]":
    from rich.console import Console

    from tbd.evaluation.console import progress

    return progress(clips, Console(stderr=True))


def _predictions(options: "Namespace") -> Path | None:
    """The folder of the row's videos; None where the board codes the true clips itself."""
    if options.ground_truth == (options.predictions is not None):
        raise InputError("Give --predictions FOLDER, or --ground-truth for the row of the true clips, which the board codes itself.")
    if options.ground_truth and options.map is not None:
        raise InputError("--map belongs to --predictions; the board names the true clips itself.")
    return None if options.ground_truth else Path(options.predictions)


def _measure(options: "Namespace") -> None:
    from tbd.evaluation.leaderboard.measure import Submission, measure
    from tbd.evaluation.protocol import load_protocol

    predictions = _predictions(options)
    protocol = load_protocol(options.protocol)
    about = options.note, options.paper, options.code, options.map
    (path,) = measure(
        options.board,
        protocol,
        chosen_reference(options, protocol),
        [Submission(options.name, predictions, *about)],
        options.replace,
        options.clips if options.show else None,
        _progress,
        options.device,
        options.workers,
    )
    print(path)


def _verify(options: "Namespace") -> None:
    from tbd.evaluation.leaderboard.verify import verify

    where = (options.board, options.name, _predictions(options), options.protocol, options.reference, options.map)
    record = verify(*where, _progress, options.device, options.workers)
    but = f", but for {', '.join(record.unchecked)}, whose weights are not on this machine" if record.unchecked else ""
    what = options.predictions or "the true clips"
    exact = f"to {record.difference:.1g} of each" if record.difference else "to the last digit"
    print(f"{options.name} is verified: its numbers are those of {what}, {exact}{but}.")
    print("`tbd leaderboard build` shows it.")


def _readme(board: str, given: str | None) -> str | None:
    """The markdown file to renew: the project's own belongs to the project's own board alone."""
    from tbd.utils.file_checks import same_file

    if given is None:
        return _README if same_file(board, _BOARD) and Path(_README).is_file() else None
    if not Path(given).is_file():
        raise InputError(f"There is no file {given} (--readme) to put the tables into.")
    return given


def _row(options: "Namespace") -> dict[str, Any]:
    return {name: options[name] for name in ("name", "paper", "code", "note", "replace")}


COMMAND = Command("keep scores, and show them", _options, _run)
