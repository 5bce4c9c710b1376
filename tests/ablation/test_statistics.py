"""Means, marks and bests, against figures worked out by hand or by scipy."""

import numpy as np
import pytest
from scipy import stats

from tbd.ablation.statistics import Cell, best, compare, holm, paired_t, signed_rank


def cell(seeds, clips=None):
    return Cell(dict(enumerate(seeds)), {} if clips is None else {f"c{i}": x for i, x in enumerate(clips)})


def test_the_tests_are_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.2, 1, 40), rng.normal(0, 1, 40)
    ours = signed_rank({str(i): x for i, x in enumerate(a)}, {str(i): x for i, x in enumerate(b)})
    assert ours == pytest.approx(stats.wilcoxon(a, b, method="approx").pvalue, rel=0.02)
    assert paired_t([0.1, 0.3, 0.2]) == pytest.approx(stats.ttest_rel([1.1, 1.3, 1.2], [1, 1, 1]).pvalue)
    assert signed_rank({"a": 1.0}, {"a": 2.0}) is None and paired_t([0.1]) is None


def test_no_difference_is_no_proof():
    same = {str(i): float(i) for i in range(20)}
    assert signed_rank(same, same) == 1.0 and paired_t([0.0, 0.0]) == 1.0


def test_a_mark_needs_the_clips_and_every_seed():
    rng = np.random.default_rng(1)
    clips = rng.normal(0, 1, 60)
    cells = {
        "base": cell([1.0, 1.1, 0.9], clips),
        "better": cell([1.5, 1.6, 1.4], clips + 0.5 + rng.normal(0, 0.1, 60)),
        "one seed disagrees": cell([1.5, 1.0, 1.9], clips + 0.5 + rng.normal(0, 0.1, 60)),
        "chance": cell([1.2, 1.3, 1.1], clips + rng.normal(0, 1, 60)),
    }
    compare(cells, "base")
    assert {name for name, c in cells.items() if c.significant} == {"better"}
    assert cells["better"].difference == pytest.approx(0.5) and cells["base"].p_clips is None
    raw = signed_rank(cells["better"].by_clip, cells["base"].by_clip)
    assert raw < cells["better"].p_clips <= 3 * raw * 1.001  # Holm's correction over three variants


def test_without_clips_the_seeds_are_tested():
    cells = {"base": cell([1.0, 1.1, 0.9]), "far": cell([3.0, 3.1, 2.91]), "near": cell([1.1, 1.2, 0.93])}
    compare(cells, "base")
    assert cells["far"].significant and cells["far"].p_clips is None and not cells["near"].significant


def test_holm_never_puts_a_greater_p_before_a_smaller():
    assert holm({"a": 0.02, "b": 0.021, "c": 0.5}) == {"a": pytest.approx(0.06), "b": pytest.approx(0.06), "c": 0.5}


@pytest.mark.parametrize(("better", "won"), [("higher", {"c"}), ("lower", {"a"}), ("reference", {"b"})])
def test_the_best_depends_on_the_direction(better, won):
    cells = {"a": cell([0.1, 0.1]), "b": cell([0.5, 0.5]), "c": cell([0.9, 0.9]), "none": Cell()}
    assert best(cells, better, 0.6, 2) == won
    assert best(cells, "reference", None, 2) == set()


def test_ties_at_the_shown_digits_share_the_prize_but_not_all_of_them():
    assert best({"a": cell([0.501] * 2), "b": cell([0.499] * 2), "c": cell([0.2] * 2)}, "higher", None, 2) == {"a", "b"}
    assert best({"a": cell([0.501] * 2), "b": cell([0.499] * 2)}, "higher", None, 2) == set()


def test_what_the_seeds_cannot_tell_apart_shares_the_prize():
    cells = {"a": cell([0.50, 0.60]), "b": cell([0.52, 0.57]), "c": cell([0.1, 0.2])}
    assert best(cells, "higher", None, 2) == {"a", "b"}
    assert best({**cells, "b": cell([0.44, 0.44])}, "higher", None, 2) == {"a"}


def test_one_seed_wins_nothing():
    assert best({"a": cell([0.5]), "b": cell([0.9]), "c": cell([0.1])}, "higher", None, 2) == set()
