"""`tbd studio`: a page on which a portrait, a voice and a sentence become a talking face."""

from typing import TYPE_CHECKING

from tbd import MOTION_MODEL
from tbd.cli.options.command import Command
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860 on)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--share", action="store_true", help="also get a public address from Gradio's makers; needs a network")
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    parser.add_argument("--model", default=MOTION_MODEL, help="motion model or saved pipeline: packaged name, folder, or hub repository")


def _run(options: "Namespace") -> None:
    from tbd.studio.server import require_gradio

    if options.port is not None and not 1 <= options.port <= 65535:
        raise InputError(f"--port is a number from 1 to 65535, not {options.port}.")
    require_gradio()
    import signal
    import threading

    from tbd.pipeline import TalkingHeadPipeline
    from tbd.studio.server import serve

    pipeline = TalkingHeadPipeline.from_pretrained(options.model)
    with serve(pipeline, options.host, options.port, options.share, options.open, options.model) as address:
        print(f"The studio is at {address}  (Ctrl-C ends it)", flush=True)
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):  # either way, temporary files go
            signal.signal(number, lambda *_: ended.set())
        ended.wait()


COMMAND = Command("a page on this machine: think, edit the muscles, draw, download", _options, _run)
