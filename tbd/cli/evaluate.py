"""`tbd predict | evaluate | leaderboard`."""

from tbd.cli.command import Command
from tbd.errors import InputError

_BOARD, _README = "benchmarks/leaderboard", "benchmarks/README.md"


def _protocol_options(parser) -> None:
    from tbd.evaluation.protocol import protocol_names

    parser.add_argument("--protocol", required=True, help="a YAML file, or one of those that ship: " + ", ".join(protocol_names()))
    parser.add_argument("--reference", help="where the true clips are: a prepared cache, or the folder that the protocol asks for")


def _reference(options, protocol):
    from tbd.evaluation.references.sources import build_reference

    return build_reference(protocol.reference, options.reference)


def _predict_options(parser) -> None:
    from tbd.evaluation.predictors import Predictor

    _protocol_options(parser)
    parser.add_argument("--output", help="the folder to write: an mp4 and a JSON row a clip; an interrupted run is resumed")
    parser.add_argument(
        "--export-inputs",
        metavar="FOLDER",
        help="write what a method may see of each clip, for programs of your own: portrait (png), voice (wav), label, text and plan "
        "(json), and a manifest.csv; without --output nothing is predicted and no model is loaded",
    )
    parser.add_argument("--model", help="packaged name, folder, or hub repository of a motion model; short for --predictor.model")
    parser.add_subclass_arguments(
        Predictor,
        "predictor",
        as_group=False,
        default={"class_path": "tbd.evaluation.predictors.ModelPredictor"},
        help="what predicts: ModelPredictor, GroundTruth, StillPortrait, LoudnessJaw, or a class of yours",
    )
    parser.add_argument(
        "--devices", type=str, default="1", help="how many GPUs or processes of a machine, or auto for all; each clip is made once"
    )
    parser.add_argument("--accelerator", default="auto", help="cpu, gpu, …")
    parser.add_argument("--num-nodes", type=int, default=1, help="how many machines")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _predict(options) -> None:
    from pathlib import Path

    from tbd.evaluation.input_export import require_apart
    from tbd.evaluation.protocol import load_protocol

    protocol = load_protocol(options.protocol)
    if options.output is None and options.export_inputs is None:
        raise InputError("--output is missing: name the folder to write predictions to, or give --export-inputs FOLDER for inputs alone.")
    if options.export_inputs is not None:
        apart = {"--reference": options.reference, "--output": options.output}
        require_apart("--export-inputs", Path(options.export_inputs), apart)
    if options.output is not None:
        require_apart("--output", Path(options.output), {"--reference": options.reference, "--export-inputs": options.export_inputs})
    if options.export_inputs is not None:
        _export(options, protocol)
    if options.output is not None:
        _predict_clips(options, protocol)


def _export(options, protocol) -> None:
    from pathlib import Path

    from rich.console import Console

    from tbd.evaluation.console import watched
    from tbd.evaluation.input_export import export_inputs
    from tbd.utils.user_warnings import warn

    if options.output is None and options.model is not None:
        warn("--model is not used: --export-inputs without --output predicts nothing.")
    console, folder = Console(quiet=options.quiet), Path(options.export_inputs)
    written, expected = export_inputs(protocol, _reference(options, protocol), folder, lambda clips: watched(clips, console))
    if not options.quiet:
        print(f"{folder} has the inputs of {written} of {expected} clips; its README.md says what to write.")


def _predict_clips(options, protocol) -> None:
    from pathlib import Path

    from tbd.evaluation.predict import predict
    from tbd.evaluation.predictors import Predictor
    from tbd.utils.class_path import Component, build
    from tbd.utils.file_checks import check_folder

    check_folder("--output", options.output, {"--reference": options.reference}, inside=True)
    chosen = Component.model_validate(options.predictor.as_dict())
    if options.model is not None:
        if not chosen.class_path.endswith("ModelPredictor"):
            raise InputError(f"--model belongs to ModelPredictor; {chosen.class_path} takes none.")
        chosen.init_args["model"] = options.model
    clips = _reference(options, protocol).clips()
    predictor = build(chosen, Predictor, "--predictor")
    devices = int(options.devices) if options.devices.lstrip("-").isdigit() else options.devices
    if options.num_nodes < 1:
        raise InputError(f"--num-nodes is a number from 1, not {options.num_nodes}.")
    folder, machines = Path(options.output), (devices, options.accelerator, options.num_nodes)
    predict(protocol, clips, predictor, folder, chosen.model_dump(), *machines, options.quiet)


