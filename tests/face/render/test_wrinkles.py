"""Creases: where they are drawn, and how deep."""

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import mean_face, mirror_points
from tbd.face.render.skin import shadow_tint, skin_mask
from tbd.face.render.wrinkles import CREASES, _curve, _place, crease_maps, crease_onsets, saturate_depth, shown_depth


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
        assert saturate_depth(np.float32(5)) < 1.21 and abs(saturate_depth(np.float32(0.2)) - 0.2) < 0.01

    def test_strong_movements_press_furrows_into_smooth_skin_and_slight_ones_do_not(self):
        points, places, _, mix = self.maps()
        on_smooth, _ = crease_maps(points, places, self.scale, soft=0.014, depth=0.55)
        frown = mix[[BLENDSHAPES.index("browDownLeft"), BLENDSHAPES.index("browDownRight")]].sum(0)
        slight, full = (saturate_depth(level * frown, crease_onsets()) @ on_smooth for level in (0.2, 1.0))
        assert full.min() < -0.35 and slight.min() > -0.1 and len(crease_onsets()) == len(on_smooth)

    def test_furrows_in_smooth_skin_are_shades_and_no_strokes(self):
        points, places, lined, mix = self.maps()
        smooth, _ = crease_maps(points, places, self.scale, soft=0.014, depth=0.55)
        frown = mix[[BLENDSHAPES.index("browDownLeft"), BLENDSHAPES.index("browDownRight")]].sum(0)
        of_lined, of_smooth = (saturate_depth(frown, crease_onsets()) @ maps for maps in (lined, smooth))
        steepest = [np.abs(np.diff(light.reshape(80, 80), axis=1)).max() for light in (of_lined, of_smooth)]
        assert steepest[1] < 0.6 * steepest[0] and of_smooth.min() < 0.45 * of_lined.min()

    def test_outer_brows_alone_draw_no_line_across_the_middle_of_the_forehead(self):
        points, places, maps, mix = self.maps()
        middle = np.linalg.norm(places - points[151], axis=1) < 0.2 * self.scale
        inner, outer = (
            (saturate_depth(mix[[BLENDSHAPES.index(name) for name in names]].sum(0), crease_onsets()) @ maps)[middle].min()
            for names in (("browInnerUp",), ("browOuterUpLeft", "browOuterUpRight"))
        )
        assert inner < -0.12 and outer > 0.35 * inner

    def test_folds_across_the_bridge_of_the_nose_draw_no_bright_lines(self):
        points, places, _, mix = self.maps()
        maps, _ = crease_maps(points, places, self.scale, light=np.array([0.5, 0.5]))
        sneer = mix[[BLENDSHAPES.index("noseSneerLeft"), BLENDSHAPES.index("noseSneerRight")]].sum(0)
        light = saturate_depth(sneer, crease_onsets()) @ maps
        bridge = np.linalg.norm(places - points[[6, 168]].mean(0), axis=1) < 0.15 * self.scale
        assert light[bridge].min() < -0.25 and light[bridge].max() < 0.05

    def test_a_soft_picture_has_soft_furrows(self):
        points, places, _, _ = self.maps()
        furrows = crease_onsets() > 0
        sharp, soft = (crease_maps(points, places, self.scale, soft=blur, blur=blur)[0][furrows] for blur in (0.0, 0.03))
        assert soft.min() > 0.6 * sharp.min()

    def test_hair_is_not_skin_and_grey_pictures_stay_grey(self):
        image = np.full((240, 240, 3), (205, 160, 140), np.uint8)
        image[:40] = (40, 30, 25)
        points = mean_face()[:, :2] * [self.scale, -self.scale] + [120, 100]
        likeness = skin_mask(image, points, self.scale)
        assert likeness[120, 120] > 0.9 and likeness[10, 120] < 0.1
        grey = np.full_like(image, 150)
        np.testing.assert_array_equal(shadow_tint(grey, points), 1)
        assert shadow_tint(image, points)[0] < 1 < shadow_tint(image, points)[2]

    def test_a_fold_is_dark_on_the_side_that_faces_away_from_the_light(self):
        points, places, _, _ = self.maps()
        away = places - points[[426, 436]].mean(0)
        sides = []
        for light in (np.array([-0.6, 0.0]), np.array([0.6, 0.0])):
            maps, mix = crease_maps(points, places, self.scale, light=light)
            fold = mix[BLENDSHAPES.index("mouthSmileLeft")] @ maps
            near = np.abs(away[:, 1]) < 0.05 * self.scale
            left, right = (fold[near & (sign * away[:, 0] > 0) & (np.abs(away[:, 0]) < 0.06 * self.scale)].mean() for sign in (-1, 1))
            sides.append(left - right)
        assert sides[1] - sides[0] > 0.08  # the valley's left wall faces right

    def test_a_fold_that_hair_hides_in_part_is_not_drawn(self):
        points, places, maps, _ = self.maps()
        k = int(np.abs(maps).sum(1).argmax())
        middle = np.average(places[:, 0], weights=np.abs(maps[k]))
        skin = (places[:, 0] > middle).astype(np.float64)
        covered, _ = crease_maps(points, places, self.scale, skin=skin)
        assert np.abs(covered[k]).max() == 0 < np.abs(maps[k]).max()
        bare, _ = crease_maps(points, places, self.scale, skin=np.ones(len(places)))
        np.testing.assert_array_equal(bare, maps)

    def test_lines_of_the_forehead_are_about_level_and_do_not_cross(self):
        points = mean_face()[:, :2] * [1, -1]
        across = np.linspace(-0.25, 0.25, 21)
        heights = {}
        for crease in CREASES:
            if crease.name.startswith("forehead") and crease.whole:
                path = _curve(np.array([_place(points, at, False) for at in crease.path]))
                path = path[np.argsort(path[:, 0])]
                heights[crease.name] = np.interp(across, path[:, 0], path[:, 1])
                slope = np.diff(heights[crease.name]) / np.diff(across)
                assert np.ptp(heights[crease.name]) < 0.04 and np.abs(np.diff(slope)).max() < 0.15, crease.name
        low, high = (heights[f"forehead furrow, {which}"] for which in ("lower", "higher"))
        assert (low - high).min() > 0.05  # half a centimetre
        assert (points[[55, 285], 1].mean() - low).min() > 0.03

    def test_no_fold_has_a_corner(self):
        points = mean_face()[:, :2] * [1, -1]
        for crease in CREASES:
            way = np.diff(_curve(np.array([_place(points, at, False) for at in crease.path])), axis=0)
            if len(way) > 1:
                way /= np.linalg.norm(way, axis=1, keepdims=True)
                assert (way[1:] * way[:-1]).sum(1).min() > np.cos(np.radians(35)), crease.name

    def test_a_fold_is_as_deep_as_the_portrait_shows_it(self):
        y, x = np.mgrid[:90, :120].astype(np.float32)
        fold = -0.3 * np.exp(-(((x - 60) / 2) ** 2)) * (np.abs(y - 45) < 30)
        slope = 4 + 0.01 * x  # a face that turns from the light is no fold
        depths = [float(shown_depth(fold[None], slope + share * fold)[0]) for share in (-0.5, 0.0, 0.5, 1.0)]
        np.testing.assert_allclose(depths, [0, 0, 0.5, 1], atol=0.05)
