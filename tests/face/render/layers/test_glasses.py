"""Glasses are found, and go with the skull alone."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.geometry import FaceGeometry
from tbd.face.portrait import crop_portrait
from tbd.face.render.layers.glasses import find_glasses
from tbd.face.tracker import FaceMeshTracker
from tests.face.render.drawing import draw

PORTRAITS = Path(__file__).parents[5] / "shared/data/portraits_more"
WEARERS = {"q016", "q018", "q052", "q056", "q059", "q064"}


def lenses(face: FaceGeometry) -> list[tuple[np.ndarray, tuple[int, int]]]:
    middles = [face.points[list(ids), :2].mean(0) for ids in ((33, 133, 159, 145), (263, 362, 386, 374))]
    return [(np.round(m + np.array([0, 0.03 * face.scale])).astype(int), (int(0.27 * face.scale), int(0.22 * face.scale))) for m in middles]


def with_glasses(face: FaceGeometry, colour=(40, 30, 30), filled: bool = False) -> FaceGeometry:
    image, thick = face.image.copy(), max(int(0.03 * face.scale), 2)
    both = lenses(face)
    for middle, axes in both:
        cv2.ellipse(image, middle.tolist(), axes, 0, 0, 360, colour, -1 if filled else thick, cv2.LINE_AA)
    (right, axes), (left, _) = both
    cv2.line(image, (right + np.array([axes[0], 0])).tolist(), (left - np.array([axes[0], 0])).tolist(), colour, thick, cv2.LINE_AA)
    return replace(face, image=image)


@pytest.fixture(scope="module")
def near(face) -> FaceGeometry:
    return crop_portrait(face, 512)


class TestFinding:
    def test_a_bare_face_wears_none(self, near):
        assert find_glasses(near) is None

    @pytest.mark.parametrize("colour", [(40, 30, 30), (110, 70, 50)])
    def test_rims_are_found_where_they_are(self, near, colour):
        found = find_glasses(with_glasses(near, colour))
        assert found is not None and not found.tinted
        for rim, (middle, axes) in zip(found.rims, lenses(near)):
            off = np.abs(np.linalg.norm((rim - middle) / axes, axis=1) - 1)
            assert np.median(off) < 0.12

    def test_black_lenses_are_tinted(self, near):
        found = find_glasses(with_glasses(near, (15, 15, 15), filled=True))
        assert found is not None and found.tinted

    def test_shared_portraits(self):
        paths = [path for path in sorted(PORTRAITS.glob("q*.*")) if path.stem[1:].isdigit()]
        if not paths:
            pytest.skip("The shared portraits are not here.")
        from tbd.media import read_image

        tracker, found = FaceMeshTracker(), set()
        for path in paths[::1] if len(paths) < 20 else [p for p in paths if p.stem in WEARERS or int(p.stem[1:]) % 3 == 0]:
            try:
                face = crop_portrait(tracker.locate(read_image(path)), 512)
            except InputError:
                continue
            found |= {path.stem} if find_glasses(face.without_margin()) else set()
        assert found <= WEARERS and len(found) >= 4


class TestDrawing:
    def test_brows_rise_behind_rims_that_stay(self, near):
        worn = with_glasses(near)
        rest, raised = draw(worn, {}, {"browInnerUp": 1, "browOuterUp": 1, "cheekSquint": 1}, shading=0.0)
        rims = np.zeros(worn.image.shape[:2], np.uint8)
        for middle, axes in lenses(near):
            cv2.ellipse(rims, middle.tolist(), axes, 0, 0, 360, (1,), 1)
        change = np.abs(raised.astype(int) - rest).max(-1)
        assert np.percentile(change[rims > 0], 95) < 12
        brow = near.points[[105, 334], :2].round().astype(int)
        bare = np.abs(draw(near, {"browOuterUp": 1}, shading=0.0)[0].astype(int) - near.image).max(-1)
        assert bare[rims > 0].max() > 40 and all(change[y - 12 : y + 6, x - 6 : x + 6].max() > 25 for x, y in brow)

    def test_lids_close_behind_lenses_and_stay_behind_dark_ones(self, near):
        iris = near.points[468, :2].round().astype(int)
        clear = draw(with_glasses(near), {"eyeBlink": 1})[0]
        assert clear[iris[1], iris[0]].mean() > near.image[iris[1], iris[0]].mean() + 30
        dark = with_glasses(near, (15, 15, 15), filled=True)
        closed = draw(dark, {"eyeBlink": 1, "eyeLookDown": 1})[0]
        np.testing.assert_array_equal(closed, dark.image)
