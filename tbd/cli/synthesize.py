"""`tbd synthesize`: write the procedural corpus."""

from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("--output", required=True, help="the folder to write, in MEAD's layout")
    parser.add_argument("--hours", type=float, default=2.0, help="hours of speech")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same corpus")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument(
        "--variation",
        type=float,
        default=0.0,
        help="how far performances go from their plans: 0 performs plans as they stand, 1 varies timing, units, sides, intensity, style",
    )
    parser.add_argument(
        "--recordings",
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="let real voices speak as well: folders of sound files, one per speaker",
    )


def _run(options: "Namespace") -> None:
    from tbd.data.synthetic.corpus import synthesize
    from tbd.data.synthetic.variation import PerformanceVariation
    from tbd.utils.file_checks import check_folder

    check_folder("--output", options.output, {f"--recordings {folder}": folder for folder in options.recordings})
    if not 0 <= options.variation <= 3:
        raise InputError(f"--variation is from 0 to 3, not {options.variation:g}.")
    variation = PerformanceVariation().scaled(options.variation) if options.variation else None
    synthesize(
        options.output, options.hours, seed=options.seed, workers=options.workers, recordings=options.recordings, variation=variation
    )


COMMAND = Command("write the procedural corpus: synthetic speech with known motion, plans and phones", _options, _run)
