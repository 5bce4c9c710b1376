"""`tbd study build | fit`: which of several methods people prefer."""

from pathlib import Path
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jsonargparse import ArgumentParser, Namespace


def _options(parser: "ArgumentParser") -> None:
    from jsonargparse import ArgumentParser

    from tbd.cli.options.help import HelpFormatter

    commands = parser.add_subcommands(dest="action")
    build, fit = (
        ArgumentParser(description=about, formatter_class=HelpFormatter, exit_on_error=False, allow_abbrev=False)
        for about in ("Make a blind page of pairs from folders of videos.", "Fit Bradley–Terry scores to raters' answers.")
    )
    build.add_argument(
        "--predictions",
        action="append",
        required=True,
        metavar="NAME=FOLDER",
        help="a method and the folder of its videos; give it for each method",
    )
    build.add_argument("--output", required=True, help="the folder to write; its key lies beside it, and is not for raters")
    build.add_argument("--protocol", help="match names to this protocol's clips, as an evaluation does; without it folders share names")
    build.add_argument("--reference", help="where the true clips are, as for `tbd evaluate`")
    build.add_argument("--question", action="append", metavar="TEXT", help="what raters are asked of each pair; may be repeated")
    build.add_argument("--trials", type=int, default=30, help="pairs that one rater compares")
    build.add_argument("--repeats", type=int, default=2, help="how many of these come again, to see whether answers hold")
    build.add_argument("--clips", type=int, help="use so many clips, evenly chosen; all by default")
    build.add_argument("--size", type=int, default=384, help="pixels of the square videos")
    build.add_argument("--allow-same", action="store_true", help="let raters say that neither is better")
    build.add_argument("--quiet", action="store_true", help="show no progress")
    fit.add_argument("answers", nargs="+", help="files that raters have saved, or folders of them")
    fit.add_argument("--key", required=True, help="the study's key, which `tbd study build` wrote beside its folder")
    fit.add_argument("--output", help="the results to write (.json)")
    fit.add_argument("--resamples", type=int, default=1000, help="bootstrap samples for the intervals")
    commands.add_subcommand("build", build, help="make a blind page of pairs from folders of videos")
    commands.add_subcommand("fit", fit, help="fit Bradley–Terry scores to raters' answers")


def _run(options: "Namespace") -> None:
    if options.action == "build":
        _build(options.build)
    else:
        _fit(options.fit)


def _build(options: "Namespace") -> None:
    from rich.console import Console

    from tbd.evaluation.study.build import QUESTION, build_study

    for name, least in (("trials", 1), ("repeats", 0), ("size", 64), ("clips", 1)):
        if options[name] is not None and options[name] < least:
            raise InputError(f"--{name} is a number from {least}, not {options[name]}.")
    console = Console(quiet=options.quiet)
    made = build_study(
        _methods(options.predictions),
        Path(options.output),
        _clip_ids(options),
        options.question or (QUESTION,),
        options.trials,
        options.repeats,
        options.size,
        options.clips,
        options.allow_same,
        lambda work: _progress(work, console),
    )
    print(f"{made.page} compares {made.trials} pairs over {made.clips} clips; give its folder to raters.")
    print(f"{made.key} says which video is whose: keep it. Then: tbd study fit --key {made.key} ANSWERS")


def _methods(given: "Sequence[str]") -> dict[str, Path]:
    methods: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not (equals and name.strip() and folder):
            raise InputError(f"--predictions is NAME=FOLDER, not {text!r}.")
        if name.strip() in methods:
            raise InputError(f"--predictions names {name.strip()} twice; give each method a name of its own.")
        if not Path(folder).is_dir():
            raise InputError(f"There is no folder {folder} of videos (--predictions {name.strip()}).")
        methods[name.strip()] = Path(folder)
    return methods


def _clip_ids(options: "Namespace") -> list[str] | None:
    if options.protocol is None:
        return None
    from tbd.evaluation.protocol import load_protocol
    from tbd.evaluation.references.base import build_reference

    return [clip.id for clip in build_reference(load_protocol(options.protocol).reference, options.reference).clips()]


def _progress(work: "Sequence[tuple[str, str]]", console) -> "Iterator[tuple[str, str]]":
    from rich.progress import track

    items: Iterable[tuple[str, str]] = track(work, "videos", console=console, transient=True, disable=console.quiet)
    yield from items


def _fit(options: "Namespace") -> None:
    from rich.console import Console

    from tbd.evaluation.study.fit import fit_study, print_results, save_results
    from tbd.evaluation.study.key import load_key, load_votes

    if options.resamples < 100:
        raise InputError(f"--resamples is a number from 100, not {options.resamples}: fewer give no interval.")
    key = load_key(options.key)
    results = fit_study(key, load_votes(key, options.answers), options.resamples)
    if options.output is not None:
        save_results(Path(options.output), results, key.study)
    print_results(results, Console())


COMMAND = Command("which of several methods people prefer: a blind page, and scores of its answers", _options, _run)
