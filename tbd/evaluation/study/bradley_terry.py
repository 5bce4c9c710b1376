"""Bradley–Terry scores of paired comparisons, with intervals by bootstrap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tbd.evaluation.study.key import Vote

_PRIOR = 0.5
"""Comparisons, drawn, of every two methods that are added, so that one that never lost has a finite score."""
_FEWEST_RATERS = 5
"""With fewer raters, single answers are drawn again instead of whole raters, and intervals are of these raters alone."""
_STEPS = 1000
_CLOSE = 1e-9


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """Fit Bradley–Terry's model (1952) by the minorization of Hunter (2004): P(i beats j) = 1 / (1 + exp(s_j − s_i)).

    Args:
        wins: (..., N, N) how often row was preferred to column; a draw is half a win of either. Zero on the diagonal.

    Returns:
        (..., N) scores in natural log-odds, with the mean 0.

    Example:
        >>> bradley_terry(np.array([[0.0, 3.0], [1.0, 0.0]])).round(3).tolist()
        [0.478, -0.478]
    """
    wins = wins + _PRIOR / 2 * (1 - np.eye(wins.shape[-1]))
    games, won, strength = wins + wins.swapaxes(-1, -2), wins.sum(-1), np.ones(wins.shape[:-1])
    for _ in range(_STEPS):
        renewed = won / (games / (strength[..., :, None] + strength[..., None, :])).sum(-1)
        renewed /= np.exp(np.log(renewed).mean(-1, keepdims=True))
        done = np.abs(np.log(renewed / strength)).max() < _CLOSE
        strength = renewed
        if done:
            break
    return np.log(strength)


@dataclass(frozen=True)
class Ranking:
    """Methods by preference.

    Args:
        methods: Names, best first.
        scores: (N,) Bradley–Terry scores.
        low: (N,) lower end of their 95 % intervals.
        high: (N,) upper end.
        share: (N,) expected share of comparisons with the others that a method wins, by the scores.
        votes: (N,) number of comparisons of each.
        raters: Number of raters.
        resampled: What the bootstrap drew again: ``raters`` or ``answers``.
    """

    methods: tuple[str, ...]
    scores: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    votes: np.ndarray
    raters: int
    resampled: str

    def overlaps(self, first: int, second: int) -> bool:
        """Check whether two methods' intervals overlap.

        Args:
            first: Place of one.
            second: Place of the other.

        Returns:
            True where the study does not tell them apart.
        """
        return bool(self.low[first] <= self.high[second] and self.low[second] <= self.high[first])


def rank(votes: Sequence[Vote], methods: Sequence[str], resamples: int = 1000, seed: int = 0) -> Ranking:
    """Rank methods by the answers to one question.

    Intervals are percentiles of scores over bootstrap samples of the raters, whose answers belong together, widened for their number as
    Student's t is (the expanded percentile interval of Hesterberg 2015): with a dozen raters, plain percentiles are too narrow. Answers
    that all agree are the same in every sample, be they one or a hundred, so that an interval is at least that of their number.

    Args:
        votes: Comparisons, repeated ones left out.
        methods: Names of all methods.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    Returns:
        The ranking.
    """
    place = {name: number for number, name in enumerate(methods)}
    raters = sorted({vote.rater for vote in votes})
    by_raters = len(raters) >= _FEWEST_RATERS
    groups = {rater: number for number, rater in enumerate(raters)}
    size = len(raters) if by_raters else len(votes)
    tables = np.zeros((size, len(methods), len(methods)))
    for number, vote in enumerate(votes):
        table = tables[groups[vote.rater] if by_raters else number]
        table[place[vote.first], place[vote.second]] += vote.share
        table[place[vote.second], place[vote.first]] += 1 - vote.share
    total = tables.sum(0)
    scores = bradley_terry(total)
    rng = np.random.default_rng(seed)
    drawn = bradley_terry(np.stack([tables[rng.integers(0, size, size)].sum(0) for _ in range(resamples)]))
    tail = 100 * _tail(size)
    low, high = np.percentile(drawn, (tail, 100 - tail), axis=0)
    least, most = np.percentile(bradley_terry(_as_likely(total, resamples, rng)), (2.5, 97.5), axis=0)
    low, high = np.minimum(low, least), np.maximum(high, most)
    order = np.argsort(-scores, kind="stable")
    beats = 1 / (1 + np.exp(scores[None] - scores[:, None]))
    share = (beats.sum(1) - 0.5) / max(len(methods) - 1, 1)
    return Ranking(
        tuple(methods[i] for i in order),
        scores[order],
        low[order],
        high[order],
        share[order],
        (total + total.T).sum(1)[order],
        len(raters),
        "raters" if by_raters else "answers",
    )


def _as_likely(wins: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """(samples, N, N) tables of wins as likely as these, each answer by itself: shares by a uniform prior's posterior."""
    first, second = np.nonzero(np.triu(wins + wins.T))
    games, drawn = (wins + wins.T)[first, second], np.zeros((samples, *wins.shape))
    shares = rng.beta(wins[first, second] + 1, wins[second, first] + 1, (samples, len(games)))
    drawn[:, first, second], drawn[:, second, first] = games * shares, games * (1 - shares)
    return drawn


def _tail(count: int) -> float:
    """The part of the bootstrap's distribution beyond either end of a 95 % interval over so many units."""
    from scipy.stats import norm, t

    return float(norm.cdf(-np.sqrt(count / max(count - 1, 1)) * t.ppf(0.975, max(count - 1, 1))))


def agreement(votes: Sequence[Vote]) -> float | None:
    """Compute the share of repeated pairs that raters answered as before.

    Args:
        votes: All comparisons of one question.

    Returns:
        The share, 0..1; chance is about ½. None where no pair was repeated.
    """
    before: dict[tuple, float] = {}
    same: list[bool] = []
    for vote in votes:
        first, second, share = (
            (vote.first, vote.second, vote.share) if vote.first < vote.second else (vote.second, vote.first, 1 - vote.share)
        )
        pair = (vote.rater, vote.clip, first, second)
        if vote.repeated and pair in before:
            same.append(before[pair] == share)
        before.setdefault(pair, share)
    return sum(same) / len(same) if same else None
