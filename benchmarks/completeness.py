"""Tables and figures of ``benchmarks/ablations/completeness.yaml`` and ``film.yaml``, from the runs alone.

    python -m benchmarks.completeness RUNS [RUNS …] [--output benchmarks/ablations/results/completeness]

RUNS are folders that `tbd ablate` wrote, or .tgz of them. ``table.md`` of the ablation compares every row with one baseline; here an
order is compared with constant guidance of the same training, steps, seeds, clips and completeness, clip by clip.
"""

import argparse
import io
import json
import math
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from tbd.ablation.runs import TRUTH, Result
from tbd.errors import InputError
from tbd.utils.atomic import atomic_output

KINDS = {"eps": "ε", "v": "v", "flow": "flow matching", "sample": "x₀"}
STEPS = (25, 50)
LINES = ("none", "constant", "emotion first", "muscles first")
METRICS = {
    "muscles": ("Muscle error, %", "↓"), "au-f1": ("AU F1", "↑"), "fmd": ("FMD", "↓"), "diversity": ("Diversity, %", "→"),
    "emotion": ("Emotion", "↑"), "mouth": ("Mouth error, %", "↓"), "jaw": ("Jaw r", "↑"),
}  # fmt: skip
_COLOURS = {"none": "0.35", "constant": "#0072b2", "emotion first": "#d55e00", "muscles first": "#009e73"}
_RESAMPLES = 4000


