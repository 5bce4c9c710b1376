"""`tbd evaluate`: scores of a folder of videos, by a protocol."""

from pathlib import Path
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.cli.options.protocol import add_map_option, add_protocol_options, chosen_reference
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace


def _options(parser: "ArgumentParser") -> None:
    add_protocol_options(parser)
    parser.add_argument(
        "--predictions",
        required=True,
        help="a folder of videos named by clip, from `tbd predict` or any other model; without motion files beside them (.npz), motion is "
        "tracked in the pixels of both sides",
    )
    add_map_option(parser)
    parser.add_argument("--output", help="the scores to write (.json); numbers clip by clip go beside it (.csv)")
    parser.add_argument("--workers", type=int, default=1, help="processes that measure clips; the numbers do not depend on it")
    parser.add_argument("--device", default="auto", help="where the metrics' networks run (auto: the GPU if there is one)")
    parser.add_argument("--quiet", action="store_true", help="show no progress and no table")


def _run(options: "Namespace") -> None:
    from rich.console import Console

    from tbd.evaluation.console import print_scores, progress
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
        chosen_reference(options, protocol),
        lambda names: read_predictions(options.predictions, names, options.map),
        lambda items: progress(items, console),
        _device(options.device),
        options.workers,
    )
    if options.output is not None:
        scores.save(options.output)
        save_clips(Path(options.output).with_suffix(".csv"), clips)
    print_scores(scores, protocol if scores.protocol == protocol.id else in_pixels(protocol), console)


def _check_scores(output: str | None, predictions: str) -> None:
    """Scores and the table beside them must not take the place of what they are about."""
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


COMMAND = Command("scores of a folder of videos, by a protocol", _options, _run)
