"""Two processes train, validate and test the motion model as one does with the same global batch."""

import pytest
import torch

from tests.draw.motion.processes import results
from tests.draw.tiny_motion import write_corpus
from tests.ranks import run_ranks


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[dict, dict, dict]:
    """What one process found, this one, and each of two."""
    folder = tmp_path_factory.mktemp("runs")
    corpus = write_corpus(folder / "corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PL_GLOBAL_SEED", "3")
        one = results(1, corpus)  # it packs the corpus
        run_ranks("tests.draw.motion.processes", str(folder / "two"), str(corpus))
    return one, *(torch.load(folder / f"two.{rank}", weights_only=True) for rank in range(2))


def test_they_train_as_one(runs):
    """Its logged loss is that of all processes, not the first one's."""
    one, first, second = runs
    assert first["logged"] == second["logged"] == pytest.approx(one["logged"], rel=1e-5) and len(one["logged"]) == 2
    for name, weight in one["weights"].items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        if not name.endswith(("key_value.bias", "qkv.bias")):  # a softmax is blind to its keys' biases: their gradients are rounding
            assert torch.allclose(weight, first["weights"][name], atol=2e-4), name


def test_they_validate_and_test_as_one(runs):
    """Seven windows and three clips do not divide by two: what makes up for it counts once."""
    one, first, second = runs
    assert {"val/loss", "val/jawOpen", "val/muscle_error", "val/au_r"} <= one["validated"].keys()
    assert {"test/muscle_error", "test/au_r", "test/mouth_r", "test/fmd", "test/jaw_r"} <= one["tested"].keys()
    for what in ("validated", "tested"):
        assert first[what] == second[what] == pytest.approx(one[what], rel=1e-4, abs=1e-5)
    assert first["validated"]["val/loss"] == pytest.approx(one["validated"]["val/loss"], rel=1e-6)


def test_statistics_are_estimated_alike_and_said_so(runs):
    one, first, second = runs
    for name in ("mean", "std"):
        assert torch.equal(first[name], second[name]) and torch.allclose(first[name], one[name], rtol=1e-5)
    # eight windows of 20 to 27 frames around their numbers, and channels that move the more the later they come
    assert 3 < float(one["mean"][0]) < 5 and float(one["std"].min()) > 1
    assert len(one["said"]) == 1 and "188 frames" in one["said"][0]
