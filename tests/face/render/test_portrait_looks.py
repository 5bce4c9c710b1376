"""What portraits of ordinary users need: tight crops, open mouths, smooth skin, textured walls, blur, masks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tbd.face import topology as mesh
from tbd.face.channels import INDEX
from tbd.face.geometry import FaceGeometry
from tbd.face.motion import Motion
from tbd.face.occlusion import mouth_covered
from tbd.face.portrait import crop_portrait, portrait_window
from tbd.face.render.grid import Grid
from tbd.face.render.matting import _along, _lines, separate
from tbd.face.render.renderer import MeshWarpRenderer
from tbd.face.render.softness import added_blur, edge_width
from tbd.face.render.wrinkles import skin_smoothness, soften
from tbd.face.tracker import FaceMeshTracker


def cut(face: FaceGeometry, left: int, top: int, right: int, bottom: int) -> FaceGeometry:
    return face.cropped(left, top, np.ascontiguousarray(face.image[top:bottom, left:right]))


def draw(face: FaceGeometry, *frames: dict[str, float], **options) -> list[np.ndarray]:
    motion = Motion.zeros(len(frames))
    for i, frame in enumerate(frames):
        for name, value in frame.items():
            for channel in [name] if name in INDEX else [name + "Left", name + "Right"]:
                motion[channel][i] = value
    return list(MeshWarpRenderer(**options).render(face, motion))


def around(face: FaceGeometry, points, margin: float = 0.0) -> tuple[slice, slice]:
    low, high = face.points[list(points), :2].min(0) - margin * face.scale, face.points[list(points), :2].max(0) + margin * face.scale
    return slice(int(low[1]), int(high[1]) + 1), slice(int(low[0]), int(high[0]) + 1)


class TestFraming:
    points = np.array([[100.0, 100], [200, 220]])  # a face 100 wide and 120 high

    @pytest.mark.parametrize("shape", [(320, 300), (260, 240), (230, 400), (400, 210), (2000, 3000), (222, 202)])
    def test_the_square_stays_in_the_picture(self, shape):
        left, top, side = portrait_window(self.points, shape)
        assert left >= 0 and top >= 0 and left + side <= shape[1] and top + side <= shape[0]
        assert left <= 100 and top <= 100 and left + side >= 200 and top + side >= 220

    def test_a_picture_too_narrow_for_the_whole_face_is_centred(self):
        left, top, side = portrait_window(self.points - [95, 95], (135, 110))
        assert (top, side) == (pytest.approx(5, abs=5.1), pytest.approx(124.8))
        assert left == pytest.approx((110 - side) / 2)

    def test_there_is_no_margin_where_the_picture_fills_the_square(self, face):
        rows, columns = around(face, mesh.FACE_OVAL, 0.3)
        side = min(rows.stop - rows.start, columns.stop - columns.start)
        assert crop_portrait(cut(face, columns.start, rows.start, columns.start + side, rows.start + side), 128).shown is None

    def test_the_margin_is_soft_and_stands_still(self, face):
        rows, columns = around(face, mesh.FACE_OVAL, 0.02)
        narrow = slice(columns.start + 8, columns.stop - 8)
        framed = crop_portrait(cut(face, narrow.start, rows.start, narrow.stop, rows.stop), 192)
        left, top, right, bottom = framed.shown
        assert left > 4 and right < 188 and (top, bottom) == (0, 192)
        margin = framed.image[:, :left].astype(int)
        assert np.abs(np.diff(margin, axis=0)).max() <= 12  # no bars: nothing but slow colour
        rest, turned = draw(framed, {}, {"headYaw": 0.2, "headX": 0.1, "jawOpen": 0.5})
        assert (rest == framed.image).all()
        assert (turned[:, :left] == rest[:, :left]).all() and (turned[:, right:] == rest[:, right:]).all()
        assert (turned[:, left:right] != rest[:, left:right]).any()

    def test_edges_of_the_picture_stay_out_of_sight(self):
        grid = Grid(40, 60, 4)
        low, high = grid.bounds(0.8)
        centres = (grid.centres() + 0.5) / 4
        assert (centres - (high + 0) >= 0).all()  # even at the bound nothing passes the left and upper edge
        assert (high[:, 0, 0] < 0.5).all() and (low[:, -1, 0] > -0.5).all() and (low[-1, :, 1] > -0.5).all()
        assert high[5, 7, 0] == pytest.approx(0.8 * 7.5)

    def test_a_head_that_is_cut_draws_no_edge_inwards(self, face):
        rows, columns = around(face, mesh.FACE_OVAL, 0.02)
        tight = cut(face, columns.start, rows.start, columns.stop, rows.stop)
        marked = tight.image.copy()
        marked[:, :2] = (255, 0, 255)
        moved = draw(replace(tight, image=marked), {"headX": 0.2})[0].astype(int)
        magenta = (moved[..., 0] - moved[..., 1] > 150) & (moved[..., 2] - moved[..., 1] > 150)
        assert magenta[:, 8:].sum() == 0


class TestOpenMouths:
    def white(self, face, frame):
        mouth = frame[around(face, (13, 14, 81, 311))]
        return ((mouth.min(-1) > 150) & (mouth.min(-1) > 0.87 * mouth.max(-1))).mean()

    @pytest.mark.parametrize("pose", [{}, {"mouthSmile": 1.0}])
    def test_lips_close_whatever_is_felt(self, face, pose):
        frame = draw(face, pose, close_lips=1.0)[0]
        assert self.white(face, face.image) > 0.15 and self.white(face, frame) < 0.04

    def test_a_smile_stays_when_lips_close(self, face):
        closed, relaxed = draw(face, {}, close_lips=1.0)[0], draw(face, {}, neutralize=1.0)[0]
        found = [FaceMeshTracker().locate(frame).canonical for frame in (closed, relaxed)]
        lifts = [points[[61, 291], 1].mean() - points[[0, 17], 1].mean() for points in found]
        assert lifts[0] > lifts[1] + 0.03

    def test_a_gaping_mouth_closes_with_its_jaw(self):
        from tbd.face.geometry import mean_face
        from tbd.face.rig import Rig, inner_lip_gap

        rest = mean_face().astype(np.float64)
        gaping = rest + Rig(rest).displace(np.eye(1, 52, INDEX["jawOpen"])[0] * 0.9)
        rig = Rig(gaping)
        closed = gaping + rig.modes[-1]
        assert inner_lip_gap(gaping).max() > 0.3 and inner_lip_gap(closed).max() < 0.02
        assert closed[152, 1] > gaping[152, 1] + 0.15  # the chin rises


class TestFolds:
    def test_smooth_skin_folds_softly(self, face):
        smooth = cv2.bilateralFilter(cv2.GaussianBlur(face.image, (0, 0), 3), 9, 30, 9)
        points = face.points[:, :2]
        assert skin_smoothness(smooth, points, face.scale) > skin_smoothness(face.image, points, face.scale)
        soft, depth = soften(1.0, 0.0)
        assert soft > 0.01 and depth < 0.8 and soften(0.0, 0.0) == (0.0, 1.0) and soften(0.0, 0.05)[0] == 0.05


class TestTexturedWalls:
    @pytest.mark.parametrize("angle", [0.0, 0.5, -0.7, np.pi / 2 - 0.01])
    def test_lines_run_on_straight_behind_a_person(self, angle):
        y, x = np.mgrid[:160, :160].astype(np.float32)
        wall = 128 + 90 * np.sin((y * np.cos(angle) - x * np.sin(angle)) / 3)
        wall = np.repeat(wall[..., None], 3, 2).astype(np.float32)
        visible = np.ones((160, 160), np.float32)
        visible[50:110, 60:100] = 0
        found, coherence = _lines(wall * visible[..., None], visible, 60.0)
        assert coherence > 0.8 and abs(np.sin(found - angle)) < 0.05
        filled = _along(wall * visible[..., None], visible, found)
        hidden = visible == 0
        assert np.isfinite(filled[hidden]).all() and np.abs(filled - wall)[hidden].mean() < 30

    def test_a_wall_beside_the_head_stays_where_it_is(self, face):
        person = separate(face.image, face.points[list(mesh.FACE_OVAL), :2], face.scale).foreground[..., 3:] / 255.0
        wall = np.where((np.arange(512) // 7 % 2)[:, None, None], 235, 110) * np.ones((512, 512, 3))
        picture = np.round(face.image * person + wall * (1 - person)).astype(np.uint8)
        moved = draw(replace(face, image=picture), {"headYaw": 0.12})[0]
        far = cv2.distanceTransform((person[..., 0] < 0.02).astype(np.uint8), cv2.DIST_L2, 5)
        ring = (far > 0.22 * face.scale) & (far < 0.6 * face.scale)
        ring[int(face.points[152, 1]) :] = False  # beside the head, not the body
        assert ring.sum() > 1000 and (np.abs(moved.astype(int) - picture).max(-1)[ring] > 20).mean() < 0.03


class TestBlur:
    @pytest.mark.parametrize("sigma", [2.5, 4.0])
    def test_blur_is_measured(self, face, sigma):
        large = replace(face, image=cv2.resize(face.image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), points=face.points * 2)
        blurred = cv2.GaussianBlur(large.image, (0, 0), sigma)
        assert edge_width(blurred, large.points[:, :2], 2 * face.scale) == pytest.approx(sigma, rel=0.35)
        assert added_blur(face.image, face.points[:, :2], face.scale) < 0.8

    def test_a_mouth_is_as_soft_as_its_portrait(self, face):
        soft = replace(face, image=cv2.GaussianBlur(face.image, (0, 0), 3))
        pose = {"jawOpen": 0.6}
        mouth = around(face, (61, 291, 0, 17), 0.1)

        def sharpest(frame):
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
            slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
            return np.percentile(slope[mouth], 99)

        sharp, blurred = sharpest(draw(face, pose)[0]), sharpest(draw(soft, pose)[0])
        assert blurred < 0.55 * sharp
        assert (draw(soft, {})[0] == soft.image).all()


class TestCoveredMouths:
    def masked(self, face: FaceGeometry, colour) -> FaceGeometry:
        picture = face.image.copy()
        outline = face.points[[195, 50, 123, 132, 172, 150, 176, 152, 400, 379, 397, 361, 352, 280], :2]
        cv2.fillPoly(picture, [np.round(outline).astype(np.int32)], colour)
        return replace(face, image=picture)

    @pytest.mark.parametrize("colour", [(150, 190, 225), (235, 235, 235), (30, 30, 32), (205, 160, 140)])
    def test_a_mask_is_noticed(self, face, colour):
        assert mouth_covered(self.masked(face, colour))

    @pytest.mark.parametrize("change", [lambda x: x, lambda x: x // 3, lambda x: np.repeat(x[..., 1:2], 3, -1)])
    def test_a_mouth_is_not_taken_for_a_mask(self, face, change):
        assert not mouth_covered(replace(face, image=np.ascontiguousarray(change(face.image))))

    def test_there_is_a_note_even_when_quiet(self, face):
        from rich.console import Console

        from tbd.cli.console import describe_face
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
        assert not mouth_covered(FaceMeshTracker().locate(read_image(folder / name))), name
    assert mouth_covered(FaceMeshTracker().locate(read_image(shared / "data/faults/25_face_mask.jpg")))
