"""`tbd generate | demo | track | render`."""

from tbd import MOTION_MODEL
from tbd.commands import Command


def _generate_options(parser) -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face")
    parser.add_argument("--audio", required=True, help="speech, in any format that FFmpeg reads")
    parser.add_argument("--emotion", default="", help="a sentence about a feeling; neutral where there is none")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--plan", help="a plan from `tbd think --json`, perhaps edited, instead of --emotion")
    renderers = "warp the portrait, or draw each frame anew with the latent video model (needs --checkpoint)"
    parser.add_argument("--renderer", default="mesh", choices=["mesh", "video"], help=renderers)
    parser.add_argument("--checkpoint", help="the video model of --renderer video: exported folder, checkpoint, or hub repository")
    _drawing_options(parser)


def _drawing_options(parser) -> None:
    parser.add_argument("--motion-output", help="also write the motion (.npz or .csv)")
    parser.add_argument("--plan-output", help="also write the plan (.json)")
    parser.add_argument("--model", default=MOTION_MODEL, help="packaged name, folder, or hub repository of a motion model")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same video")
    parser.add_argument("--size", type=int, default=512, help="height and width of the video in pixels")
    parser.add_argument("--num-inference-steps", type=int, help="denoising steps; more is finer and slower (default: the model's)")
    parser.add_argument("--emotion-scale", type=float, help="strength of the global emotion; 1 is as trained (default: the model's)")
    parser.add_argument("--muscle-scale", type=float, help="strength of the local muscles (default: the model's)")
    parser.add_argument("--audio-scale", type=float, help="strength of the articulation (default: the model's)")
    parser.add_argument("--head-motion", type=float, default=1.0, help="how much the head moves; 0 holds it still")
    parser.add_argument("--quiet", action="store_true", help="print nothing")


def _generate(options) -> None:
    from tbd.pipeline import generate

    chosen = {"renderer": options.renderer, "checkpoint": options.checkpoint}
    generate(options.portrait, options.audio, options.output, options.emotion, options.plan, **_drawing_values(options), **chosen)


def _drawing_values(options) -> dict:
    from dataclasses import fields

    from rich.console import Console

    from tbd.pipeline import Drawing

    drawing = Drawing(**{field.name: options[field.name] for field in fields(Drawing)})
    shared = {name: options[name] for name in ("size", "motion_output", "plan_output")}
    return {"drawing": drawing, "console": Console(quiet=options.quiet), **shared}


def _demo_options(parser) -> None:
    parser.add_argument("--output", default="outputs/demo.mp4", help="the video to write (.mp4)")
    parser.add_argument("--emotion", default="she fights back tears, then smiles", help="a sentence about a feeling")
    _drawing_options(parser)


def _demo(options) -> None:
    from tbd.pipeline import demo

    demo(options.output, options.emotion, **_drawing_values(options))


def _track_options(parser) -> None:
    parser.add_argument("video", help="a video with a face")
    parser.add_argument("--output", required=True, help="the motion to write (.npz or .csv)")
    parser.add_argument("--landmarker", help="a face_landmarker.task file: track with MediaPipe's landmarker instead of the mesh")
    parser.add_argument("--neutral", help="a picture or video of the same person at rest, to tell what the face holds from its shape")


def _track(options) -> None:
    from tbd.pipeline import track

    track(options.video, options.output, landmarker=options.landmarker, neutral=options.neutral)


def _render_options(parser) -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face")
    parser.add_argument("--motion", required=True, help="a motion (.npz or .csv)")
    parser.add_argument("--audio", help="sound for the video")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--size", type=int, default=512, help="height and width of the video in pixels")


def _render(options) -> None:
    from tbd.pipeline import render

    render(options.portrait, options.motion, options.output, audio=options.audio, size=options.size)


COMMANDS = {
    "generate": Command("a portrait, a voice and a sentence become a video", _generate_options, _generate),
    "demo": Command("generate from the sample portrait and voice", _demo_options, _demo),
    "track": Command("a real performance becomes a motion", _track_options, _track),
    "render": Command("a motion becomes a video of any portrait", _render_options, _render),
}
