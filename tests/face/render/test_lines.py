"""A face's own lines."""

import numpy as np

from tbd.face.channels import BLENDSHAPES
from tbd.face.geometry import mean_face
from tbd.face.render.lines import line_maps


class TestOwnLines:
    scale = 100.0

    def maps(self, lined: bool):
        points = mean_face()[:, :2] * [self.scale, -self.scale] + [150, 130]
        image = np.full((300, 300, 3), (200, 160, 140), np.uint8)
        forehead = points[[9, 151]].mean(0).round().astype(int)
        if lined:
            for row in range(forehead[1] - 12, forehead[1] + 13, 6):
                image[row : row + 2] = (165, 128, 110)
        rng = np.random.default_rng(0)
        image = np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
        maps, mix = line_maps(image, np.ones(image.shape[:2]), points, self.scale)
        raised = mix[[BLENDSHAPES.index("browInnerUp")]] @ maps.reshape(len(maps), -1)
        return raised.reshape(300, 300), forehead

    def test_raised_brows_deepen_the_lines_of_a_lined_forehead(self):
        raised, (x, y) = self.maps(True)
        row = raised[y - 12 : y + 13, x - 20 : x + 20].mean(1)
        assert row.min() < -0.05 and row.max() > 0
        assert np.abs(raised[250:, :]).max() < 0.01  # the chin has its own muscles

    def test_a_smooth_forehead_stays_smooth(self):
        raised, (x, y) = self.maps(False)
        assert np.abs(raised[y - 15 : y + 15, x - 20 : x + 20]).max() < 0.02
