"""`tbd preprocess mead | hdtf | folder | custom | features | plans | mouths | report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbd.cli.options.command import Command
from tbd.cli.options.components import add_slot, chosen, made
from tbd.cli.options.planner import add_planner_options, asks_for_planner, chosen_planner
from tbd.cli.options.sharding import add_shard_options, chosen_shard, launch_shards
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

    from tbd.data.sources.base import RawSource


def _options(parser: "ArgumentParser") -> None:
    from tbd.data.sources.base import source_class
    from tbd.data.sources.registry import DATASETS

    subcommands = parser.add_subcommands(dest="what", required=True)
    for name in DATASETS:
        kind = source_class(name)
        summary = (kind.__doc__ or "").splitlines()[0].rstrip(".")
        own = _subparser(f"Prepare {_uncapitalized(summary)}.")
        _add_arguments_of(own, kind)
        _shared_options(own)
        subcommands.add_subcommand(name, own, help=_uncapitalized(summary))
    own = _subparser("Prepare a data set of your own, by the class path of its RawSource.")
    add_slot(own, "source", "the data set, with its arguments as --source.NAME")
    _shared_options(own)
    subcommands.add_subcommand("custom", own, help="a data set of your own, by the class path of its RawSource")
    own = _subparser("Add latents and features of pretrained networks to a cache.")
    own.add_argument("cache", help="a folder that `tbd preprocess` wrote")
    own.add_argument("--vae", help="a folder or hub repository of diffusers' AutoencoderKL: latents of the videos")
    own.add_argument("--size", type=int, help="with --vae: pixels of the videos that it sees (default: the cache's largest)")
    own.add_argument(
        "--coarse",
        action="store_true",
        help="with --vae: also the video model's portraits, region masks and coarse frames, of all motion and of lips and head alone",
    )
    own.add_argument("--wav2vec2", help="a folder or hub repository of transformers' Wav2Vec2, HuBERT or WavLM: features of the sound")
    own.add_argument("--layer", type=int, default=-1, help="with --wav2vec2: which of its hidden states; -1 is the last")
    own.add_argument("--device", default="cpu", help="where the networks run, such as cuda")
    add_shard_options(own)
    own.add_argument("--quiet", action="store_true", help="print nothing")
    subcommands.add_subcommand("features", own, help="add latents and features of pretrained networks")
    _plan_options(subcommands)
    _mouth_options(subcommands)
    own = _subparser("What a cache holds, what is missing or broken, and what splits find in it.")
    own.add_argument("cache", help="a folder that `tbd preprocess` wrote")
    own.add_argument(
        "--split-file", help="verify splits, and how much of them is there: a packaged name, such as mead_actor, or a .json file"
    )
    subcommands.add_subcommand("report", own, help="what a cache holds, what is missing or broken")


def _plan_options(subcommands: Any) -> None:
    own = _subparser(
        "Measure what each clip's face does over time: a plan, and words for it, which are tbd's own unless a language model is chosen."
    )
    own.add_argument("cache", help="a folder that `tbd preprocess` wrote; a second run takes up where the first one stopped")
    own.add_argument(
        "--tracker",
        help="whose motion: face_mesh, face_landmarker or face_mesh_expressive (default: the landmarker's where all clips have it)",
    )
    own.add_argument(
        "--rest", choices=["person", "clip"], default="person", help="the resting face is of all of a person's clips, or of each clip alone"
    )
    own.add_argument("--workers", type=int, help="processes (default: one per core)")
    own.add_argument("--report", metavar="HTML", help="the page to look at the plans on (default: plans/report.html in the cache)")
    own.add_argument("--report-clips", type=int, default=24, help="clips on the page; 0 writes none")
    add_planner_options(own)
    add_shard_options(own)
    own.add_argument("--quiet", action="store_true", help="print nothing")
    subcommands.add_subcommand("plans", own, help="measure a timed plan of each clip from its own motion")


def _mouth_options(subcommands: Any) -> None:
    own = _subparser("Cut the mouths of filmed people out, beside the same mouths painted: what a network of mouths learns from.")
    own.add_argument("videos", nargs="+", help="videos of one person each")
    own.add_argument("--output", required=True, help="the .npz file to write")
    own.add_argument("--people", choices=["file", "folder"], default="file", help="what names a person: the video's name, or its folder's")
    own.add_argument("--every", type=int, default=4, help="take one frame in so many: neighbours are alike")
    own.add_argument("--landmarker", help="a face_landmarker.task file: find mouths with MediaPipe's landmarker instead of its mesh")
    own.add_argument("--quiet", action="store_true", help="print nothing")
    subcommands.add_subcommand("mouths", own, help="cut out mouths, for a network that finishes the drawn ones")


def _subparser(description: str) -> "ArgumentParser":
    from jsonargparse import ArgumentParser

    from tbd.cli.options.help import HelpFormatter

    return ArgumentParser(description=description, formatter_class=HelpFormatter, exit_on_error=False, allow_abbrev=False)


def _add_arguments_of(parser: "ArgumentParser", kind: "type[RawSource]") -> None:
    """Make options of a constructor's arguments: texts, and sequences of texts; help is in the docstring's ``Args``."""
    import inspect

    from docstring_parser import parse

    help_of = {p.arg_name: " ".join((p.description or "").split()) for p in parse(kind.__doc__ or "").params}
    for name, parameter in inspect.signature(kind).parameters.items():
        several: dict[str, Any] = {} if parameter.annotation is str else {"nargs": "+"}
        required = parameter.default is inspect.Parameter.empty
        default: dict[str, Any] = {"required": True} if required else {"default": list(parameter.default) if several else parameter.default}
        text = help_of.get(name, "").rstrip(".")
        parser.add_argument(f"--{name.replace('_', '-')}", help=_uncapitalized(text), **several, **default)


def _uncapitalized(text: str) -> str:
    """Begin a sentence's words within another; abbreviations stay."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _shared_options(parser: "ArgumentParser") -> None:
    parser.add_argument("--output", required=True, help="the cache to write; a second run takes up where the first one stopped")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 256], help="heights and widths of the videos in pixels")
    parser.add_argument("--crop", default="portrait", help="portrait (head and hair), tight (face) or hdtf (as its authors cut)")
    parser.add_argument("--landmarker", help="a face_landmarker.task file: track with MediaPipe's landmarker as well")
    parser.add_argument(
        "--expressive",
        action="store_true",
        help="track by what a face looks like as well, for acted film (tbd weights fetch facex-emotion)",
    )
    parser.add_argument("--labels", help="a CSV file with a column clip and any of person, emotion, level, text")
    parser.add_argument("--retry", action="store_true", help="try clips again that failed")
    parser.add_argument("--scan-only", action="store_true", help="find and open the clips without preparing them")
    add_shard_options(parser)
    parser.add_argument("--quiet", action="store_true", help="print nothing")


