"""What the drawing commands print: how far they are, and what is odd about a portrait. Imported when one of them runs."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tbd.face.geometry import FaceGeometry
from tbd.face.portrait_notes import portrait_notes, several_faces
from tbd.face.tracking.choice import LARGEST, FaceChoice
from tbd.utils.user_warnings import warn

T = TypeVar("T")


def show_progress(items: Iterable[T], total: int, console: Console) -> Iterator[T]:
    """Pass items on and show how many, in a bar that goes away when they end.

    Args:
        items: Such as the frames of a video.
        total: How many items are expected.
        console: Where to show the bar.

    Yields:
        The same items.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("frames", total=total)
        for item in items:
            yield item
            progress.advance(task)


def describe_face(face: FaceGeometry, console: Console, choice: FaceChoice = LARGEST) -> None:
    """Say what a user should know about a portrait: several faces, a covered mouth, dark glasses, a picture that was turned.

    Args:
        face: The face that was found in the portrait.
        console: Where the number of faces is printed; the rest are notes.
        choice: Which of several faces was chosen.
    """
    for sentence in several_faces(face, choice):
        console.print(sentence)
    for note in portrait_notes(face):
        warn(note)
