"""`tbd leaderboard build | add | report`: keep scores, and show them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbd.cli.command import Command
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

_BOARD, _README = "benchmarks/leaderboard", "benchmarks/README.md"


def _options(parser: "ArgumentParser") -> None:
    from jsonargparse import ArgumentParser

    from tbd.cli.help import HelpFormatter

    commands = parser.add_subcommands(dest="action")
    build, add, report = (
        ArgumentParser(description=about, formatter_class=HelpFormatter, exit_on_error=False, allow_abbrev=False)
        for about in (
            "Write the tables and the page from the board's entries.",
            "Put scores on the board.",
            "Put a paper's own numbers on the board, with their citation, apart from measured ones.",
        )
    )
    for sub in (build, add, report):
        sub.add_argument("--board", default=_BOARD, help="the folder of the board's entries")
    build.add_argument("--output", help="the page to write (default: index.html in the board's folder)")
    build.add_argument("--readme", help=f"the markdown file whose table is renewed between its markers (default: {_README}, with {_BOARD})")
    add.add_argument("scores", help="what `tbd evaluate --output` wrote")
    for sub in (add, report):
        sub.add_argument("--name", required=True, help="what the row is called")
        sub.add_argument("--paper", help="a URL or citation")
        sub.add_argument("--code", help="a URL")
        sub.add_argument("--note", default="", help="one sentence: what this row is")
        sub.add_argument("--replace", action="store_true", help="take the place of the row of that name")
    add.add_argument("--predictions", help="the folder of the videos: sample frames are taken from it")
    report.add_argument("--protocol", required=True, help="a protocol's name, or any name for the paper's own recipe")
    report.add_argument("--citation", required=True, help="paper and table that the numbers stand in")
    report.add_argument("--metric", action="append", required=True, metavar="NAME=VALUE", help="a number; may be repeated")
    commands.add_subcommand("build", build, help="write the tables and the page")
    commands.add_subcommand("add", add, help="put scores on the board")
    commands.add_subcommand("report", report, help="put a paper's own numbers on the board, apart from measured ones")


def _run(options: "Namespace") -> None:
    from tbd.evaluation.leaderboard import rows
    from tbd.evaluation.leaderboard.build import build

    chosen = options[options.action]
    if chosen.board == _BOARD:
        rows.begin(chosen.board)
    if options.action == "build":
        for path in build(chosen.board, chosen.output, _readme(chosen.board, chosen.readme)):
            print(path)
    elif options.action == "add":
        print(rows.add(chosen.board, chosen.scores, predictions=chosen.predictions, **_row(chosen)))
    else:
        print(rows.report(chosen.board, chosen.protocol, rows.parse_numbers(chosen.metric), chosen.citation, **_row(chosen)))


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
