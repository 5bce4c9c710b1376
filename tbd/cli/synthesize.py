"""`tbd synthesize`."""

from tbd.cli.command import Command


def _synthesize_options(parser) -> None:
    parser.add_argument("--output", required=True, help="the folder to write, in MEAD's layout")
    parser.add_argument("--hours", type=float, default=2.0, help="hours of speech")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same corpus")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument(
        "--recordings",
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="let real voices speak as well: folders of sound files, one per speaker",
    )


def _synthesize(options) -> None:
    from tbd.data.synthetic.corpus import synthesize
    from tbd.utils.file_checks import check_folder

    check_folder("--output", options.output, {f"--recordings {folder}": folder for folder in options.recordings})
    synthesize(options.output, options.hours, seed=options.seed, workers=options.workers, recordings=options.recordings)


COMMANDS = {
    "synthesize": Command(
        "write the procedural corpus: synthetic speech with known motion, plans and phones", _synthesize_options, _synthesize
    )
}
