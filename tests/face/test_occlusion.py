"""Mouths behind masks, scarves, cups, microphones and hands."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tbd.face.geometry import FaceGeometry
from tbd.face.occlusion import is_mouth_occluded
from tbd.face.tracker import FaceMeshTracker
from tests.face.render.drawing import draw


class TestCoveredMouths:
    def masked(self, face: FaceGeometry, colour) -> FaceGeometry:
        picture = face.image.copy()
        outline = face.points[[195, 50, 123, 132, 172, 150, 176, 152, 400, 379, 397, 361, 352, 280], :2]
        cv2.fillPoly(picture, [np.round(outline).astype(np.int32)], colour)
        return replace(face, image=picture)

    @pytest.mark.parametrize("colour", [(150, 190, 225), (235, 235, 235), (30, 30, 32), (205, 160, 140)])
    def test_a_mask_is_noticed(self, face, colour):
        assert is_mouth_occluded(self.masked(face, colour))

    @pytest.mark.parametrize("change", [lambda x: x, lambda x: x // 3, lambda x: np.repeat(x[..., 1:2], 3, -1)])
    def test_a_mouth_is_not_taken_for_a_mask(self, face, change):
        assert not is_mouth_occluded(replace(face, image=np.ascontiguousarray(change(face.image))))

    @pytest.mark.parametrize("colour", [(25, 25, 28), (235, 238, 240), (40, 70, 160), (190, 25, 35)])
    def test_a_thing_before_the_lips_is_noticed(self, face, colour):
        """A microphone, a cup: the chin and cheeks are skin."""
        picture, (x, y) = face.image.copy(), face.points[[13, 14], :2].mean(0)
        cv2.circle(picture, (round(x), round(y + 0.15 * face.scale)), round(0.45 * face.scale), colour, -1)
        assert is_mouth_occluded(replace(face, image=picture))

    def test_what_lies_between_lips_does_not_cover_them(self, face):
        """A cigarette."""
        picture, (x, y), s = face.image.copy(), face.points[[13, 14], :2].mean(0), face.scale
        cv2.line(
            picture, (round(x + 0.1 * s), round(y)), (round(x + 0.8 * s), round(y + 0.25 * s)), (240, 238, 230), max(round(0.08 * s), 1)
        )
        assert not is_mouth_occluded(replace(face, image=picture))

    def test_a_hand_before_lips_that_are_not_plainly_red_is_noticed(self, face, monkeypatch):
        """As the landmarker tells where hands are."""
        grey = replace(face, image=np.ascontiguousarray(np.repeat(face.image[..., 1:2], 3, -1)))
        y = round(face.points[[13, 14], 1].mean())
        for reach, expected in ((0.6, True), (0.0, False)):
            mask = np.zeros(face.image.shape[:2], bool)
            mask[round(y - reach * face.scale) : round(y + reach * face.scale)] = True
            monkeypatch.setattr("tbd.face.occlusion.hand_mask", lambda _, mask=mask: mask)
            assert is_mouth_occluded(grey) == expected

    def test_there_is_a_note_even_when_quiet(self, face):
        from rich.console import Console

        from tbd.cli.drawing.console import describe_face
        from tbd.utils.user_warnings import collect_warnings

        for picture, expected in ((self.masked(face, (150, 190, 225)), 1), (face, 0)):
            with collect_warnings() as notes:
                describe_face(picture, Console(quiet=True))
            assert len([said for said in notes if "mouth seems covered" in said]) == expected == len(notes)


def test_portraits_of_users_get_no_false_note(shared):
    """Portraits with lipstick, a beard, low resolution and dark skin, and one with a mask."""
    from tbd.media import read_image

    folder = shared / "data/portraits_more"
    for name in ("q033.png", "q040.png", "q056.png", "q072.jpg"):
        assert not is_mouth_occluded(FaceMeshTracker().locate(read_image(folder / name))), name
    assert is_mouth_occluded(FaceMeshTracker().locate(read_image(shared / "data/faults/25_face_mask.jpg")))


def test_what_covers_a_mouth_is_left_as_it_is(face):
    masked = TestCoveredMouths().masked(face, (150, 190, 225))
    still, speaking = draw(masked, {}, {"jawOpen": 0.8, "mouthSmile": 1.0, "mouthFrown": 0.5, "noseSneer": 1.0})
    np.testing.assert_array_equal(still, masked.image)
    np.testing.assert_array_equal(speaking, masked.image)
    assert (draw(masked, {"browInnerUp": 1.0})[0] != masked.image).any()
    turned = draw(masked, {"headYaw": 0.15})[0].astype(int)
    x, y = face.points[[13, 14], :2].mean(0).astype(int)
    assert np.ptp(turned[y - 8 : y + 8, x - 8 : x + 8], axis=(0, 1)).max() <= 2  # no line between lips


def test_a_face_of_few_pixels_gets_a_note_that_a_crop_keeps(face):
    from tbd.face.portrait_notes import note_small, portrait_notes

    few = note_small(replace(face, points=face.points * np.float32(60 / np.ptp(face.points[:, 0]))))
    assert portrait_notes(replace(face, metadata=few.metadata)) == [
        "the portrait's face is only 60 pixels wide; what is drawn is as soft as that."
    ]
    assert note_small(face) is face and portrait_notes(face) == []
