"""Pieces of the page that are made anew: notes, reasoning, pictures, results. HTML from strings, every word of a user's escaped."""

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path

import cv2
import numpy as np

from tbd.face.geometry import FaceGeometry
from tbd.studio.drawing import Progress
from tbd.studio.session import Result, Session
from tbd.think.plan import MusclePlan
from tbd.think.plan_checks import check
from tbd.think.viz.chart import chart

FILES = "studio-files"
"""First part of the address of a result's files."""
NOTHING_KEPT = "<p>Keep a video here, change something, draw again: both are shown side by side.</p>"
"""The comparison while nothing is kept."""
NOTHING_DRAWN = "<p>The preview and the video come here.</p>"
"""The preview while nothing is drawn."""
_STAGES = {
    "tracking": "Following the face through the video",
    "motion": "Sampling the motion",
    "preview": "Drawing the preview",
    "video": "Drawing the video",
}
_ABOUT = {
    "video.mp4": "Video",
    "plan.json": "Plan",
    "motion.csv": "Motion (ARKit, Live Link Face)",
    "voice.flac": "Voice (FLAC)",
}


def notes(sentences: Iterable[str]) -> str:
    """Show what a user should know.

    Args:
        sentences: The notes.

    Returns:
        HTML; empty without notes.
    """
    return "".join(f'<p class="studio-note quiet">{escape(_capitalized(sentence))}</p>' for sentence in sentences)


def alert(sentence: str) -> str:
    """Show what went wrong, so that screen readers say it at once."""
    return f'<p class="studio-note" role="alert">{escape(_capitalized(sentence))}</p>'


def _capitalized(sentence: str) -> str:
    """Begin with a capital, unless a file's name begins it."""
    first = sentence.split(" ", 1)[0]
    return sentence if "." in first.rstrip(".") or "_" in first else f"{sentence[:1].upper()}{sentence[1:]}"


def busy(sentence: str) -> str:
    """Say what is being done."""
    return f'<p class="studio-note quiet" role="status">{escape(sentence)}</p>'


def reasoning(plan: MusclePlan) -> str:
    """Show the chain of thought.

    Args:
        plan: What was thought.

    Returns:
        HTML: the steps, then what the planner and the check of muscles have to say.
    """
    steps = "".join(f"<dt>{escape(step.title)}</dt><dd>{escape(step.text)}</dd>" for step in plan.reasoning)
    said = {step.text for step in plan.reasoning}
    return f'<dl class="studio-steps">{steps}</dl>{notes(note for note in plan.notes if note not in said)}'


def face_chart(plan: MusclePlan) -> str:
    """Show the muscles at work, and what is wrong with them.

    Args:
        plan: The plan as it is.

    Returns:
        HTML with the chart of `tbd think --chart`.
    """
    return f'<div class="studio-chart">{chart(plan)}</div>{notes(finding.sentence for finding in check(plan))}'


def face_found(crop: FaceGeometry, sentences: Iterable[str]) -> str:
    """Show the crop that will speak, and the notes on the portrait.

    Args:
        crop: The face, in its crop.
        sentences: The notes.

    Returns:
        HTML.
    """
    return f'<div class="studio-face">{_picture(crop.image, "The head and shoulders that will speak")}</div>{notes(sentences)}'


def _picture(image: np.ndarray, words: str) -> str:
    """A picture within the page: nothing is written to the disk for it."""
    shape = _shape(image.shape)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return f'<img alt="{escape(words)}" {shape} src="data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}">'


def _shape(shape: tuple[int, ...]) -> str:
    """Keep the room that a picture of this height and width takes, so that nothing jumps when it comes."""
    return f'style="aspect-ratio: {shape[1]} / {shape[0]}"'


def stage(progress: Progress) -> str:
    """Show how far a drawing is.

    Args:
        progress: The newest progress.

    Returns:
        HTML with the newest frame and a bar.
    """
    words = _STAGES[progress.stage]
    frame = progress.frame
    if frame is not None and (longer := max(frame.shape[:2])) > 512:
        columns, rows = (round(side * 512 / longer) for side in frame.shape[1::-1])
        frame = cv2.resize(frame, (columns, rows), interpolation=cv2.INTER_AREA)
    picture = "" if frame is None else _picture(frame, "The newest frame")
    value = f' value="{progress.done}" max="{progress.total}"' if progress.total else ""
    count = f": {progress.done} of {progress.total} frames" if progress.total else " …"
    return f'<div class="studio-stage">{picture}<p>{words}{count}</p><progress aria-label="{words}"{value}></progress></div>'


def address(session: Session, file: Path, download: bool = False) -> str:
    """Return where the browser fetches a file of the session.

    Args:
        session: Whose file it is.
        file: The file.
        download: Whether the browser saves it rather than shows it.

    Returns:
        Path of an address on this server.
    """
    return f"{FILES}/{session.token}/{file.parent.name}/{file.name}{'?download=1' if download else ''}"


def video(session: Session, result: Result, label: str) -> str:
    """Show a video.

    Args:
        session: Whose it is.
        result: The video.
        label: What it is called.

    Returns:
        HTML with a player.
    """
    words = f"{escape(label)}: {result.motion.duration:.1f} s, {result.shape[1]}×{result.shape[0]}"
    source = f'{_shape(result.shape)} src="{address(session, result.video)}"'
    player = f'<video controls playsinline preload="auto" aria-label="{escape(label)}" {source}></video>'
    return f'<div class="studio-stage">{player}<p>{words}</p></div>'


def downloads(session: Session, result: Result) -> str:
    """Show what can be fetched, and the command that gives it again.

    Args:
        session: Whose it is.
        result: The full video.

    Returns:
        HTML with links and the command.
    """
    links = "".join(
        f'<li><a href="{address(session, path, True)}" download="{escape(name)}">{escape(_ABOUT[name])}</a></li>'
        for name, path in result.downloads.items()
    )
    return (
        f'<ul class="studio-downloads" aria-label="Downloads">{links}</ul>'
        "<p>The same video again, beside the portrait, the voice and the downloaded plan:</p>"
        f'<pre class="studio-command" tabindex="0" aria-label="Command line"><code>{escape(result.command)}</code></pre>'
    )


def comparison(session: Session) -> str:
    """Show the kept video and the newest one side by side.

    Args:
        session: Whose they are.

    Returns:
        HTML; a sentence while nothing is kept.
    """
    kept, new = session.kept, session.result or session.preview
    if kept is None:
        return NOTHING_KEPT
    shown = [("Kept", kept)] + ([("New", new)] if new is not None and new is not kept else [])
    figures = []
    for label, result in shown:
        other = next((r for _, r in shown if r is not result), None)
        differs = _differences(result, other) if other is not None else ""
        figures.append(
            f'<figure><video controls loop playsinline aria-label="{label} video" {_shape(result.shape)} '
            f'src="{address(session, result.video)}"></video>'
            f"<figcaption><strong>{label}</strong>{escape(f': {differs}' if differs else '')}</figcaption></figure>"
        )
    return f'<div class="studio-pair">{"".join(figures)}</div>'


def _differences(result: Result, other: Result) -> str:
    words = result.settings.differences(other.settings)
    if result.plan.actions != other.plan.actions:
        words.append(", ".join(f"AU{a.unit} {a.intensity:g}" for a in result.plan.actions) or "no muscles")
    if result.portrait is not other.portrait:
        words.append(result.portrait.name)
    if result.voice is not other.voice:
        words.append(result.voice.name)
    return "; ".join(words)
