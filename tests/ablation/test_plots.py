"""Axes on which noise does not look like a slope."""

import pytest

from tbd.ablation.plots import plot_sweep, span
from tbd.ablation.statistics import Cell
from tbd.ablation.study import Point, Study, Sweep, Variant
from tbd.ablation.tables import Column
from tbd.evaluation.protocol import load_protocol


def cells(*means: float, deviation: float = 0.0) -> list[Cell]:
    """Three seeds each."""
    return [Cell({1: m - deviation, 2: m, 3: m + deviation}) for m in means]


def test_a_thousandth_stays_flat_and_a_step_fills_the_axis():
    low, high = span(cells(0.820, 0.821, 0.822))
    assert high - low == pytest.approx(0.0822) and (low + high) / 2 == pytest.approx(0.821)
    low, high = span(cells(2.6, 4.6))
    assert (low, high) == (pytest.approx(2.5), pytest.approx(4.7))


def test_seeds_that_differ_widen_the_axis():
    low, high = span(cells(0.50, 0.52, deviation=0.05))
    assert high - low == pytest.approx(6 * 0.05)
    assert low < 0.45 and high > 0.57  # bars and all


@pytest.mark.parametrize("means", [(0.0, 0.0), (0.001, 0.0)])
def test_errors_of_nearly_nothing_begin_at_nothing(means):
    low, high = span(cells(*means, deviation=0.0))
    assert low <= 0 < high and low > -0.51
    assert span(cells(0.01, deviation=0.009))[0] == 0


def test_negative_numbers_are_not_cut_off():
    low, high = span(cells(-0.3, 0.2))
    assert low < -0.3 and high > 0.2


def test_a_sweep_is_drawn_with_its_seeds(tmp_path, monkeypatch):
    """What is on the figure: the baseline's band, a line with bars and band, and limits by `span`."""
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, dpi: drawn.append(figure))
    sweep = Sweep(name="switch", base="base", key="model.switch", values=[0, 1])
    study = Study.model_construct(name="s", baseline=None, variants=[Variant(name="base")], sweeps=[sweep])
    rows = [Variant(name="base"), *(Variant(name=f"switch={x}", point=Point(sweep="switch", line="", value=x)) for x in (0, 1))]
    numbers = dict(zip(("base", "switch=0", "switch=1"), cells(0.50, 0.51, 0.52, deviation=0.02)))
    column = Column(load_protocol("procedural-motion-v1").entry("jaw"), "higher", numbers, 0.53)
    plot_sweep(study, sweep, rows, [column], tmp_path / "a.png")
    (axis,) = drawn[0].axes
    assert axis.get_ylim() == pytest.approx(span([*numbers.values(), Cell({0: 0.53})]))
    assert len(axis.containers) == 1 and axis.containers[0].has_yerr and len(axis.patches) == 1  # bars; the baseline's band
