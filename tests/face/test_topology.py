"""Triangles and rings of the mesh."""

import numpy as np

from tbd.face import topology


def test_triangles_cover_the_skin_and_leave_holes_for_eyes_and_mouth():
    triangles = topology.triangles()
    assert triangles.shape == (852, 3) and np.unique(triangles).size == 468
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), 1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert set(counts) == {1, 2}
    assert (counts == 1).sum() == len(topology.FACE_OVAL) + 2 * 16 + 20


def test_rings_mirror_onto_themselves():
    for ring in (topology.LIP_TOP, topology.LIP_BOTTOM, *topology.UPPER_LIP_ROWS, *topology.LOWER_LIP_ROWS):
        assert topology.mirrored(ring) == ring[::-1]
    assert topology.mirrored(topology.mirrored(topology.EYE_TOP)) == topology.EYE_TOP
