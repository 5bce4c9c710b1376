"""What a user should know about a portrait before it speaks."""

from dataclasses import replace

import numpy as np

from tbd.face.geometry import FaceGeometry
from tbd.face.occlusion import is_mouth_occluded
from tbd.face.render.layers.glasses import find_glasses
from tbd.face.tracking.choice import LARGEST, FaceChoice

_SMALL = 80
"""Pixels of width up to which a face shows neither lashes nor teeth."""
_WORDS = {"left": "leftmost", "right": "rightmost"}


def several_faces(face: FaceGeometry, choice: FaceChoice = LARGEST) -> list[str]:
    """Say which of a picture's faces speaks, where there are several.

    Args:
        face: The face that was found in the portrait.
        choice: Which one was wanted.

    Returns:
        One sentence; none where the picture shows one face.
    """
    if face.faces_seen < 2:
        return []
    whose = f"number {choice} from the left" if isinstance(choice, int) else f"the {_WORDS.get(choice, choice)}"
    return [f"The picture shows {face.faces_seen} faces; {whose} speaks."]


def note_small(face: FaceGeometry) -> FaceGeometry:
    """Keep in a face's metadata how small it was found: a part of the picture that is enlarged no longer shows it.

    Args:
        face: The face in the whole picture.

    Returns:
        The same, with ``small`` (pixels of its width) in its metadata where that is little.
    """
    width = round(float(np.ptp(face.points[:, 0])))
    return face if width >= _SMALL else replace(face, metadata={**face.metadata, "small": width})


def portrait_notes(face: FaceGeometry) -> list[str]:
    """Say what is odd about a portrait: a small face, a covered mouth, dark glasses, a picture that was turned.

    Args:
        face: The face that was found in the portrait.

    Returns:
        One sentence for each oddity.
    """
    notes = []
    if "small" in face.metadata:
        notes.append(f"the portrait's face is only {face.metadata['small']} pixels wide; what is drawn is as soft as that.")
    if is_mouth_occluded(face):
        notes.append("the portrait's mouth seems covered (a mask, a cup, a hand?); it is left as it is.")
    glasses = find_glasses(face)
    if glasses is not None and glasses.tinted:
        notes.append("the portrait wears dark glasses; its eyes, which are not seen, are left as they are.")
    if "turned" in face.metadata:
        notes.append(f"the picture was turned by {abs(face.metadata['turned'])}°, so that the face stands upright.")
    return notes
