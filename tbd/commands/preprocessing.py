"""`tbd preprocess mead | hdtf | folder | report`."""

from tbd.commands import Command

_SOURCES = {
    "mead": "MEAD, as tar archives or unpacked",
    "hdtf": "any part of HDTF's videos, with its annotation files",
    "folder": "a folder of anybody's talking heads",
}


def _options(parser) -> None:
    from jsonargparse import ArgumentParser

    subcommands = parser.add_subcommands(dest="what", required=True, title="what")
    for name, summary in _SOURCES.items():
        own = ArgumentParser(description=f"Prepare {summary}.")
        own.add_argument("--root", required=True, help="the folder of the download")
        own.add_argument("--output", required=True, help="the cache to write; a second run takes up where the first one stopped")
        if name == "mead":
            own.add_argument(
                "--views", nargs="+", default=["front"], help="cameras: front, down, top, left_30, left_60, right_30, right_60"
            )
        if name == "hdtf":
            own.add_argument("--annotations", required=True, help="the folder of HDTF's annotation files (RD_annotion_time.txt …)")
        _shared_options(own)
        subcommands.add_subcommand(name, own, help=summary)
    own = ArgumentParser(description="What a cache holds, what is missing or broken, and what a split finds in it.")
    own.add_argument("cache", help="a folder that `tbd preprocess` wrote")
    own.add_argument("--split", help="verify a split, and say what of it is there: a packaged name, such as mead_actor, or a .json file")
    subcommands.add_subcommand("report", own, help="what a cache holds, what is missing or broken")


def _shared_options(parser) -> None:
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 256], help="heights and widths of the videos in pixels")
    parser.add_argument("--crop", default="portrait", help="portrait (head and hair), tight (face) or hdtf (as its authors cut)")
    parser.add_argument("--landmarker", help="a face_landmarker.task file: track with MediaPipe's landmarker as well")
    parser.add_argument("--labels", help="a CSV file with a column clip and any of person, emotion, level, text")
    parser.add_argument("--retry", action="store_true", help="try clips again that failed")
    parser.add_argument("--scan-only", action="store_true", help="find and open the clips without preparing them")
    parser.add_argument("--quiet", action="store_true", help="print nothing")


def _run(options) -> None:
    from rich.console import Console

    what = options.what
    chosen = options[what]
    from tbd.data.report import report

    if what == "report":
        report(chosen.cache, chosen.split)
        return
    from tbd.data.preprocess import preprocess
    from tbd.data.scan_folder import FolderSource
    from tbd.data.scan_hdtf import HDTFSource
    from tbd.data.scan_mead import MEADSource

    sources = {
        "mead": lambda: MEADSource(chosen.root, chosen.views),
        "hdtf": lambda: HDTFSource(chosen.root, chosen.annotations),
        "folder": lambda: FolderSource(chosen.root),
    }
    console = Console(quiet=chosen.quiet)
    shared = {name: chosen[name] for name in ("workers", "sizes", "crop", "landmarker", "labels", "retry", "scan_only")}
    cache = preprocess(sources[what](), chosen.output, console=console, **shared)
    report(str(cache.root), console=console)


COMMANDS = {"preprocess": Command("MEAD, HDTF or your own videos become training data", _options, _run)}
