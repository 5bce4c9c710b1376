"""What all metrics share: means that do not depend on the order, counted failures, networks that stay outside."""

import copy
import pickle

import matplotlib
import numpy as np
import pytest
import torch
from torch import nn

from tbd.errors import InputError
from tbd.metrics.base import ClipMean, FrozenModule, Unmeasurable, full_precision, to_uint8

matplotlib.use("Agg")


class Half(ClipMean):
    """Measures half of what it gets; negative numbers cannot be measured."""

    reads = ("preds.number",)
    unit = ""
    higher_is_better = True

    def measure(self, value):
        if value < 0:
            raise Unmeasurable("It is negative.")
        return {"value": value / 2}


def test_the_mean_is_that_of_the_clips_and_failures_are_counted():
    metric = Half()
    for value in (1.0, -1.0, 4.0):
        metric.update(value)
    assert float(metric.compute()) == 1.25
    assert (int(metric.clips), int(metric.unmeasured)) == (2, 1)
    assert float(metric(3.0)) == 1.5, "forward gives the clip's own number"
    assert float(metric.compute()) == pytest.approx(4 / 3, abs=1e-9)


def test_a_metric_that_measured_nothing_gives_nan():
    metric = Half()
    metric.update(-1.0)
    assert torch.isnan(metric.compute())


def test_sums_have_the_same_bits_in_every_order_and_share():
    values = np.random.default_rng(0).random(101) * 10 ** np.random.default_rng(1).uniform(-3, 3, 101)

    def mean(*shares):
        parts = []
        for share in shares:
            parts.append(Half())
            for value in share:
                parts[-1].update(value)
        total = Half()
        for name in ("totals", "weight", "clips", "unmeasured"):
            setattr(total, name, sum(getattr(part, name) for part in parts))
        total._update_count = 1
        return float(total.compute())

    whole = mean(values)
    assert whole == mean(values[::-1]) == mean(values[:37], values[37:]) == mean(values[::2], values[1::2])
    assert whole == pytest.approx(values.mean() / 2, rel=1e-9)
    assert np.float32(values[:37]).sum() + np.float32(values[37:]).sum() != np.float32(values)[::-1].sum(), "floats would differ"


def test_weights_count_and_a_mean_is_not_kept_when_a_clip_is_added():
    metric = Half()
    metric.add({"value": 1.0}, weight=3.0)
    assert float(metric.compute()) == 1.0
    metric.add({"value": 5.0}, weight=1.0)
    assert float(metric.compute()) == 2.0
    metric.add(None)
    assert (float(metric.compute()), int(metric.unmeasured)) == (2.0, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e18])
def test_numbers_that_no_mean_can_hold_are_refused(value):
    with pytest.raises(InputError, match="no mean can hold"):
        Half().update(value)


def test_it_plots_and_is_copied_and_pickled_with_its_sums():
    metric = Half()
    metric.update(3.0)
    _, axis = metric.plot()
    assert axis.lines[0].get_ydata() == [1.5]
    _, axis = metric.plot([metric.compute(), metric.compute()])
    assert len(axis.lines[0].get_ydata()) == 2
    for twin in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric)), metric.clone()):
        twin.update(5.0)
        assert (float(twin.compute()), float(metric.compute())) == (2.0, 1.5)


def test_networks_are_not_part_of_the_metric_and_are_frozen():
    metric = Half()
    metric.network = FrozenModule(nn.BatchNorm1d(2))
    assert not metric.state_dict() and not list(metric.parameters())
    network = metric.network.network
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert metric.clone().network.network is network, "a clone would hold the weights twice"


def test_autocast_is_off_within_exactly():
    layer = nn.Linear(3, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(torch.ones(1, 3)).dtype == torch.bfloat16
        with full_precision(torch.device("cpu")):
            assert layer(torch.ones(1, 3)).dtype == torch.float32


@pytest.mark.parametrize("before", ["high", "highest"])
def test_products_are_exact_within_whatever_training_has_set(before):
    found = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(before)
    try:
        with pytest.raises(ValueError, match="a metric"), full_precision(torch.device("cpu")):
            assert torch.get_float32_matmul_precision() == "highest"
            raise ValueError("a metric")
        assert torch.get_float32_matmul_precision() == before
    finally:
        torch.set_float32_matmul_precision(found)


def test_floats_are_clamped_and_rounded():
    values = torch.tensor([-1.0, 0.0, 0.4999 / 255, 0.5001 / 255, 0.9999, 1.01, 2.0])
    assert to_uint8(values).tolist() == [0, 0, 0, 1, 255, 255, 255]
