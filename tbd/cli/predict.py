"""`tbd predict`: videos of a protocol's clips, by a model or a baseline."""

from pathlib import Path
from typing import TYPE_CHECKING

from tbd.cli.command import Command
from tbd.cli.protocol_options import add_protocol_options, chosen_reference
from tbd.cli.sharding import add_shard_options, chosen_shard, launch_shards
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

    from tbd.evaluation.protocol import Protocol


def _options(parser: "ArgumentParser") -> None:
    from tbd.evaluation.predictors import Predictor

    add_protocol_options(parser)
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
    add_shard_options(parser)
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _run(options: "Namespace") -> None:
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
    if options.output is not None and options.launcher == "slurm" and options.shard is None:
        launch_shards(__name__, options, options, Path(f"{options.output}.jobs"))
        options["launcher"] = "local"  # all is done: what follows finds nothing to predict, or says what failed
    if options.output is not None:
        _predict_clips(options, protocol)


def _export(options: "Namespace", protocol: "Protocol") -> None:
    from rich.console import Console

    from tbd.evaluation.console import progress
    from tbd.evaluation.input_export import export_inputs
    from tbd.utils.user_warnings import warn

    if options.output is None and options.model is not None:
        warn("--model is not used: --export-inputs without --output predicts nothing.")
    console, folder = Console(quiet=options.quiet), Path(options.export_inputs)
    written, expected = export_inputs(protocol, chosen_reference(options, protocol), folder, lambda clips: progress(clips, console))
    if not options.quiet:
        print(f"{folder} has the inputs of {written} of {expected} clips; its README.md says what to write.")


def _predict_clips(options: "Namespace", protocol: "Protocol") -> None:
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
    clips = chosen_reference(options, protocol).clips()
    predictor = build(chosen, Predictor, "--predictor")
    devices = int(options.devices) if options.devices.lstrip("-").isdigit() else options.devices
    if options.num_nodes < 1:
        raise InputError(f"--num-nodes is a number from 1, not {options.num_nodes}.")
    folder, machines = Path(options.output), (devices, options.accelerator, options.num_nodes)
    predict(protocol, clips, predictor, folder, chosen.model_dump(), *machines, options.quiet, chosen_shard(options))


COMMAND = Command("videos of a protocol's clips, by a model or a baseline", _options, _run)
