"""`tbd predict`: videos of a protocol's clips, by a model or a baseline."""

from pathlib import Path
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.cli.options.components import add_slot, chosen, made
from tbd.cli.options.protocol import add_protocol_options, chosen_reference
from tbd.cli.options.sharding import add_shard_options, chosen_shard, launch_shards
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

    from tbd.evaluation.protocol import Protocol
    from tbd.utils.class_path import Component


def _options(parser: "ArgumentParser") -> None:
    add_protocol_options(parser)
    parser.add_argument("--output", help="the folder to write: an mp4 and a JSON row a clip; an interrupted run is resumed")
    parser.add_argument(
        "--export-inputs",
        metavar="FOLDER",
        help="write what a method may see of each clip, for programs of your own: portrait (png), voice (wav), label, text and plan "
        "(json), and a manifest.csv; without --output nothing is predicted and no model is loaded",
    )
    add_slot(parser, "predictor", "what predicts", default="model")
    parser.add_argument("--model", help="packaged name, folder, or hub repository of a motion model; short for --predictor.model")
    parser.add_argument(
        "--command",
        help="any program, run once a clip: 'python inference.py --source {portrait} --audio {audio} --out {video}'; short for --predictor "
        "command with --predictor.command; --predictor.cwd, .timeout (seconds a clip), .result and .shell belong to it",
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
    from tbd.utils.file_checks import check_folder

    check_folder("--output", options.output, {"--reference": options.reference}, inside=True)
    component = _component(options)
    clips = chosen_reference(options, protocol).clips()
    predictor = made(component, "predictor")
    devices = int(options.devices) if options.devices.lstrip("-").isdigit() else options.devices
    if options.num_nodes < 1:
        raise InputError(f"--num-nodes is a number from 1, not {options.num_nodes}.")
    folder, machines = Path(options.output), (devices, options.accelerator, options.num_nodes)
    predict(protocol, clips, predictor, folder, component.model_dump(), *machines, options.quiet, chosen_shard(options))


def _component(options: "Namespace") -> "Component":
    """The predictor that the options name."""
    if options.command is not None and options.predictor == "model":
        options["predictor"] = "command"
    given = options.predictor
    component = chosen(
        given.as_dict() if hasattr(given, "as_dict") else given, "predictor", "model" if options.command is None else "command"
    )
    for name, kind in (("model", "ModelPredictor"), ("command", "CommandPredictor")):
        if options[name] is None:
            continue
        if not component.class_path.endswith(kind):
            raise InputError(f"--{name} belongs to {kind}; {component.class_path} takes none.")
        component.init_args[name] = options[name]
    if component.class_path.endswith("CommandPredictor") and "command" not in component.init_args:
        raise InputError("--predictor command needs --command 'PROGRAM {portrait} {audio} {video}'.")
    return component


COMMAND = Command("videos of a protocol's clips, by a model or a baseline", _options, _run)