def _evaluate_options(parser) -> None:
    _protocol_options(parser)
    parser.add_argument(
        "--predictions",
        required=True,
        help="a folder of videos named by clip, from `tbd predict` or any other model; without motion files beside them (.npz), motion is "
        "tracked in the pixels of both sides",
    )
    parser.add_argument("--output", help="the scores to write (.json); numbers clip by clip go beside it (.csv)")
    parser.add_argument("--workers", type=int, default=1, help="processes that look at clips; the numbers do not depend on it")
    parser.add_argument("--device", default="auto", help="where the metrics' networks run (auto: the GPU if there is one)")
    parser.add_argument("--quiet", action="store_true", help="show no progress and no table")


def _evaluate(options) -> None:
    from pathlib import Path

    from rich.console import Console

    from tbd.evaluation.console import show, watched
    from tbd.evaluation.evaluate import evaluate, save_clips
    from tbd.evaluation.pixel_protocol import in_pixels
    from tbd.evaluation.predictions import read_predictions
    from tbd.evaluation.protocol import load_protocol

    _check_scores(options.output, options.predictions)
    protocol, console = load_protocol(options.protocol), Console(quiet=options.quiet)
    if options.workers < 1:
        raise InputError(f"--workers is a number of processes from 1, not {options.workers}.")
    scores, clips = evaluate(
        protocol,
        _reference(options, protocol),
        lambda names: read_predictions(options.predictions, names),
        lambda items: watched(items, console),
        _device(options.device),
        options.workers,
    )
    if options.output is not None:
        scores.save(options.output)
        save_clips(Path(options.output).with_suffix(".csv"), clips)
    show(scores, protocol if scores.protocol == protocol.id else in_pixels(protocol), console)


def _check_scores(output: str | None, predictions: str) -> None:
    """Scores and the table beside them must not take the place of what they are about."""
    from pathlib import Path

    from tbd.evaluation.predictions import RUN, VIDEOS
    from tbd.utils.file_checks import check_files, same_file

    if output is None:
        return
    check_files({}, {"--output": output, "the table beside it": Path(output).with_suffix(".csv")}, {"--output": (".json",)})
    folder, name = Path(output).parent, Path(output)
    of_clip = any((folder / f"{name.stem}{suffix}").exists() for suffix in VIDEOS)
    if (name.name == RUN and same_file(folder, predictions)) or of_clip:
        raise InputError(f"--output {output} is a file of the predictions, which would be overwritten; choose another name.")


def _device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name} cannot be used here; auto, cpu or, where there is a GPU, cuda are right.") from error
    return name


def _leaderboard_options(parser) -> None:
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


def _leaderboard(options) -> None:
    from tbd.evaluation.leaderboard import store
    from tbd.evaluation.leaderboard.build import build

    chosen = options[options.action]
    if chosen.board == _BOARD:
        store.begin(chosen.board)
    if options.action == "build":
        for path in build(chosen.board, chosen.output, _readme(chosen.board, chosen.readme)):
            print(path)
    elif options.action == "add":
        print(store.add(chosen.board, chosen.scores, predictions=chosen.predictions, **_row(chosen)))
    else:
        print(store.report(chosen.board, chosen.protocol, store.parse_numbers(chosen.metric), chosen.citation, **_row(chosen)))


def _readme(board: str, given: str | None) -> str | None:
    """The markdown file to renew: the project's own belongs to the project's own board alone."""
    from pathlib import Path

    from tbd.utils.file_checks import same_file

    if given is None:
        return _README if same_file(board, _BOARD) and Path(_README).is_file() else None
    if not Path(given).is_file():
        raise InputError(f"There is no file {given} (--readme) to put the tables into.")
    return given


def _row(options) -> dict:
    return {name: options[name] for name in ("name", "paper", "code", "note", "replace")}


COMMANDS = {
    "predict": Command("videos of a protocol's clips, by a model or a baseline", _predict_options, _predict),
    "evaluate": Command("scores of a folder of videos, by a protocol", _evaluate_options, _evaluate),
    "leaderboard": Command("keep scores, and show them", _leaderboard_options, _leaderboard),
}
