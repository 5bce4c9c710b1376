"""What a user should know about a portrait before it speaks."""

from tbd.face.geometry import FaceGeometry
from tbd.face.occlusion import is_mouth_occluded
from tbd.face.render.glasses import find_glasses
from tbd.face.tracking.choice import LARGEST, FaceChoice

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


def portrait_notes(face: FaceGeometry) -> list[str]:
    """Say what is odd about a portrait: a covered mouth, dark glasses, a picture that was turned.

    Args:
        face: The face that was found in the portrait.

    Returns:
        One sentence for each oddity.
    """
    notes = []
    if is_mouth_occluded(face):
        notes.append("the portrait's mouth seems covered (a mask, a scarf, a hand?); lips are drawn where it should be.")
    glasses = find_glasses(face)
    if glasses is not None and glasses.tinted:
        notes.append("the portrait wears dark glasses; its eyes, which are not seen, are left as they are.")
    if "turned" in face.metadata:
        notes.append(f"the picture was turned by {abs(face.metadata['turned'])}°, so that the face stands upright.")
    return notes
