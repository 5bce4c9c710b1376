"""`tbd generate | demo | track | render`."""

from typing import Any

from tbd import MOTION_MODEL
from tbd.cli.command import Command
from tbd.cli.component_options import add_slot, chosen, made, swapped_scheduler

_MOTIONS = ".npz exact, .csv in Live Link Face's layout, .tsv with all channels"

_MESH = "tbd.face.render.renderer.MeshWarpRenderer"


def _generate_options(parser) -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face")
    parser.add_argument("--audio", required=True, help="speech, in any format that FFmpeg reads")
    parser.add_argument("--emotion", default="", help="a sentence about a feeling; neutral where there is none")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--plan", help="a plan from `tbd think --json`, perhaps edited, instead of --emotion")
    add_slot(parser, "renderer", "warp the portrait, or draw each frame anew with the latent video model (needs --checkpoint)", "mesh")
    parser.add_argument("--checkpoint", help="the video model of --renderer video: exported folder, checkpoint, or hub repository")
    _drawing_options(parser)


def _drawing_options(parser) -> None:
    add_slot(parser, "planner", "thinks the sentence", "knowledge")
    add_slot(parser, "tracker", "finds the face", "mesh")
    add_slot(parser, "guidance", "combines the predictions of a denoising step (default: the model's)")
    add_slot(parser, "noise_scheduler", "the denoising steps (default: the model's)")
    parser.add_argument("--motion-output", help=f"also write the motion ({_MOTIONS})")
    parser.add_argument("--plan-output", help="also write the plan (.json)")
    parser.add_argument("--model", default=MOTION_MODEL, help="packaged name, folder, or hub repository of a motion model")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same video")
    parser.add_argument("--size", type=int, default=512, help="height and width of the video in pixels")
    parser.add_argument("--num-inference-steps", type=int, help="denoising steps; more is finer and slower (default: the model's)")
    parser.add_argument("--emotion-scale", type=float, help="strength of the global emotion; 1 is as trained (default: the model's)")
    parser.add_argument("--muscle-scale", type=float, help="strength of the local muscles (default: the model's)")
    parser.add_argument("--audio-scale", type=float, help="strength of the articulation (default: the model's)")
    parser.add_argument("--head-motion", type=float, default=1.0, help="how much the head moves; 0 holds it still")
    parser.add_argument("--quiet", action="store_true", help="print nothing but warnings, which go to standard error")


def _generate(options) -> None:
    from tbd.cli.path_checks import check_generation

    check_generation(options.portrait, options.audio, options.output, options.plan, options.motion_output, options.plan_output)
    from tbd.pipeline import generate

    renderer = "video" if _names_video(options.renderer) else "mesh"
    own = {"renderer": renderer, "checkpoint": options.checkpoint}
    generate(options.portrait, options.audio, options.output, options.emotion, options.plan, **_drawing_values(options), **own)


def _names_video(value: Any) -> bool:
    return value is not None and chosen(value, "renderer", "mesh").class_path == "tbd.draw.video.renderer.VideoRenderer"


def _components(options) -> Any:
    """What was chosen for the slots; None where it is the packaged part."""
    from tbd.pipeline import Components

    found = {}
    for slot, own in (("planner", "knowledge"), ("tracker", "mesh"), ("renderer", "mesh"), ("guidance", None)):
        value = options.get(slot)
        if value not in (None, own) and not (slot == "renderer" and _names_video(value)) and not _packaged(value, slot, own):
            component = chosen(value, slot, own)
            if "emotion" in options and component.class_path == _MESH:
                component.init_args.setdefault("close_lips", 1.0)  # a mouth that speaks starts from closed lips
            found[slot] = made(component, slot)
    scheduler = options.get("noise_scheduler")
    if scheduler is not None:
        found["noise_scheduler"] = swapped_scheduler(chosen(scheduler, "noise_scheduler"))
    return Components(**found)


