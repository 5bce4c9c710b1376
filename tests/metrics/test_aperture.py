"""The mouth's opening, and the lag of two of them."""

import numpy as np
import pytest
import torch

from tbd.metrics import ApertureCorrelation, Unmeasurable
from tbd.metrics.aperture import lagged_correlation, mouth_aperture


def test_aperture_counts_inter_ocular_distances():
    face = torch.zeros(2, 68, 2)
    face[:, 36, 0], face[:, 45, 0] = 10, 60
    face[1, 66, 1] = 5
    assert mouth_aperture(face).tolist() == pytest.approx([0, 0.1])


def test_lags_are_found_with_their_sign_and_gaps_are_passed_over():
    rng = np.random.default_rng(0)
    track = np.convolve(rng.standard_normal(120), np.ones(4) / 4, "same")
    for lag in (-7, 0, 3):
        late = np.roll(track, lag)
        late[50:53] = np.nan
        r, found = lagged_correlation(late, track, 10)
        assert found == lag and r > 0.9
    assert lagged_correlation(-track, track, 0)[0] == pytest.approx(-1)
    with pytest.raises(Unmeasurable, match="stands still"):
        lagged_correlation(np.zeros(50), track, 3)


def test_aperture_correlation_reports_both(faces):
    moving = faces.repeat(5, 1, 1)
    moving[:, 66, 1] += 10 * torch.sin(torch.arange(60) / 2.0) + 12
    metric = ApertureCorrelation()
    metric.update(moving[:-4], moving[4:])
    assert metric.means()["lag"] == pytest.approx(4) and float(metric.compute()) > 0.99
