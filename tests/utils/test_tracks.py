import numpy as np
import pytest
from scipy.ndimage import binary_opening, label

from tbd.utils.tracks import runs, smoothstep


def test_runs_of_nothing_and_of_all():
    assert runs(np.zeros(3, bool)) == [] and runs(np.ones(3, bool)) == [(0, 3)] and runs(np.zeros(0, bool)) == []


@pytest.mark.parametrize("shortest", [1, 2, 3, 4, 7])
def test_runs_are_what_opening_leaves(shortest):
    """Against SciPy's morphology, at the ends of the track as well."""
    rng = np.random.default_rng(shortest)
    for _ in range(200):
        mask = rng.random(int(rng.integers(1, 40))) < 0.7
        marks, count = label(binary_opening(mask, np.ones(shortest)))
        edges = [np.flatnonzero(marks == k + 1) for k in range(count)]
        assert runs(mask, shortest) == [(int(e[0]), int(e[-1]) + 1) for e in edges]


def test_a_smooth_step_is_even_about_its_middle():
    x = np.linspace(-0.5, 1.5, 41)
    assert smoothstep(x).min() == 0 and smoothstep(x).max() == 1
    np.testing.assert_allclose(smoothstep(x) + smoothstep(1 - x), 1)