def _run(options: "Namespace") -> None:
    own = options[options.what]
    if options.what == "mouths":
        _mouths(own)
        return
    if options.what != "report" and own.launcher == "slurm" and own.shard is None:
        where = Path(own.cache if options.what in ("features", "plans") else own.output)
        launch_shards(__name__, options, own, where.with_name(f"{where.name}.jobs") / options.what)
        own["launcher"] = "local"  # all is done: what follows gathers and reports
    if options.what == "features":
        _features(own)
        return
    if options.what == "plans":
        _plans(own)
        return
    from tbd.data.preprocess.report import report

    if options.what == "report":
        report(own.cache, own.split_file)
        return
    from rich.console import Console

    from tbd.data.preprocess.runner import preprocess
    from tbd.utils.file_checks import check_files, check_folder

    source, folders = _source(options.what, own)
    # inside the download it may lie: a scan passes over it
    check_folder("--output", own.output, folders, inside=True)
    check_files({"--labels": own.labels, "--landmarker": own.landmarker}, {})
    console = Console(quiet=own.quiet)
    shared = {name: own[name] for name in ("workers", "sizes", "crop", "landmarker", "expressive", "labels", "retry", "scan_only")}
    shard = chosen_shard(own)
    cache = preprocess(source, own.output, console=console, **shared, shard=shard)
    if shard is None:
        report(str(cache.root), console=console)


