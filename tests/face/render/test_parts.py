from dataclasses import replace

import numpy as np
import pytest
import skimage.data

from tbd.face import topology as mesh
from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import FaceGeometry, euler_to_matrix, mean_face, mirror_points
from tbd.face.render.contour import Aperture, affine, blend, carry
from tbd.face.render.grid import Grid, Interpolator, invert
from tbd.face.render.head import stay_within
from tbd.face.render.matting import fill, paint_out, recompose, separate
from tbd.face.render.wrinkles import CREASES, crease_maps, deepen, shadow_tint, skin_likeness
from tbd.face.rig import Rig


class TestGrid:
    def test_cells_cover_the_picture_and_enlarge_to_its_size(self):
        grid = Grid(50, 33, 4)
        assert grid.shape == (13, 9)
        assert grid.enlarge(np.zeros(grid.shape, np.float32)).shape == (50, 33)

    def test_enlarging_keeps_a_linear_field_in_place(self):
        grid = Grid(64, 48, 4)
        full = grid.enlarge(grid.centres())
        y, x = np.mgrid[:64, :48]
        inner = slice(2, -2), slice(2, -2)
        np.testing.assert_allclose(full[inner], np.dstack([x, y])[inner], atol=1e-3)

    def test_a_window_and_its_pixels_agree(self):
        grid = Grid(50, 33, 4)
        cells = grid.window(np.array([10, 20]), np.array([40, 60]))
        rows, columns = grid.pixels(cells)
        assert (rows.start, rows.stop, columns.start, columns.stop) == (20, 50, 8, 33)
        part = grid.enlarge(np.zeros(tuple(s.stop - s.start for s in cells), np.float32), cells)
        assert part.shape == (30, 25)


def test_the_interpolator_passes_through_its_points_and_does_not_overshoot():
    rng = np.random.default_rng(0)
    points, values = rng.random((60, 2)), rng.random((60, 1))
    spread = Interpolator(points, stiffness=0.0)
    np.testing.assert_allclose(spread(values, points), values, atol=1e-4)
    step = (points[:, :1] > 0.5).astype(float)
    everywhere = spread(step, rng.random((2000, 2)))
    assert everywhere.min() > -0.15 and everywhere.max() < 1.15
    np.testing.assert_allclose(Interpolator(points)(np.ones((60, 1)), rng.random((9, 2)) * 3), 1, atol=1e-3)


@pytest.mark.parametrize("stretch", [-0.5, 0.8, 2.3])
def test_inverting_a_stretched_field(stretch):
    y, x = np.mgrid[:60, :60].astype(np.float32)
    t = np.clip((y - 14) / 16, 0, 1)
    ramp = stretch * 16 / 1.5 * t * t * (3 - 2 * t)  # at its steepest, one row becomes 1 + stretch rows
    move = np.dstack([0.3 * ramp, ramp]).astype(np.float32)
    back = invert(move, steps=12)
    from cv2 import BORDER_REPLICATE, INTER_LINEAR, remap

    forth = remap(move, np.dstack([x, y]) + back, None, INTER_LINEAR, borderMode=BORDER_REPLICATE)
    assert np.abs(back + forth)[:-3].max() < 0.15


def test_inverting_rest_is_exactly_rest():
    assert np.abs(invert(np.zeros((9, 7, 2), np.float32))).max() == 0