def _packaged(value: Any, slot: str, own: str | None) -> bool:
    """Whether a slot names its packaged part by class path, without arguments: the pipeline then fits it to the plan."""
    return own is not None and chosen(value, slot, own) == chosen(own, slot)


def _drawing_values(options) -> dict:
    from dataclasses import fields

    from rich.console import Console

    from tbd.pipeline import SamplingOptions

    drawing = SamplingOptions(**{field.name: options[field.name] for field in fields(SamplingOptions)})
    shared = {name: options[name] for name in ("size", "motion_output", "plan_output")}
    return {"drawing": drawing, "console": Console(quiet=options.quiet), "components": _components(options), **shared}


def _demo_options(parser) -> None:
    parser.add_argument("--output", default="outputs/demo.mp4", help="the video to write (.mp4)")
    parser.add_argument("--emotion", default="she fights back tears, then smiles", help="a sentence about a feeling")
    parser.add_argument("--samples", metavar="FOLDER", help="only write the sample portrait and voice there, as me.jpg and hello.wav")
    _drawing_options(parser)


def _demo(options) -> None:
    if options.samples is not None:
        from tbd.utils.sample_inputs import write_samples

        print(*write_samples(options.samples), sep="\n")
        return
    from tbd.pipeline import demo

    demo(options.output, options.emotion, **_drawing_values(options))


def _track_options(parser) -> None:
    parser.add_argument("video", help="a video with a face")
    parser.add_argument("--output", required=True, help=f"the motion to write ({_MOTIONS})")
    add_slot(parser, "tracker", "finds and follows the face", "mesh")
    parser.add_argument("--start", type=float, default=0.0, help="seconds of the video at which to begin")
    parser.add_argument("--end", type=float, help="seconds of the video at which to stop")
    parser.add_argument("--landmarker", help="a face_landmarker.task file: track with MediaPipe's landmarker instead of the mesh")
    parser.add_argument("--neutral", help="a picture or video of the same person at rest, to tell what the face holds from its shape")


def _track(options) -> None:
    from tbd.cli.path_checks import check_track
    from tbd.errors import InputError

    if options.landmarker is not None and options.tracker != "mesh":
        raise InputError("--landmarker chooses its own tracker; leave --tracker out.")
    check_track(options.video, options.output, options.landmarker, options.neutral)
    from tbd.pipeline import track

    tracker = made(chosen(options.tracker, "tracker", "mesh"), "tracker") if options.tracker != "mesh" else None
    part = {"start": options.start, "end": options.end}
    track(options.video, options.output, landmarker=options.landmarker, tracker=tracker, neutral=options.neutral, **part)


def _render_options(parser) -> None:
    parser.add_argument("--portrait", required=True, help="a photograph or painting with a face")
    parser.add_argument("--motion", required=True, help="a motion: .npz, CSV of Live Link Face or others, JSON")
    parser.add_argument("--audio", help="sound for the video")
    parser.add_argument("--output", required=True, help="the video to write (.mp4)")
    parser.add_argument("--size", type=int, default=512, help="height and width of the video in pixels")
    add_slot(parser, "renderer", "draws the frames", "mesh")
    add_slot(parser, "tracker", "finds the face", "mesh")


def _render(options) -> None:
    from tbd.cli.path_checks import check_render
    from tbd.errors import InputError

    if _names_video(options.renderer):
        raise InputError("--renderer video needs a plan and a voice, which `tbd generate` has; render with mesh, or a class of yours.")
    check_render(options.portrait, options.motion, options.output, options.audio)
    from tbd.pipeline import render

    render(options.portrait, options.motion, options.output, audio=options.audio, size=options.size, components=_components(options))


COMMANDS = {
    "generate": Command("a portrait, a voice and a sentence become a video", _generate_options, _generate),
    "demo": Command("generate from the sample portrait and voice", _demo_options, _demo),
    "track": Command("a real performance becomes a motion", _track_options, _track),
    "render": Command("a motion becomes a video of any portrait", _render_options, _render),
}
