"""The skin between brow and lid: a rising brow opens the fold and stretches neither make-up nor hair."""

from dataclasses import replace

import numpy as np
import pytest

from tbd.face import topology
from tbd.face.geometry import FaceGeometry
from tbd.face.portrait import crop_portrait
from tbd.face.render.eyes.brow_skin import BROW_LOWER, BrowSkin
from tests.face.render.drawing import draw

RAISED = {"browInnerUp": 1, "browOuterUp": 1}
BLUE = np.array([40, 60, 150], np.uint8)


@pytest.fixture(scope="module")
def made_up(face) -> FaceGeometry:
    """The same woman with blue shadow on her lids, from the lashes half-way to the brow."""
    import cv2

    face = crop_portrait(face, 640)
    image = face.image.copy()
    for side in topology.SIDES:
        top, brow = (face.points[list(topology.on_side(ids, side)), :2] for ids in (topology.EYE_TOP, BROW_LOWER))
        upper = top + 0.35 * np.array([0, brow[:, 1].mean() - top[:, 1].mean()])
        cv2.fillPoly(image, [np.round(np.concatenate([top, upper[::-1]])).astype(np.int32)], BLUE.tolist())
    return replace(face, image=image)


def blue_height(frame: np.ndarray, face: FaceGeometry, side: topology.Side) -> int:
    """Pixels of blue in the column over the middle of an eye."""
    x, y = np.round(face.points[topology.on_side((159,), side)[0], :2]).astype(int)
    column = frame[y - int(0.4 * face.scale) : y + 3, x].astype(int)
    return int((column[:, 2] > column[:, 0] + 20).sum())


@pytest.mark.parametrize("side", topology.SIDES)
def test_make_up_stays_on_the_lid_as_it_is_when_the_brow_rises(made_up, side):
    rest, raised = draw(made_up, {}, RAISED, shading=0.0)
    before, after = (blue_height(frame, made_up, side) for frame in (rest, raised))
    assert before > 0.03 * made_up.scale and 0.8 * before < after < 1.3 * before


@pytest.mark.parametrize("side", topology.SIDES)
def test_the_way_from_lid_to_brow_is_all_gone_once_and_never_back(face, side):
    top, brow = (face.points[list(topology.on_side(ids, side)), :2].mean(0) for ids in (topology.EYE_TOP[3:6], (53, 52, 65)))
    share, holds, lid, over = BrowSkin(face, side).place(top + np.linspace(-0.2, 1.5, 60)[:, None] * (brow - top))
    inside = holds > 0
    assert inside.sum() > 20 and (np.diff(share[inside]) > 0).all() and share[inside][0] < 0.1 and share[inside][-1] > 0.9
    assert (over[:, 1] < lid[:, 1]).all()


def test_lids_and_brows_move_as_far_as_their_muscles_take_them(face):
    from tbd.face.render.warp import PortraitWarper

    warper = PortraitWarper(face)
    field, mode = warper.field, warper.expression.modes[2]  # browInnerUp
    assert warper.expression.rig.basis[2][[9, 55, 285], 1].min() > 0.03
    cells = field.skin[2].reshape(*field.shape, 3)
    near = field.fine.centres()[field.window]
    for point in (107, 336, 159, 386):
        at = np.unravel_index(np.linalg.norm(near - face.points[point, :2], axis=-1).argmin(), field.shape)
        assert cells[at][1] == pytest.approx(mode[point, 1], abs=0.02)
