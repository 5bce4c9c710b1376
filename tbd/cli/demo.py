"""`tbd demo`: generate from the sample portrait and voice."""

from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.cli.options.drawing import add_drawing_options, drawing_values

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("--output", default="outputs/demo.mp4", help="the video to write (.mp4)")
    parser.add_argument("--emotion", default="she fights back tears, then smiles", help="a sentence about a feeling")
    parser.add_argument("--samples", metavar="FOLDER", help="only write the sample portrait and voice there, as me.jpg and hello.wav")
    add_drawing_options(parser)


def _run(options: "Namespace") -> None:
    from tbd.utils.jobs.threads import share_cores

    share_cores()
    from tbd.cli.generate import generate
    from tbd.utils.sample_inputs import PORTRAIT, VOICE, write_samples

    if options.samples is not None:
        print(*write_samples(options.samples), sep="\n")
        return
    generate(PORTRAIT, VOICE, options.output, options.emotion, **drawing_values(options))


COMMAND = Command("generate from the sample portrait and voice", _options, _run)
