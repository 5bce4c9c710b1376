"""`tbd think`: a sentence becomes a chain of thought and a muscle plan."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.cli.options.components import add_slot, chosen, made
from tbd.cli.options.planner import add_planner_options, add_voice_options, chosen_planner
from tbd.cli.options.tracking import names_tracker
from tbd.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from jsonargparse import ArgumentParser, Namespace

    from tbd.face.tracker import Tracker
    from tbd.think.plan import MusclePlan
    from tbd.think.planner import Planner
    from tbd.think.voice import VoiceReader
    from tbd.think.voice.planning import EmotionSource

_FILES = ("from-video", "neutral", "landmarker", "prompt", "audio", "portrait")
_ONE_SOURCE = "give a sentence about a feeling (or --audio, a voice), a plan with --from, or a performance with --from-video; one of them."


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("text", nargs="?", help="a sentence about a feeling")
    parser.add_argument("--from", metavar="PLAN", help="read this plan (.json) instead of a sentence")
    parser.add_argument("--from-video", metavar="FILE", help="write down what a filmed face does, or a tracked one (a motion file)")
    parser.add_argument("--neutral", metavar="FILE", help="--from-video: a picture or video of the same person at rest")
    parser.add_argument(
        "--landmarker", metavar="FILE", help="--from-video: a face_landmarker.task file, which then tracks instead of the mesh"
    )
    add_slot(parser, "tracker", "--from-video: finds and follows the face", "mesh")
    parser.add_argument("--audio", metavar="FILE", help="the voice that the plan is for: it spans its length, and how it is said is heard")
    parser.add_argument("--duration", type=float, help="seconds that the plan should span")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="WHAT=VALUE",
        help="set a muscle (AU12=0.4, AU12L=0.4 for the left side, 0 removes it), a region's description "
        "(lower=lips pressed together) or the intensity (intensity=0.5); may be repeated",
    )
    parser.add_argument("--check", action="store_true", help="print only what a face could not do, or not while it speaks")
    parser.add_argument("--repair", action="store_true", help="mend what --check finds, and say what was changed")
    parser.add_argument("--chart", metavar="SVG", help="also draw the muscles on a face (.svg)")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON, for editing and for `generate --plan`")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of plans, and nothing else")
    add_planner_options(parser, observes=True)
    parser.add_argument("--portrait", metavar="FILE", help="--see portrait: the photograph or painting that the model is shown")
    add_voice_options(parser)


def _run(options: "Namespace") -> None:
    from tbd.utils.file_checks import check_files

    if options.schema:
        print_schema()
        return
    source = options.text if options.text is not None else options.audio
    if sum(given is not None for given in (source, options["from"], options.from_video)) != 1:
        raise InputError(_ONE_SOURCE)
    _check_voice(options)
    if options.hear and options.audio is None:
        raise InputError("--hear needs --audio, the voice that the model is given.")
    if (options.see is None) != (options.portrait is None):
        raise InputError("--see portrait and --portrait FILE go together: the model is shown that face.")
    for name in ("neutral", "landmarker"):
        if options[name] is not None and options.from_video is None:
            raise InputError(f"--{name} belongs to --from-video; there is no face to measure here.")
    tracker = _chosen_tracker(options)
    files = {f"--{name}": options[name.replace("-", "_")] for name in _FILES}
    check_files({"--from": options["from"], **files}, {"--chart": options.chart}, {"--chart": (".svg",)})
    think(
        options.text,
        chosen_planner(options),
        duration=options.duration,
        source=options["from"],
        video=options.from_video,
        neutral=options.neutral,
        landmarker=options.landmarker,
        tracker=tracker,
        assignments=options.set,
        **{name: options[name] for name in ("repair", "check", "chart")},
        as_json=options.json,
        audio=options.audio,
        portrait=options.portrait,
        emotion_from=options.emotion_from or "both",
        voice_reader=made(chosen(options.voice_reader, "voice_reader", "prosodic"), "voice_reader") if options.audio is not None else None,
    )


def _chosen_tracker(options: "Namespace") -> "Tracker | None":
    """The tracker that is named; None for the default one, or the landmarker's file's."""
    if options.tracker != "mesh" and options.from_video is None:
        raise InputError("--tracker belongs to --from-video; there is no face to follow here.")
    return made(chosen(options.tracker, "tracker", "mesh"), "tracker") if names_tracker(options) else None


def _check_voice(options: "Namespace") -> None:
    """Refuse options of a voice that do not go together."""
    if options.audio is None:
        if options.emotion_from is not None or options.voice_reader != "prosodic":
            raise InputError("--emotion-from and --voice-reader need --audio, the voice that the plan is for.")
    elif options.text is None and options.emotion_from == "text":
        raise InputError("--emotion-from text needs a sentence about a feeling.")
    elif options.duration is not None:
        raise InputError("Give --duration or --audio, not both: the plan spans the voice.")


def think(
    text: str | None,
    planner: "Planner",
    *,
    duration: float | None = None,
    source: str | None = None,
    video: str | None = None,
    neutral: str | None = None,
    landmarker: str | None = None,
    tracker: "Tracker | None" = None,
    assignments: Sequence[str] = (),
    repair: bool = False,
    check: bool = False,
    chart: str | None = None,
    as_json: bool = False,
    audio: str | None = None,
    portrait: str | None = None,
    emotion_from: "EmotionSource" = "both",
    voice_reader: "VoiceReader | None" = None,
) -> None:
    """Think or read a plan, edit and repair it, then print or draw it. What the planner doubts goes to standard error.

    Args:
        text: A sentence about a feeling, or None where `source` or `video` is given.
        planner: Thinks the sentence, and reads the words that describe a region.
        duration: Seconds that the plan should span.
        source: A plan file to read instead.
        video: A filmed face, or a motion file, whose performance becomes the plan.
        neutral: A picture or video of the same person at rest.
        landmarker: A ``face_landmarker.task`` file; MediaPipe's landmarker then tracks instead of the mesh tracker.
        tracker: What tracks, instead of these two.
        assignments: Edits, regions first, so that their words take no muscle away that is set by name; see `tbd.think.edit.edit`.
        repair: Whether to mend what the check finds, and to say what was changed.
        check: Whether to print the findings alone.
        chart: An SVG file to draw the face into.
        as_json: Whether to print the plan as JSON, and all else to standard error.
        audio: The file of a voice that the plan is for; it takes the place of `duration`, and may take that of the text.
        portrait: The file of a picture that a planner is shown which sees.
        emotion_from: Where the feeling is taken from, if there is a voice.
        voice_reader: Hears the voice; the packaged one by default.

    Raises:
        InputError: If not exactly one of `text` (or `audio`), `source` and `video` is given, or if something in them cannot be used.
    """
    from tbd.think import plan_checks
    from tbd.think.action_units import REGIONS
    from tbd.think.edit import edit
    from tbd.think.plan import MusclePlan
    from tbd.think.viz.console import show, warn_of_notes

    if sum(given is not None for given in (audio if text is None else text, source, video)) != 1:
        raise InputError(_ONE_SOURCE)
    if video is not None:
        plan = _performed(video, neutral, landmarker, tracker)
    elif audio is not None:
        plan = _with_voice(planner, text or "", audio, _picture(portrait), emotion_from, voice_reader)
    elif source is not None:
        plan = MusclePlan.load(source)
    else:
        picture = _picture(portrait) if "portrait" in planner.observes else None
        plan = _thought(planner, text or "", duration, **({} if picture is None else {"portrait": picture}))
    for assignment in sorted(assignments, key=lambda each: each.partition("=")[0].strip() not in REGIONS):
        plan = edit(plan, assignment, planner)
    lines: list[str] = []
    if repair:
        plan, changes = plan_checks.repair(plan)
        lines += [f"repaired: {change}" for change in changes] or ["There is nothing to repair."]
    findings = plan_checks.check(plan)
    if check or as_json:
        lines += [f"{finding.kind}: {finding.sentence}" for finding in findings]
    if check and not findings:
        lines.append("The check finds nothing.")
    if chart is not None:
        _write_chart(plan, chart)
        lines.append(f"The face chart is in {chart}.")
    for line in lines:
        print(line, file=sys.stderr if as_json else sys.stdout)
    warn_of_notes(plan)
    if as_json:
        print(plan.to_json())
    elif not check:
        show(plan, notes=False)


def _picture(portrait: str | None) -> "np.ndarray | None":
    """A picture from a file, where there is one."""
    if portrait is None:
        return None
    from tbd.media import read_image

    return read_image(portrait)


def _thought(planner: "Planner", text: str, duration: float | None, **shown: "np.ndarray") -> "MusclePlan":
    """The plan of a planner, with what it is shown of what it observes."""
    from tbd.think.plan import MusclePlan
    from tbd.utils.options.user_components import attribute_errors_to, require_type

    with attribute_errors_to(planner, "planner"):
        plan = planner.plan(text, duration=duration, **shown)
    require_type(plan, MusclePlan, planner, "planner")
    return plan


def _with_voice(
    planner: "Planner",
    text: str,
    audio: str,
    portrait: "np.ndarray | None",
    emotion_from: "EmotionSource",
    reader: "VoiceReader | None",
) -> "MusclePlan":
    from tbd.media import read_audio
    from tbd.media.rates import SAMPLE_RATE
    from tbd.think.voice import ProsodicVoiceReader
    from tbd.think.voice.planning import plan_observed

    samples = read_audio(audio)

    def think(words: str, **shown: "np.ndarray") -> "MusclePlan":
        return _thought(planner, words, len(samples) / SAMPLE_RATE, **shown)

    hear = (reader or ProsodicVoiceReader()).read
    return plan_observed(think, planner.observes, text, samples, portrait, hear, emotion_from)


def _performed(video: str, neutral: str | None, landmarker: str | None, tracker: "Tracker | None") -> "MusclePlan":
    """The plan that a filmed or tracked face carries out."""
    from tbd.face.motion import Motion
    from tbd.face.motion_io import SUFFIXES
    from tbd.think.coding.coder import plan_from_motion

    if os.path.splitext(video)[1].lower() in SUFFIXES:
        if neutral is not None or landmarker is not None or tracker is not None:
            raise InputError(f"{video} is a motion, which is tracked already; leave --neutral, --landmarker and --tracker out.")
        return plan_from_motion(Motion.load(video), text=f"(what {os.path.basename(video)} shows)")
    from tbd.face.tracker import default_tracker
    from tbd.think.coding.video import plan_from_video

    return plan_from_video(video, tracker or default_tracker(landmarker), neutral)


def _write_chart(plan: "MusclePlan", path: str) -> None:
    from tbd.think.viz.chart import chart
    from tbd.utils.atomic import atomic_output

    with atomic_output(path) as temporary:
        temporary.write_text(chart(plan), encoding="utf-8")


def print_schema() -> None:
    """Print the JSON schema of a plan."""
    from tbd.think.plan import MusclePlan

    print(json.dumps(MusclePlan.model_json_schema(), indent=2))


COMMAND = Command("a sentence becomes a chain of thought and a muscle plan", _options, _run)
