"""Numbers of a table: means over seeds, and whether a difference from the baseline is significant."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev

import numpy as np

from tbd.ablation.runs import Result

SIGNIFICANCE_LEVEL = 0.05
"""Below this p a difference is marked."""


@dataclass
class Cell:
    """One variant's number in one metric.

    Args:
        seeds: Seed → number.
        by_clip: Clip → number, averaged over seeds; empty if the metric is not a mean over clips.
        absent: Why there is no number, if there is none.
        p_clips: p of a Wilcoxon signed-rank test over clips against the baseline (Holm's correction over variants).
        p_seeds: p of a paired t-test over seeds against the baseline, uncorrected.
        difference: Mean of the seeds' differences from the baseline.
        seeds_agree: Whether all seeds lie on the same side of the baseline's.
    """

    seeds: dict[int, float] = field(default_factory=dict)
    by_clip: dict[str, float] = field(default_factory=dict)
    absent: str | None = None
    p_clips: float | None = None
    p_seeds: float | None = None
    difference: float | None = None
    seeds_agree: bool = False

    @property
    def mean(self) -> float | None:
        """Mean over seeds, or None without a number."""
        return mean(self.seeds.values()) if self.seeds else None

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds, or None for fewer than two."""
        return stdev(self.seeds.values()) if len(self.seeds) > 1 else None

    @property
    def significant(self) -> bool:
        """Whether the difference from the baseline is marked: by the test over clips if there is one, and only if all seeds agree."""
        p = self.p_seeds if self.p_clips is None else self.p_clips
        return p is not None and p < SIGNIFICANCE_LEVEL and self.seeds_agree


def collect(results: Sequence[Result], metric: str) -> Cell:
    """Collect one variant's cell from the runs of its seeds.

    Args:
        results: The variant's runs, one for each seed.
        metric: Name of the metric.

    Returns:
        The cell, not yet compared with the baseline.
    """
    values = {r.seed: r.values[metric] for r in results if metric in r.values}
    numbers = {seed: v.number for seed, v in values.items() if v.number is not None}
    absent = next((v.absent for v in values.values() if v.absent), None)
    clips: dict[str, list[float]] = {}
    for result in results:
        for clip, number in result.by_clip.get(metric, {}).items():
            clips.setdefault(clip, []).append(number)
    return Cell(numbers, {clip: mean(own) for clip, own in clips.items() if len(own) == len(numbers)}, absent)


def compare(cells: Mapping[str, Cell], baseline: str) -> None:
    """Compare every variant with the baseline, in place.

    Args:
        cells: Variant → its cell in one metric.
        baseline: Name of the variant that the others are compared with.
    """
    base = cells.get(baseline)
    if base is None or base.mean is None:
        return
    others = {name: cell for name, cell in cells.items() if name != baseline and cell.mean is not None}
    for cell in others.values():
        shared = sorted(set(cell.seeds) & set(base.seeds))
        steps = [cell.seeds[s] - base.seeds[s] for s in shared]
        if steps:
            cell.difference = mean(steps)
            cell.seeds_agree = all(s > 0 for s in steps) or all(s < 0 for s in steps)
        cell.p_seeds = paired_t(steps)
    raw = {name: signed_rank(cell.by_clip, base.by_clip) for name, cell in others.items()}
    known = {name: p for name, p in raw.items() if p is not None}
    for name, p in holm(known).items():
        others[name].p_clips = p


def paired_t(differences: Sequence[float]) -> float | None:
    """Test with a paired t-test whether the mean of some differences is 0.

    With three seeds it has two degrees of freedom: a difference must be 4.3 of its standard errors to reach 0.05.

    Args:
        differences: One for each seed.

    Returns:
        The two-sided p, or None for fewer than two differences.

    Example:
        >>> round(paired_t([0.1, 0.2, 0.3]), 3)
        0.074
    """
    from scipy import stats

    if len(differences) < 2:
        return None
    if np.ptp(differences) < 1e-15:
        return 1.0 if abs(differences[0]) < 1e-15 else 0.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def signed_rank(a: Mapping[str, float], b: Mapping[str, float]) -> float | None:
    """Test with Wilcoxon's signed-rank test whether two variants differ over the clips that both have.

    Args:
        a: Clip → number of one variant.
        b: Clip → number of the other.

    Returns:
        The two-sided p, or None for fewer than six shared clips, which can never reach 0.05.
    """
    from scipy import stats

    shared = sorted(set(a) & set(b))
    if len(shared) < 6:
        return None
    steps = np.array([a[clip] - b[clip] for clip in shared])
    if np.abs(steps).max() < 1e-12:
        return 1.0
    return float(stats.wilcoxon(steps, zero_method="zsplit", method="approx").pvalue)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Correct the p of several tests as Holm (1979) does.

    Args:
        p: Test → p.

    Returns:
        Test → corrected p, from the smallest.

    Example:
        >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
        {'a': 0.03, 'c': 0.06, 'b': 0.06}
    """
    corrected: dict[str, float] = {}
    least = 0.0
    for place, name in enumerate(sorted(p, key=p.__getitem__)):
        least = max(least, min(1.0, (len(p) - place) * p[name]))
        corrected[name] = least
    return corrected


def best(cells: Mapping[str, Cell], better: str, aim: float | None, digits: int) -> set[str]:
    """Find the variants with the best mean, and those that the seeds cannot tell from it.

    Args:
        cells: Variant → its cell in one metric.
        better: ``higher``, ``lower`` or ``reference``.
        aim: The true motion's own number, for ``reference``.
        digits: Number of decimals that are shown.

    Returns:
        Names. A variant within one standard error of the best (of the difference of the two means over seeds), or equal to it as
        shown, is among them. Empty if only one seed was run, whose noise is not known, or if all variants would be among them.
    """
    means = {name: cell.mean for name, cell in cells.items() if cell.mean is not None and math.isfinite(cell.mean)}
    known = {name: cells[name] for name in means}
    if (better == "reference" and aim is None) or any(cell.deviation is None for cell in known.values()):
        return set()
    rounded = {name: round(value, digits) for name, value in means.items()}
    score = {name: {"higher": value, "lower": -value}.get(better, -abs(value - (aim or 0.0))) for name, value in rounded.items()}
    if len(set(score.values())) < 2:
        return set()
    top = max(score, key=score.__getitem__)
    won = {name for name, value in score.items() if score[top] - value <= _standard_error(known[name], known[top])}
    return won if len(won) < len(score) else set()


def _standard_error(a: Cell, b: Cell) -> float:
    """Of the difference of two means; 0 where it is not known, or for a cell and itself."""
    if a is b or a.deviation is None or b.deviation is None:
        return 0.0
    return math.sqrt(a.deviation**2 / len(a.seeds) + b.deviation**2 / len(b.seeds))
