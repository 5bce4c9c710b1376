"""Pictures to look at before any number: contact sheets of emotions and of blendshapes, strips of frames of videos.

python -m benchmarks.contact_sheet astronaut me.jpg --output emotions.jpg             # eight emotions × portraits
python -m benchmarks.contact_sheet astronaut --kind blendshapes --output shapes.jpg   # every blendshape at full
python -m benchmarks.contact_sheet --video out.mp4 --output strip.jpg                 # twelve frames of a video
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from benchmarks.common import ASTRONAUT, DEFAULT_RENDERER, load_portraits, prototype_plan, run
from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES, HEAD
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.render.renderer import Renderer
from tbd.media import read_video
from tbd.media.rates import FPS
from tbd.think.emotions import EMOTIONS
from tbd.think.facs import perform
from tbd.utils.atomic import atomic_output

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

PAPER, INK, FAINT = (252, 251, 248), (38, 36, 33), (140, 135, 128)
HEAD_SHOWN = 0.35
"""Radians and inter-ocular distances of the head poses on the sheet of blendshapes."""


@dataclass(frozen=True)
class Cell:
    """A picture, and what is written under it."""

    picture: np.ndarray
    label: str = ""


def grid(rows: Sequence[Sequence[Cell]], tile: int = 256, headers: Sequence[str] = (), title: str = "") -> "Image":
    """Lay pictures out on paper: even gutters, column headers above, labels below.

    Args:
        rows: the cells; a short row leaves its end empty.
        tile: pixels of a cell's longer side.
        headers: one word above each column.
        title: a line at the top.
    """
    from PIL import Image, ImageDraw, ImageFont

    gutter, margin, text = max(tile // 32, 2), tile // 6, max(tile // 13, 11)
    header_font, label_font, title_font = (ImageFont.load_default(s) for s in (round(text * 1.15), text, round(text * 1.5)))
    width, height = _tile_size(rows, tile)
    label_space = round(text * 1.7) if any(cell.label for row in rows for cell in row) else 0
    top = margin + (round(text * 2.6) if title else 0) + (round(text * 1.9) if headers else 0)
    columns = max(map(len, rows))
    across = 2 * margin + columns * (width + gutter) - gutter
    down = top + len(rows) * (height + label_space + gutter) - gutter + margin
    sheet = Image.new("RGB", (across, down), PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((margin, margin), title, INK, title_font, anchor="lt")
    for column, header in enumerate(headers):
        _write(draw, margin + column * (width + gutter) + width // 2, top - round(text * 0.7), header, INK, header_font, width)
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            x, y = margin + c * (width + gutter), top + r * (height + label_space + gutter)
            sheet.paste(_fit(cell.picture, width, height), (x, y))
            _write(draw, x + width // 2, y + height + round(text * 1.2), cell.label, FAINT, label_font, width)
    return sheet


def _tile_size(rows: Sequence[Sequence[Cell]], tile: int) -> tuple[int, int]:
    height, width = rows[0][0].picture.shape[:2]
    return (tile, round(tile * height / width)) if width >= height else (round(tile * width / height), tile)


def _fit(picture: np.ndarray, width: int, height: int) -> "Image":
    from PIL import Image

    return Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)


def _write(draw, x: int, y: int, words: str, colour: tuple[int, int, int], font: "FreeTypeFont", width: int) -> None:
    """Centre a line at `x` on the baseline `y`; a line too long for its column is set smaller."""
    if not words:
        return
    long = draw.textlength(words, font)
    draw.text((x, y), words, colour, font.font_variant(size=int(font.size * width / long)) if long > width else font, anchor="ms")


def zoomed(frame: np.ndarray, face: FaceGeometry, room: float = 1.55) -> np.ndarray:
    """The square around the resting face, `room` times as high as the face, so that small tiles show the expression."""
    low, high = face.points[:, :2].min(0), face.points[:, :2].max(0)
    side = int(min(room * (high - low).max(), *frame.shape[:2]))
    left, top = np.clip((low + high - side) / 2, 0, [frame.shape[1] - side, frame.shape[0] - side]).astype(int)
    return frame[top : top + side, left : left + side]


def emotions_sheet(renderer: Renderer, faces: dict[str, FaceGeometry], intensity: float, tile: int) -> "Image":
    """One row a portrait, one column an emotion, neutral first."""
    order = ("neutral", *(emotion for emotion in EMOTIONS if emotion != "neutral"))
    motion = Motion(np.concatenate([perform(prototype_plan(emotion, intensity), 1) for emotion in order]))
    rows = [[Cell(zoomed(frame, face)) for frame in renderer.render(face, motion)] for face in faces.values()]
    return grid(rows, tile, headers=order)


def blendshape_sheet(renderer: Renderer, face: FaceGeometry, tile: int, columns: int = 10) -> "Image":
    """Every channel alone at full, after the untouched portrait: for finding what moves wrongly."""
    channels = (*BLENDSHAPES, *HEAD)
    motion = Motion.zeros(len(channels))
    for row, channel in enumerate(channels):
        motion[channel][row] = HEAD_SHOWN if channel in HEAD else 1.0
    shown = zip((face.image, *renderer.render(face, motion)), ("portrait", *channels))
    cells = [Cell(zoomed(frame, face, 1.3), label) for frame, label in shown]
    return grid([cells[i : i + columns] for i in range(0, len(cells), columns)], tile)


def frame_strip(video: Path, frames: int, tile: int, columns: int = 6) -> "Image":
    """`frames` pictures at equal distances through a video (read at 25 frames a second), with their times."""
    clip = read_video(video)
    shown = pick_frames(clip, evenly(round(clip.duration * FPS), frames))
    cells = [Cell(picture, f"{index / FPS:.2f} s") for index, picture in shown]
    return grid([cells[i : i + columns] for i in range(0, len(cells), columns)], tile, title=video.name)


def evenly(total: int, count: int) -> list[int]:
    """`count` numbers of frames at equal distances, the first and the last among them; all where there are fewer.

    Example:
        >>> evenly(100, 4), evenly(2, 4)
        ([0, 33, 66, 99], [0, 1])
    """
    return np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(int)).tolist()


def pick_frames(frames: Iterable[np.ndarray], numbers: Sequence[int]) -> list[tuple[int, np.ndarray]]:
    """The frames of these numbers, each with its own; frames that a video turns out not to hold are left out."""
    wanted = set(numbers)
    return [(i, frame) for i, frame in enumerate(frames) if i in wanted]


def contact_sheet(
    portraits: Sequence[str] = (ASTRONAUT,),
    output: Path = Path("contact_sheet.jpg"),
    kind: Literal["emotions", "blendshapes"] = "emotions",
    video: Path | None = None,
    renderer: Renderer = DEFAULT_RENDERER,
    intensity: float = 1.0,
    frames: int = 12,
    tile: int | None = None,
    size: int = 512,
) -> None:
    """Draw a sheet of pictures.

    Args:
        portraits: pictures or folders of pictures; the sheet of blendshapes shows the first.
        output: a .jpg or .png file.
        kind: what to show of portraits.
        video: show a film strip of this video instead.
        renderer: what draws.
        intensity: how strongly the emotions are shown, 0..1.
        frames: how many frames of the video.
        tile: pixels of one picture's side; by default what suits the sheet.
        size: pixels of the framed portraits' side.
    """
    if output.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise InputError(f"Cannot write a contact sheet to {output}: use a name ending in .jpg or .png.")
    if video is not None:
        sheet = frame_strip(video, frames, tile or 256)
    elif kind == "emotions":
        sheet = emotions_sheet(renderer, load_portraits(portraits, size), intensity, tile or 192)
    else:
        sheet = blendshape_sheet(renderer, next(iter(load_portraits(portraits[:1], size).values())), tile or 192)
    with atomic_output(output) as temporary:
        sheet.save(temporary, **({} if output.suffix.lower() == ".png" else {"quality": 90}))
    print(f"{output}: {sheet.width} × {sheet.height} pixels")


if __name__ == "__main__":
    run(contact_sheet)