@dataclass(frozen=True)
class Cell:
    """One variant in one metric.

    Args:
        seeds: Seed → number.
        clips: Clip → its number, averaged over seeds; empty for a metric over the whole set.
    """

    seeds: dict[int, float]
    clips: dict[str, float]

    @property
    def mean(self) -> float:
        """Mean over seeds; NaN where there are none."""
        return mean(self.seeds.values()) if self.seeds else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation over seeds; 0 for one."""
        return stdev(self.seeds.values()) if len(self.seeds) > 1 else 0.0


def read_runs(path: Path) -> list[Result]:
    """Read the runs of a study.

    Args:
        path: The folder that `tbd ablate` wrote, or an archive of it.

    Returns:
        All finished runs.

    Raises:
        InputError: If there are none.
    """
    texts: Iterable[str]
    if path.is_dir():
        texts = (file.read_text(encoding="utf-8") for file in sorted(path.rglob("runs/*.json")))
    else:
        with tarfile.open(path) as archive:
            members = sorted((m for m in archive.getmembers() if m.isfile() and m.name.endswith(".json")), key=lambda m: m.name)
            texts = [_text(archive, m) for m in members if "runs/" in m.name]
    found = [Result.model_validate(json.loads(text)) for text in texts]
    if not found:
        raise InputError(f"{path} holds no runs; give the --output of `tbd ablate`, or an archive of it.")
    return found


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    assert file is not None  # it is a file
    return io.TextIOWrapper(file, "utf-8").read()


def cell(runs: Sequence[Result], sweep: str, line: str, value: float, metric: str) -> Cell:
    """Collect one variant's numbers.

    Args:
        runs: All runs.
        sweep: Name of the sweep.
        line: Name of the line.
        value: The value along the sweep.
        metric: Name of the metric.

    Returns:
        The cell; without seeds where nothing was run.
    """
    own = [r for r in runs if r.point is not None and (r.point.sweep, r.point.line, r.point.value) == (sweep, line, value)]
    numbers = {r.seed: r.values[metric].number for r in own if metric in r.values}
    known = {seed: number for seed, number in numbers.items() if number is not None}
    clips: dict[str, list[float]] = {}
    for run in own:
        for clip, number in run.by_clip.get(metric, {}).items():
            clips.setdefault(clip, []).append(number)
    return Cell(known, {clip: mean(all_seeds) for clip, all_seeds in clips.items() if len(all_seeds) == len(own)})


def difference(a: Cell, b: Cell, seed: int = 0) -> tuple[float, float, float] | None:
    """Compare two variants clip by clip.

    Args:
        a: One.
        b: The other.
        seed: Of the bootstrap.

    Returns:
        Mean of a − b over clips, and its 95 % interval by bootstrap over clips; None for a metric over the whole set.

    Example:
        >>> one, two = Cell({1: 1.0}, {"x": 1.0, "y": 2.0}), Cell({1: 0.5}, {"x": 0.5, "y": 1.5})
        >>> difference(one, two)
        (0.5, 0.5, 0.5)
    """
    shared = sorted(a.clips.keys() & b.clips.keys())
    if not shared:
        return None
    steps = np.array([a.clips[clip] - b.clips[clip] for clip in shared])
    chosen = np.random.default_rng(seed).integers(len(steps), size=(_RESAMPLES, len(steps)))
    low, high = np.percentile(steps[chosen].mean(1), [2.5, 97.5])
    return float(steps.mean()), float(low), float(high)


def completeness_values(runs: Sequence[Result]) -> list[float]:
    """List the degrees of completeness that were run."""
    return sorted({r.point.value for r in runs if r.point is not None and r.point.sweep in _sweeps()})


def _sweeps() -> dict[str, tuple[str, int]]:
    return {f"{kind} {steps}": (kind, steps) for kind in KINDS for steps in STEPS}


def collect(runs: Sequence[Result]) -> dict[str, Any]:
    """Collect everything that the tables and figures show.

    Args:
        runs: All runs.

    Returns:
        Plain values, for JSON.
    """
    values, rows, orders = completeness_values(runs), [], []
    for sweep, (kind, steps) in _sweeps().items():
        lines = sorted({r.point.line for r in runs if r.point is not None and r.point.sweep == sweep}, key=_place)
        for value in values:
            for line in lines:
                cells = {metric: cell(runs, sweep, line, value, metric) for metric in METRICS}
                numbers = {m: {"mean": c.mean, "sd": c.deviation, "seeds": c.seeds} for m, c in cells.items() if c.seeds}
                rows.append({"kind": kind, "steps": steps, "completeness": value, "guidance": line, **numbers})
            for a, b in (("emotion first", "constant"), ("muscles first", "constant"), ("emotion first", "muscles first")):
                found = difference(*(cell(runs, sweep, line, value, "muscles") for line in (a, b)))
                if found is not None:
                    about = {"kind": kind, "steps": steps, "completeness": value, "of": a, "against": b}
                    orders.append({**about, "difference": found[0], "low": found[1], "high": found[2]})
    truth = next((r for r in runs if r.variant == TRUTH), None)
    sets, steps_rows = _set_differences(runs, values), _steps_rows(runs)
    true = {} if truth is None else {m: truth.values[m].number for m in METRICS if m in truth.values}
    return {
        "rows": rows,
        "muscle_error_differences": orders,
        "set_differences": sets,
        "steps": steps_rows,
        "true_motion": true,
        **_circumstances(runs),
    }


def _steps_rows(runs: Sequence[Result]) -> list[dict[str, Any]]:
    """Samplers and numbers of steps, with constant guidance and whole plans."""
    places = sorted({(r.point.line, r.point.value) for r in runs if r.point is not None and r.point.sweep == "steps"})
    rows = []
    for line, steps in places:
        cells = {metric: cell(runs, "steps", line, steps, metric) for metric in METRICS}
        numbers = {m: {"mean": c.mean, "sd": c.deviation, "seeds": c.seeds} for m, c in cells.items() if c.seeds}
        rows.append({"sampler": line, "steps": steps, **numbers})
    return rows


def _set_differences(runs: Sequence[Result], values: Sequence[float]) -> list[dict[str, Any]]:
    """Emotion first less muscles first in metrics over the whole set, seed by seed."""
    found = []
    for sweep, (kind, steps) in _sweeps().items():
        for metric in ("au-f1", "fmd", "diversity", "emotion"):
            for value in values:
                a, b = (cell(runs, sweep, line, value, metric).seeds for line in ("emotion first", "muscles first"))
                by_seed = [a[seed] - b[seed] for seed in sorted(a.keys() & b.keys())]
                if by_seed:
                    about = {"kind": kind, "steps": steps, "metric": metric, "completeness": value}
                    found.append({**about, "difference": mean(by_seed), "by_seed": by_seed})
    return found


def _place(line: str) -> tuple[int, str]:
    return (LINES.index(line) if line in LINES else len(LINES), line)


def _circumstances(runs: Sequence[Result]) -> dict[str, Any]:
    one = next((r for r in runs if r.variant != TRUTH), runs[0])
    trained = {r.training: r.seconds.get("training", 0.0) for r in runs if r.seconds.get("training")}
    about = {"protocol": one.protocol, "protocol_hash": one.protocol_hash, "split": one.split, "clips": one.clips}
    about |= {"runs": len(runs), "trainings": len(trained), "seeds": sorted({r.seed for r in runs if r.variant != TRUTH})}
    return {"about": {**about, "training_seconds": trained, "drawn_on": one.drawn_on, "trained_on": one.trained_on}}


def markdown(found: dict[str, Any]) -> str:
    """Write the tables and what they say as a page.

    Args:
        found: What `collect` found.

    Returns:
        Markdown.
    """
    about = found["about"]
    seeds = f"{len(about['seeds'])} seed{'s' if len(about['seeds']) != 1 else ''}"
    where = about["drawn_on"].get("accelerator") or about["drawn_on"].get("cpu")
    parts = [
        "# Orders of guidance along the completeness of the plan",
        "`python -m benchmarks.completeness` wrote this page: constant guidance of 1.5, emotion first and muscles first at the same mean "
        "weights, and none, on models that were trained once for each kind of prediction and seed, on plans of any completeness. "
        f"Protocol {about['protocol']}, {about['clips']} held-out clips, {seeds} of training and drawing, "
        f"{about['trainings']} trainings, {about['runs']} runs; {where}, commit {about['drawn_on'].get('commit')}.",
        "![error along completeness](completeness.png)",
        "## What it says",
        "\n".join(f"- {line}" for line in findings(found)),
    ]
    for kind, name in KINDS.items():
        for steps in STEPS:
            table = _table(found, kind, steps)
            parts += [f"## {name}, {steps} steps", table] if table else []
    parts += ["## Muscle error, one order less another", _order_table(found)]
    parts += ["## Metrics over the whole set, emotion first less muscles first", _set_table(found)]
    if found["steps"]:
        parts += ["## Samplers and steps, constant guidance of 1.5, whole plans", _steps_table(found)]
    parts.append(
        "Mean ± standard deviation over seeds. Differences are of the same clips and seeds, with 95 % intervals by bootstrap over clips; "
        "* where the interval excludes 0, uncorrected for the number of comparisons; † where all seeds agree. Diversity is best near the "
        "true motion's own."
    )
    return "\n\n".join(parts) + "\n"


def _measured(found: dict[str, Any]) -> list[str]:
    """Metrics that the study asked for."""
    return [metric for metric in METRICS if any(metric in row for row in found["rows"])]


def _table(found: dict[str, Any], kind: str, steps: int) -> str:
    own = [row for row in found["rows"] if (row["kind"], row["steps"]) == (kind, steps) and any(m in row for m in METRICS)]
    if not own:
        return ""
    metrics = _measured(found)
    heads = ["complete", "guidance", *(" ".join(METRICS[m]) for m in metrics)]
    lines = [heads, ["---:", "---", *["---:"] * len(metrics)]]
    for row in own:
        numbers = [f"{row[m]['mean']:.3f} ± {row[m]['sd']:.3f}" if m in row else "–" for m in metrics]
        lines.append([f"{100 * row['completeness']:.0f} %", row["guidance"], *numbers])
    true = [f"*{found['true_motion'][m]:.3f}*" if found["true_motion"].get(m) is not None else "–" for m in metrics]
    lines.append(["", "*true motion*", *true])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _order_table(found: dict[str, Any]) -> str:
    values = sorted({row["completeness"] for row in found["muscle_error_differences"]})
    lines = [["prediction", "steps", "", *(f"{100 * v:.0f} %" for v in values)], ["---", "---:", "---", *["---:"] * len(values)]]
    for kind, name in KINDS.items():
        for steps in STEPS:
            for a, b in (("emotion first", "constant"), ("muscles first", "constant"), ("emotion first", "muscles first")):
                own = {d["completeness"]: d for d in _differences(found, kind, steps, a, b)}
                if own:
                    lines.append([name, str(steps), f"{a} − {b}", *(_shown(own[v]) if v in own else "–" for v in values)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _set_table(found: dict[str, Any]) -> str:
    values = sorted({d["completeness"] for d in found["set_differences"]})
    lines = [["prediction", "steps", "", *(f"{100 * v:.0f} %" for v in values)], ["---", "---:", "---", *["---:"] * len(values)]]
    for kind, name in KINDS.items():
        for steps in STEPS:
            for metric in ("au-f1", "fmd", "diversity", "emotion"):
                own = {
                    d["completeness"]: d for d in found["set_differences"] if (d["kind"], d["steps"], d["metric"]) == (kind, steps, metric)
                }
                if own:
                    cells = [f"{own[v]['difference']:+.3f}{_agreement(own[v]['by_seed'])}" if v in own else "–" for v in values]
                    lines.append([name, str(steps), " ".join(METRICS[metric]), *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _steps_table(found: dict[str, Any]) -> str:
    metrics = _measured(found)
    heads = ["prediction, sampler", "steps", *(" ".join(METRICS[m]) for m in metrics)]
    lines = [heads, ["---", "---:", *["---:"] * len(metrics)]]
    for row in found["steps"]:
        numbers = [f"{row[m]['mean']:.3g} ± {row[m]['sd']:.2g}" if m in row else "–" for m in metrics]
        lines.append([row["sampler"], f"{row['steps']:g}", *numbers])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _agreement(by_seed: Sequence[float]) -> str:
    """A mark where there are several seeds and all lie on one side."""
    return "†" if len(by_seed) > 1 and (min(by_seed) > 0 or max(by_seed) < 0) else ""


def _differences(found: dict[str, Any], kind: str, steps: int, a: str, b: str) -> list[dict[str, Any]]:
    wanted = (kind, steps, a, b)
    return [d for d in found["muscle_error_differences"] if (d["kind"], d["steps"], d["of"], d["against"]) == wanted]


def _shown(d: dict[str, Any]) -> str:
    return f"{d['difference']:+.2f} [{d['low']:+.2f}, {d['high']:+.2f}]{'*' if d['low'] > 0 or d['high'] < 0 else ''}"


def findings(found: dict[str, Any]) -> list[str]:
    """Say in sentences where the orders differ.

    Args:
        found: What `collect` found.

    Returns:
        A sentence for each kind of prediction and number of steps.
    """
    said = []
    for kind, name in KINDS.items():
        for steps in STEPS:
            better = _differences(found, kind, steps, "emotion first", "muscles first")
            if not better:
                continue
            wins = {who: [f"{100 * d['completeness']:.0f} %" for d in better if test(d)] for who, test in _TESTS.items()}
            parts = [f"{who} has the smaller muscle error at {', '.join(where)}" for who, where in wins.items() if where]
            same = [f"{100 * d['completeness']:.0f} %" for d in better if not any(test(d) for test in _TESTS.values())]
            parts += [f"the two are not told apart at {', '.join(same)}"] if same else []
            said.append(f"{name}, {steps} steps: {', '.join(parts)}.")
            said += _crossing(found, kind, steps, name)
    return said


def _crossing(found: dict[str, Any], kind: str, steps: int, name: str) -> list[str]:
    """A sentence where the two orders change places along completeness in AU F1."""
    own = [d for d in found["set_differences"] if (d["kind"], d["steps"], d["metric"]) == (kind, steps, "au-f1")]
    first, last = ([d for d in own if _agreement(d["by_seed"]) and (d["difference"] > 0) == sign] for sign in (True, False))
    if not first or not last or max(d["completeness"] for d in first) > min(d["completeness"] for d in last):
        return []
    until, since = max(d["completeness"] for d in first), min(d["completeness"] for d in last)
    return [
        f"{name}, {steps} steps: in AU F1 emotion first is ahead up to {100 * until:.0f} % of the plan and muscles first from "
        f"{100 * since:.0f} % on (all seeds agree): they cross."
    ]


_TESTS = {"emotion first": lambda d: d["high"] < 0, "muscles first": lambda d: d["low"] > 0}


def plot(found: dict[str, Any], path: Path) -> None:
    """Draw every metric along completeness at 25 steps, a line for each order, a row for each kind of prediction.

    Args:
        found: What `collect` found.
        path: The file.
    """
    from matplotlib.figure import Figure

    shown = [metric for metric in ("muscles", "au-f1", "fmd", "diversity", "emotion") if metric in _measured(found)]
    kinds = [k for k in KINDS if any(row["kind"] == k and row["steps"] == 25 and "muscles" in row for row in found["rows"])]
    figure = Figure(figsize=(3.0 * len(shown), 2.4 * len(kinds) + 0.6), layout="constrained")
    axes = figure.subplots(len(kinds), len(shown), squeeze=False, sharex=True)
    for i, kind in enumerate(kinds):
        for j, metric in enumerate(shown):
            axis = axes[i][j]
            for k, line in enumerate(LINES):
                rows = [r for r in found["rows"] if (r["kind"], r["steps"], r["guidance"]) == (kind, 25, line) and metric in r]
                x = [100 * r["completeness"] + 0.8 * (k - 1.5) for r in rows]
                y, sd = [r[metric]["mean"] for r in rows], [r[metric]["sd"] for r in rows]
                axis.errorbar(x, y, sd, color=_COLOURS[line], marker="osD^"[k], markersize=4, linewidth=1.3, capsize=2, label=line)
            true = found["true_motion"].get(metric)
            if true and METRICS[metric][1] == "→":
                axis.axhline(true, color="0.1", linewidth=1, linestyle=":", label="true motion")
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelsize=8)
            if i == 0:
                axis.set_title(" ".join(METRICS[metric]), fontsize=10)
            if i == len(kinds) - 1:
                axis.set_xlabel("completeness of the plan, %", fontsize=9)
        axes[i][0].set_ylabel(f"{KINDS[kind]}, 25 steps", fontsize=9)
    handles = {label: handle for axis in axes.ravel() for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    with atomic_output(path) as temporary:
        figure.savefig(temporary, dpi=130)


def write(runs: Sequence[Path], output: Path) -> dict[str, Any]:
    """Write ``results.json``, ``README.md`` and ``completeness.png``.

    Args:
        runs: Folders that `tbd ablate` wrote, or archives of them.
        output: Where to write.

    Returns:
        What was found.
    """
    every = {(r.variant, r.seed): r for path in runs for r in read_runs(path)}
    found = collect(list(every.values()))
    output.mkdir(parents=True, exist_ok=True)
    with atomic_output(output / "results.json") as temporary:
        temporary.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with atomic_output(output / "README.md") as temporary:
        temporary.write_text(markdown(found), encoding="utf-8")
    plot(found, output / "completeness.png")
    return found


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="tables and figures of the ablation of completeness")
    parser.add_argument("runs", type=Path, nargs="+", help="the --output of `tbd ablate`, or a .tgz of it; several are joined")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/ablations/results/completeness"))
    options = parser.parse_args()
    found = write(options.runs, options.output)
    print("\n".join(findings(found)))
    print(options.output / "README.md")


if __name__ == "__main__":
    main()