class TestMatte:
    def test_layers_recompose_the_portrait_exactly(self):
        image = skimage.data.astronaut()
        outline = np.array([[190, 60], [260, 60], [260, 160], [190, 160]])
        layers = separate(image, outline, 60.0)
        assert layers.separable
        assert (recompose(layers.foreground, layers.background) == image).all()
        alpha = layers.foreground[..., 3]
        assert alpha[110, 225] == 255 and alpha[20, 330] == 0  # the face, the wall
        assert np.abs(layers.background[110, 225].astype(int) - image[110, 225]).max() > 20  # the person is painted out

    def test_a_picture_without_a_person_moves_as_one(self):
        image = np.random.default_rng(0).integers(0, 255, (120, 120, 3), np.uint8)
        layers = separate(image, np.array([[40, 40], [80, 40], [80, 80]]), 30.0)
        assert not layers.separable and (layers.foreground[..., 3] == 255).all()
        assert (recompose(layers.foreground, layers.background) == image).all()

    def test_painting_out_keeps_what_is_seen(self):
        image = np.full((80, 80, 3), 90, np.uint8)
        image[30:50, 30:50] = 250
        alpha = np.zeros((80, 80), np.float32)
        alpha[28:52, 28:52] = 1
        np.testing.assert_allclose(paint_out(image, alpha, 20.0), 90, atol=2)

    def test_filling_is_smooth_and_keeps_the_known(self):
        picture = np.tile(np.linspace(0, 200, 64, dtype=np.float32)[:, None, None], (1, 64, 3))
        known = np.ones((64, 64), np.float32)
        known[20:40, 20:40] = 0
        filled = fill(picture * known[..., None], known)
        assert (filled[known > 0] == picture[known > 0]).all()
        assert np.abs(filled - picture).max() < 45


class TestAperture:
    aperture = Aperture(tuple(range(5)), tuple(range(5)), (slice(10, 60), slice(20, 90)))
    corners = np.linspace(30, 80, 5)

    def contours(self, half: float) -> tuple[np.ndarray, np.ndarray]:
        bow = half * np.sin(np.linspace(0, np.pi, 5))
        return np.column_stack([self.corners, 35 - bow]), np.column_stack([self.corners, 35 + bow])

    def test_inside_shows_and_outside_does_not(self):
        cover = self.aperture.open(*self.contours(8)).coverage(2.0)
        assert cover[25, 35] == 1 and cover[25 - 10, 35] == 0 and cover[25, 5] == 0
        assert 380 < cover.sum() < 540  # area 2 · 8 · 50 · 2/π ≈ 509, less half of the soft edge

    def test_a_closed_opening_shows_nothing(self):
        assert self.aperture.open(*self.contours(0)).coverage(1.0).max() == 0
        assert self.aperture.open(*self.contours(-3)).coverage(1.0).max() == 0

    def test_a_reversed_contour_is_the_same_opening(self):
        top, bottom = self.contours(8)
        there, back = self.aperture.open(top, bottom), self.aperture.open(top[::-1], bottom[::-1])
        np.testing.assert_allclose(there.coverage(2.0), back.coverage(2.0), atol=1e-4)

    def test_the_box_holds_the_opening(self):
        top, bottom = self.contours(8)
        cover = self.aperture.open(top, bottom).coverage(2.0)
        box = self.aperture.box(top, bottom)
        assert cover.sum() == cover[box].sum() and cover[box].size < 0.6 * cover.size


def test_affine_carries_a_texture_with_its_points():
    rest = np.array([[40.0, 30], [50, 30], [40, 40]])
    matrix = affine(rest, rest + np.array([3, 2]))
    np.testing.assert_allclose(matrix, [[1, 0, 3], [0, 1, 2]], atol=1e-9)
    texture = np.zeros((40, 40), np.float32)
    texture[10, 12] = 1
    pixels, box = (slice(20, 60), slice(30, 70)), (slice(5, 40), slice(5, 40))
    assert np.argwhere(carry(texture, matrix, pixels, box) > 0.9).tolist() == [[12 - 5, 15 - 5]]
    assert (affine(rest, rest) == [[1, 0, 0], [0, 1, 0]]).all()


def test_blend_keeps_what_is_equal():
    below = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    kept = below.copy()
    blend(below, below.copy(), np.full((4, 4), 0.37, np.float32))
    assert (below == kept).all()
    blend(below, below + 100, np.eye(4, dtype=np.float32))
    assert (below[0, 0] == kept[0, 0] + 100).all() and (below[0, 1] == kept[0, 1]).all()


