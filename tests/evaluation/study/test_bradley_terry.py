"""Scores of comparisons: a known ranking is found again, and answers of chance tell nobody apart."""

from itertools import combinations

import numpy as np
import pytest

from tbd.evaluation.study.bradley_terry import agreement, bradley_terry, rank
from tbd.evaluation.study.key import Vote

METHODS = ("first", "second", "third", "fourth")
STRENGTHS = np.array([1.2, 0.4, -0.4, -1.2])


def simulated(strengths: np.ndarray, raters: int, trials: int, seed: int = 0) -> list[Vote]:
    """Raters who prefer as the model says."""
    rng = np.random.default_rng(seed)
    pairs, votes = list(combinations(range(len(strengths)), 2)), []
    for rater in range(raters):
        for trial in range(trials):
            i, j = pairs[trial % len(pairs)]
            won = rng.random() < 1 / (1 + np.exp(strengths[j] - strengths[i]))
            votes.append(Vote(f"r{rater}", 0, METHODS[i], METHODS[j], float(won), False, f"c{trial}"))
    return votes


def test_a_known_ranking_is_found():
    ranking = rank(simulated(STRENGTHS, raters=25, trials=30), METHODS[::-1], resamples=300)
    assert ranking.methods == METHODS and ranking.resampled == "raters" and ranking.raters == 25
    assert ranking.scores == pytest.approx(STRENGTHS, abs=0.35)
    assert (ranking.low <= STRENGTHS).all() and (ranking.high >= STRENGTHS).all()
    assert not any(ranking.overlaps(i, j) for i, j in combinations(range(4), 2))
    assert ranking.share[0] > 0.75 > 0.5 > ranking.share[2] and ranking.share.mean() == pytest.approx(0.5)
    assert ranking.votes.tolist() == [375] * 4  # 25 raters × 30 trials × 2 sides / 4 methods


@pytest.mark.parametrize("seed", range(5))
def test_answers_of_chance_tell_nobody_apart(seed):
    ranking = rank(simulated(np.zeros(4), raters=12, trials=18, seed=seed), METHODS, resamples=200)
    assert all(ranking.overlaps(i, j) for i, j in combinations(range(4), 2)), (ranking.low, ranking.high)
    assert (np.abs(ranking.scores) < 0.5).all()


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Of 60 studies of a dozen raters, each interval of four methods: 95 % within what 240 draws allow (plain percentiles: 87 %)."""
    inside = []
    for seed in range(60):
        ranking = rank(simulated(STRENGTHS, raters=12, trials=24, seed=seed), METHODS, resamples=1000, seed=seed)
        place = [METHODS.index(name) for name in ranking.methods]
        inside += list((ranking.low <= STRENGTHS[place]) & (STRENGTHS[place] <= ranking.high))
    assert 0.91 < np.mean(inside) < 0.99


@pytest.mark.parametrize(
    ("raters", "each", "told"), [(1, 1, False), (1, 3, False), (1, 8, True), (3, 1, False), (12, 1, True), (6, 2, True)]
)
def test_few_answers_that_all_agree_tell_nobody_apart(raters, each, told):
    """Every sample of them is the same, which is no certainty: of five, even chance makes one in sixteen."""
    votes = [Vote(f"r{i}", 0, "a", "b", 1.0, False, f"c{j}") for i in range(raters) for j in range(each)]
    ranking = rank(votes, ("b", "a"), resamples=400)
    assert ranking.methods == ("a", "b") and ranking.overlaps(0, 1) != told
    assert (ranking.high - ranking.low > 0.5).all()


def test_scores_against_the_likelihood():
    """The fit is where the likelihood of wins and of half a drawn comparison a pair is greatest."""
    from scipy.optimize import minimize

    wins = np.array([[0, 7, 9, 3], [2, 0, 5, 6], [1, 4, 0, 8], [0, 3, 2, 0]], float)
    padded = wins + 0.25 * (1 - np.eye(4))

    def loss(s):
        return float((padded * np.logaddexp(0, s[None] - s[:, None])).sum() + s.sum() ** 2)

    assert bradley_terry(wins) == pytest.approx(minimize(loss, np.zeros(4), tol=1e-10).x, abs=1e-4)


def test_who_never_lost_has_a_finite_score():
    assert np.isfinite(bradley_terry(np.array([[0.0, 5.0], [0.0, 0.0]]))).all()
    assert bradley_terry(np.zeros((3, 3))) == pytest.approx(np.zeros(3))


def test_few_raters_are_drawn_again_by_answers():
    assert rank(simulated(STRENGTHS, raters=2, trials=12), METHODS, resamples=100).resampled == "answers"


def test_agreement_counts_repeated_pairs_alone():
    votes = [Vote("r", 0, "a", "b", 1.0, False, "c"), Vote("r", 0, "b", "a", 0.0, True, "c")]  # the same method both times
    votes += [Vote("r", 0, "a", "b", 1.0, False, "d"), Vote("r", 0, "b", "a", 1.0, True, "d"), Vote("s", 0, "a", "b", 0.0, False, "c")]
    assert agreement(votes) == 0.5 and agreement(votes[:1]) is None
