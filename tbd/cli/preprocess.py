"""`tbd preprocess mead | hdtf | folder | features | report`."""

from typing import TYPE_CHECKING

from tbd.cli.command import Command
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

_SOURCES = {
    "mead": "MEAD, as tar archives or unpacked",
    "hdtf": "any part of HDTF's videos, with its annotation files",
    "folder": "a folder of anybody's talking heads",
}


def _options(parser: "ArgumentParser") -> None:
    from jsonargparse import ArgumentParser

    from tbd.cli.help import HelpFormatter

    subcommands = parser.add_subcommands(dest="what", required=True)
    for name, summary in _SOURCES.items():
        own = ArgumentParser(description=f"Prepare {summary}.", formatter_class=HelpFormatter, exit_on_error=False, allow_abbrev=False)
        own.add_argument("--root", required=True, help="the folder of the videos" if name == "folder" else "the folder of the download")
        own.add_argument("--output", required=True, help="the cache to write; a second run takes up where the first one stopped")
        if name == "mead":
            own.add_argument(
                "--views", nargs="+", default=["front"], help="cameras: front, down, top, left_30, left_60, right_30, right_60"
            )
        if name == "hdtf":
            own.add_argument("--annotations", required=True, help="the folder of HDTF's annotation files (RD_annotion_time.txt …)")
        _shared_options(own)
        subcommands.add_subcommand(name, own, help=summary)
    own = ArgumentParser(
        description="Add latents and features of pretrained networks to a cache.",
        formatter_class=HelpFormatter,
        exit_on_error=False,
        allow_abbrev=False,
    )
    own.add_argument("cache", help="a folder that `tbd preprocess` wrote")
    own.add_argument("--vae", help="a folder or hub repository of diffusers' AutoencoderKL: latents of the videos")
    own.add_argument("--size", type=int, help="with --vae: pixels of the videos that it sees (default: the cache's largest)")
    own.add_argument(
        "--coarse", action="store_true", help="with --vae: also the coarse frames, region masks and portraits that the video model is told"
    )
    own.add_argument("--wav2vec2", help="a folder or hub repository of transformers' Wav2Vec2, HuBERT or WavLM: features of the sound")
    own.add_argument("--layer", type=int, default=-1, help="with --wav2vec2: which of its hidden states; -1 is the last")
    own.add_argument("--device", default="cpu", help="where the networks run, such as cuda")
    subcommands.add_subcommand("features", own, help="add latents and features of pretrained networks")
    about = "What a cache holds, what is missing or broken, and what a split finds in it."
    own = ArgumentParser(description=about, formatter_class=HelpFormatter, exit_on_error=False, allow_abbrev=False)
    own.add_argument("cache", help="a folder that `tbd preprocess` wrote")
    own.add_argument("--split", help="verify a split, and say what of it is there: a packaged name, such as mead_actor, or a .json file")
    subcommands.add_subcommand("report", own, help="what a cache holds, what is missing or broken")


def _shared_options(parser: "ArgumentParser") -> None:
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 256], help="heights and widths of the videos in pixels")
    parser.add_argument("--crop", default="portrait", help="portrait (head and hair), tight (face) or hdtf (as its authors cut)")
    parser.add_argument("--landmarker", help="a face_landmarker.task file: track with MediaPipe's landmarker as well")
    parser.add_argument("--labels", help="a CSV file with a column clip and any of person, emotion, level, text")
    parser.add_argument("--retry", action="store_true", help="try clips again that failed")
    parser.add_argument("--scan-only", action="store_true", help="find and open the clips without preparing them")
    parser.add_argument("--quiet", action="store_true", help="print nothing")


def _run(options: "Namespace") -> None:
    from rich.console import Console

    what = options.what
    chosen = options[what]
    if what == "features":
        _features(chosen)
        return
    from tbd.data.preprocess.report import report

    if what == "report":
        report(chosen.cache, chosen.split)
        return
    from tbd.data.preprocess.runner import preprocess
    from tbd.data.sources.folder import FolderSource
    from tbd.data.sources.hdtf import HDTFSource
    from tbd.data.sources.mead import MEADSource
    from tbd.utils.file_checks import check_files, check_folder

    sources = {
        "mead": lambda: MEADSource(chosen.root, chosen.views),
        "hdtf": lambda: HDTFSource(chosen.root, chosen.annotations),
        "folder": lambda: FolderSource(chosen.root),
    }
    # inside the download it may lie: a scan passes over it
    check_folder("--output", chosen.output, {"--root": chosen.root, "--annotations": chosen.get("annotations")}, inside=True)
    check_files({"--labels": chosen.labels, "--landmarker": chosen.landmarker}, {})
    console = Console(quiet=chosen.quiet)
    shared = {name: chosen[name] for name in ("workers", "sizes", "crop", "landmarker", "labels", "retry", "scan_only")}
    cache = preprocess(sources[what](), chosen.output, console=console, **shared)
    report(str(cache.root), console=console)


def _features(options: "Namespace") -> None:
    if not (options.vae or options.wav2vec2):
        raise InputError("Nothing to extract; name a network with --vae or --wav2vec2.")
    if options.coarse and not options.vae:
        raise InputError("--coarse makes latents too; name their autoencoder with --vae.")
    from tbd.data.preprocess.cache import Cache
    from tbd.data.preprocess.features import FeatureExtractor, VAELatents, Wav2Vec2Features, extract_features, video_size
    from tbd.data.preprocess.portrait_features import CoarseLatents, PortraitLatent, RegionMasks

    cache = Cache(options.cache)  # a wrong folder is said before large networks are loaded
    extractors: list[FeatureExtractor] = []
    if options.vae:
        latents = VAELatents(options.vae, video_size(cache, options.size), options.device)
        extractors.append(latents)
        if options.coarse:
            extractors += [PortraitLatent(latents), CoarseLatents(latents), RegionMasks(latents)]
    if options.wav2vec2:
        extractors.append(Wav2Vec2Features(options.wav2vec2, options.layer, options.device))
    extract_features(options.cache, extractors)


COMMAND = Command("MEAD, HDTF or your own videos become training data", _options, _run)