class TestCreases:
    scale = 80.0

    def maps(self):
        points = mean_face()[:, :2] * [self.scale, -self.scale] + [120, 100]
        y, x = np.mgrid[:240:3, :240:3]
        places = np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)
        return points, places, *crease_maps(points, places, self.scale)

    def test_every_name_is_a_blendshape(self):
        for crease in CREASES:
            for name in crease.by:
                assert name in BLENDSHAPES or name + "Left" in BLENDSHAPES, (crease.name, name)

    def test_maps_and_mix_fit_together(self):
        _, places, maps, mix = self.maps()
        assert mix.shape == (52, len(maps)) and maps.shape[1] == len(places)
        assert maps.min() < -0.2 and maps.max() < 0.3

    def test_both_sides_mirror_each_other(self):
        _, places, maps, mix = self.maps()
        left, right = (mix[BLENDSHAPES.index(f"mouthSmile{side}")] @ maps for side in ("Left", "Right"))
        points = self.maps()[0]
        flipped = points[mirror_points()] * [-1, 1] + [240, 0]
        maps, _ = crease_maps(flipped, places * [-1, 1] + [240, 0], self.scale)
        np.testing.assert_allclose(mix[BLENDSHAPES.index("mouthSmileLeft")] @ maps, right, atol=0.02)
        assert (places[np.argmin(left), 0] > 120) and (places[np.argmin(right), 0] < 120)

    def test_a_frown_darkens_between_the_brows(self):
        points, places, maps, mix = self.maps()
        frown = mix[[BLENDSHAPES.index("browDownLeft"), BLENDSHAPES.index("browDownRight")]].sum(0) @ maps
        darkest = places[np.argmin(frown)]
        assert np.linalg.norm(darkest - points[[8, 9, 55, 285]].mean(0)) < 0.25 * self.scale

    def test_folds_do_not_deepen_without_end(self):
        assert deepen(np.float32(5)) < 1.21 and abs(deepen(np.float32(0.2)) - 0.2) < 0.01

    def test_hair_is_not_skin_and_grey_pictures_stay_grey(self):
        image = np.full((240, 240, 3), (205, 160, 140), np.uint8)
        image[:40] = (40, 30, 25)
        points = mean_face()[:, :2] * [self.scale, -self.scale] + [120, 100]
        likeness = skin_likeness(image, points, self.scale)
        assert likeness[120, 120] > 0.9 and likeness[10, 120] < 0.1
        grey = np.full_like(image, 150)
        np.testing.assert_array_equal(shadow_tint(grey, points), 1)
        assert shadow_tint(image, points)[0] < 1 < shadow_tint(image, points)[2]


def test_triangles_cover_the_skin_and_leave_holes_for_eyes_and_mouth():
    triangles = mesh.triangles()
    assert triangles.shape == (852, 3) and np.unique(triangles).size == 468
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), 1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert set(counts) == {1, 2}
    assert (counts == 1).sum() == len(mesh.FACE_OVAL) + 2 * 16 + 20


def test_rings_mirror_onto_themselves():
    for ring in (mesh.LIP_TOP, mesh.LIP_BOTTOM, *mesh.UPPER_LIP_ROWS, *mesh.LOWER_LIP_ROWS):
        assert mesh.mirrored(ring) == ring[::-1]
    assert mesh.mirrored(mesh.mirrored(mesh.EYE_TOP)) == mesh.EYE_TOP


class TestStayWithin:
    def face(self, yaw: float) -> FaceGeometry:
        rotation = euler_to_matrix(np.array([0, yaw, 0])).astype(np.float32)
        face = FaceGeometry(np.zeros((300, 300, 3), np.uint8), np.zeros((478, 3)), mean_face(), rotation, 90.0, np.float32([150, 120]))
        return replace(face, points=face.project(face.canonical))

    def test_a_face_from_the_front_moves_freely(self):
        modes = Rig(mean_face()).modes
        kept = stay_within(modes, self.face(0.0))
        smile = BLENDSHAPES.index("mouthSmileLeft")
        np.testing.assert_allclose(kept[smile, 291], modes[smile, 291], atol=0.01)

    def test_the_far_corner_of_a_turned_face_is_held_back_and_the_near_one_is_not(self):
        modes = Rig(mean_face()).modes
        kept = stay_within(modes, self.face(0.6))  # turned to the image's right
        far, near = BLENDSHAPES.index("mouthStretchLeft"), BLENDSHAPES.index("mouthStretchRight")
        across = self.face(0.6).rotation[0]
        assert kept[far, 291] @ across < 0.7 * (modes[far, 291] @ across)
        np.testing.assert_allclose(kept[near, 61], modes[near, 61], atol=0.01)
        np.testing.assert_array_equal(kept[:, 468:], modes[:, 468:])
