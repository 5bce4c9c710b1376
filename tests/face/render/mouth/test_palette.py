"""The colours of a mouth follow the light of its portrait."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.face.render.mouth.palette import Palette, luminance
from tests.face.render.drawing import palette


def chroma(colour: np.ndarray) -> float:
    return float((colour.max() - colour.min()) / colour.max())


class TestTeeth:
    @pytest.mark.parametrize("skin", [(226, 180, 160), (240, 150, 90), (150, 100, 75)])
    def test_teeth_are_less_tinted_than_skin_in_any_light(self, skin):
        found = palette(skin=skin)
        assert 0.02 < chroma(found.tooth) <= 0.225 and chroma(found.tooth) < 0.6 * chroma(np.array(skin))
        assert found.tooth[0] > found.tooth[2]  # and lean towards the light's hue

    def test_teeth_are_as_bright_as_light_skin_and_brighter_than_dark_skin(self):
        light, dark = palette(skin=(226, 180, 160)), palette(skin=(96, 62, 48), lip=(90, 45, 42), white=(150, 140, 132))
        assert luminance(light.tooth) == pytest.approx(190, rel=0.12)
        assert luminance(dark.tooth) > 1.9 * luminance(np.array([96.0, 62, 48]))

    def test_teeth_are_not_green_beside_the_skin(self):
        skin = np.array([226.0, 180, 160])
        teeth = palette(skin=skin).tooth
        assert np.log(teeth[0] / teeth[1]) > 0.6 * np.log(skin[0] / skin[1])

    def test_under_a_varnish_teeth_are_yellow_as_well(self):
        """Where even the whites of the eyes are coloured, a tooth of another picture would look blue."""
        clean, varnished = (palette(skin=(230, 160, 110), white=white) for white in ((150, 140, 132), (188, 146, 69)))
        assert chroma(clean.tooth) <= 0.225 and 0.28 < chroma(varnished.tooth) <= 0.365


def test_a_grey_picture_gets_a_grey_mouth(face):
    grey = np.repeat(face.image.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    found = Palette.of(replace(face, image=grey))
    for colour in (found.tooth, found.gum, found.tongue, found.depth):
        assert chroma(colour) < 0.01
    assert found.root.std() < 1e-6 and found.shadow.std() < 1e-6
    assert chroma(Palette.of(face).gum) > 0.15


def test_grain_is_as_strong_as_the_portraits_and_has_no_lines(face):
    rng = np.random.default_rng(0)
    noisy = np.clip(face.image + rng.normal(0, 12, face.image.shape[:2])[..., None], 0, 255).astype(np.uint8)
    line = noisy.copy()
    x, y = face.points[[50, 205], :2].mean(0).astype(int)
    line[y - 8 : y + 8, x] -= np.minimum(line[y - 8 : y + 8, x], 60)
    found, plain = (Palette.of(replace(face, image=image)).grain((60, 60)) for image in (line, face.image))
    assert 7 < found.std() < 16 and plain.std() < 5
    assert np.abs(found.mean(0)).max() < 0.8 * found.std()  # a mirrored line would stand out of its column


def test_the_dark_shows_less_grain():
    found = palette()
    grain = np.full((2, 2, 1), 10, np.float32)
    dark, light = (found.add_grain(np.full((2, 2, 3), level, np.float32), grain) - level for level in (10, 220))
    assert dark.max() < 0.2 * light.min()