def _source(name: str, options: "Namespace") -> "tuple[RawSource, dict[str, Any]]":
    """Make the data set; and the folders that it reads: option → value."""
    import inspect

    from tbd.data.sources.base import source_class

    if name == "custom":
        component = chosen(options.source, "source")
        if component is None:
            raise InputError("--source is missing: the class path of a RawSource, such as my_dataset.MySource.")
        source = made(component, "source")
        folders = {f"--source.{key}": value for key, value in component.init_args.items()}
    else:
        kind = source_class(name)
        given = {key: options[key] for key in inspect.signature(kind).parameters}
        source, folders = kind(**given), {f"--{key.replace('_', '-')}": value for key, value in given.items()}
    return source, {option: value for option, value in folders.items() if isinstance(value, str)}


def _plans(options: "Namespace") -> None:
    from rich.console import Console

    from tbd.data.preprocess.cache import Cache
    from tbd.data.preprocess.plan_report import summarize, write_plan_report
    from tbd.data.preprocess.plan_runner import measure_plans
    from tbd.utils.file_checks import check_files

    check_files({"--prompt": options.prompt}, {"--report": options.report}, {"--report": (".html", ".htm")})
    if options.report_clips < 0:
        raise InputError(f"--report-clips is a number of clips from 0, not {options.report_clips}.")
    console, cache = Console(quiet=options.quiet, highlight=False), Cache(options.cache)
    planner = chosen_planner(options) if asks_for_planner(options) else None
    shard = chosen_shard(options)
    recipe, plans = measure_plans(options.cache, options.tracker, options.rest, options.workers, planner, console, shard)
    for name, figure in summarize(plans, {record.clip: record for record in cache.records()}).items():
        console.print(f"  {name}: {figure}")
    if options.report_clips and shard is None:
        path = options.report or cache.path("plans/report.html")
        shown = write_plan_report(path, cache, plans, recipe, options.report_clips)
        console.print(f"{path} shows {len(shown)} of them over their frames.")


def _mouths(options: "Namespace") -> None:
    from rich.console import Console

    from tbd.data.preprocess.mouths import prepare
    from tbd.face.mesh import LandmarkerModel, MeshModel
    from tbd.utils.file_checks import check_files

    if options.every < 1:
        raise InputError(f"--every is a whole number from 1, not {options.every}.")
    videos = [Path(video) for video in options.videos]
    given = {f"video {number}": str(video) for number, video in enumerate(videos, 1)}
    check_files({**given, "--landmarker": options.landmarker}, {"--output": options.output}, {"--output": (".npz",)})
    model = MeshModel() if options.landmarker is None else LandmarkerModel(options.landmarker, video=False)
    people = [video.resolve().parent.name if options.people == "folder" else video.stem for video in videos]
    console = Console(quiet=options.quiet, highlight=False)
    for video, samples in prepare(videos, Path(options.output), model, options.every, people).items():
        console.print(f"  {video}: {samples} mouths")
    console.print(options.output)


def _features(options: "Namespace") -> None:
    if not (options.vae or options.wav2vec2):
        raise InputError("Nothing to extract; name a network with --vae or --wav2vec2.")
    if options.coarse and not options.vae:
        raise InputError("--coarse makes latents too; name their autoencoder with --vae.")
    from rich.console import Console

    from tbd.data.preprocess.cache import Cache
    from tbd.data.preprocess.features import FeatureExtractor, VAELatents, Wav2Vec2Features, extract_features, video_size
    from tbd.data.preprocess.portrait_features import CoarseLatents, NeutralCoarseLatents, PortraitLatent, RegionMasks

    cache = Cache(options.cache)  # a wrong folder is reported before large networks are loaded
    extractors: list[FeatureExtractor] = []
    if options.vae:
        latents = VAELatents(options.vae, video_size(cache, options.size), options.device)
        extractors.append(latents)
        if options.coarse:
            extractors += [PortraitLatent(latents), CoarseLatents(latents), NeutralCoarseLatents(latents), RegionMasks(latents)]
    if options.wav2vec2:
        extractors.append(Wav2Vec2Features(options.wav2vec2, options.layer, options.device))
    extract_features(options.cache, extractors, Console(quiet=options.quiet), chosen_shard(options))


COMMAND = Command("MEAD, HDTF or your own videos become training data", _options, _run)
