"""The figures as markdown and as plots."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import table
from benchmarks.think.families import FAMILIES
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS

Planners = dict[str, dict[str, Any]]


def markdown(results: dict[str, Any]) -> str:
    """All results as markdown.

    Args:
        results: As `benchmarks.think.__main__` writes them.

    Returns:
        Tables, one after the other.
    """
    planners: Planners = results["planners"]
    parts = [f"## {results['protocol']}: what leads, by planner", table(["leading emotion right", *planners], _leading(planners))]
    parts += ["Timed sentences: those of which every check holds.", "## By file", table(["right; whole", *planners], _sources(planners))]
    head = ["planner", "precision", "recall", "F1", "valid as written", "after mending", "median time", "95th percentile", "median CPU"]
    parts += ["## Units, validity, time", table(head, _worth(planners))]
    for name, planner in planners.items():
        parts += [f"### Confusion: {name}", table(["should lead \\ leads", *EMOTIONS], _confusion(planner["confusion"]))]
    doubt = [[name, kind, row["ece"], row["n"]] for name, p in planners.items() for kind, row in p["calibration"].items()]
    parts += ["## Calibration", table(["planner", "confidence", "expected calibration error", "n"], doubt)]
    parts += _units(results["units"], results.get("face"))
    return "\n\n".join(parts)


def _share(right: int, n: int) -> str:
    return f"{right} of {n}" if n else ""


def _leading(planners: Planners) -> list[list[str]]:
    rows = []
    for family in FAMILIES:
        parts = [planner["families"].get(family) for planner in planners.values()]
        key = "checks" if family == "timed" else "leading"
        rows.append([family, *(_share(p[key]["held" if family == "timed" else "right"], p[key]["n"]) if p else "" for p in parts)])
    return rows


def _sources(planners: Planners) -> list[list[str]]:
    names = dict.fromkeys(name for planner in planners.values() for name in planner["sources"])
    rows = []
    for name in names:
        parts = [planner["sources"].get(name) for planner in planners.values()]
        cells = [f"{_share(p['leading']['right'], p['leading']['n'])}; {_share(p['whole'], p['n'])}" if p else "" for p in parts]
        rows.append([name, *cells])
    return rows


def _worth(planners: Planners) -> list[list[Any]]:
    rows = []
    for name, p in planners.items():
        seconds = p["seconds"]
        times = [_time(seconds.get(key)) for key in ("seconds median", "seconds 95th percentile", "cpu_seconds median")]
        valid = [f"{p['valid'][key]:.0%}" for key in ("unmended", "mended")]
        if "draft" in p and p["draft"]["units"]:
            rows.append([f"{name}, as written", *p["draft"]["units"].values(), valid[0], "", "", "", ""])
        rows.append([name, *(p["units"].values() if p["units"] else ("", "", "")), *valid, *times])
    return rows


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.0f} s"


def _confusion(counts: list[list[int]]) -> list[list[Any]]:
    return [[emotion, *(n or "" for n in row)] for emotion, row in zip(EMOTIONS, counts)]


def _units(units: dict[str, dict[str, Any]], face: dict[str, Any] | None) -> list[str]:
    """Units, order, paraphrases and degrees of each planner that is fast enough for them, and the face."""
    parts = []
    for name, result in units.items():
        rows = [[f"{kind}, {result['sentences'][kind]} sentences", *row.values()] for kind, row in result["units"].items()]
        if face and face["planner"] == name:
            rows.append([f"on the face, {len(face['plans'])} plans", *face["units"].values()])
        parts += [f"## tests/think/sentences.txt: {name}", table(["units", "precision", "recall", "F1"], rows)]
        parts.append(f"Events in order in {sum(result['order'].values())} of {len(result['order'])} sentences.")
        parts.append(table(["paraphrases of", "mean cosine", "least"], [[k, *row.values()] for k, row in result["paraphrases"].items()]))
        degrees = [[emotion, *(f"{value:.0%}" for value in row.values())] for emotion, row in result["degrees"].items()]
        parts.append(table(["degrees of", "feeling", "muscles"], degrees))
    if face:
        timing = {k: f"{v:.2f} s" for k, v in face["timing"].items() if isinstance(v, float)}
        offsets = "; ".join(f"{name} {value}" for name, value in timing.items())
        parts.append(f"{face['timing']['reached']} of {face['timing']['changes']} changes reach the face; off by: {offsets}.")
    return parts


def plot(planners: Planners, stem: Path) -> None:
    """Draw the confusion matrices and the reliability diagrams.

    Args:
        planners: The figures of each.
        stem: The results' path without an ending; ``_confusion.png`` and ``_calibration.png`` are added.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(planners), figsize=(4.6 * len(planners), 4.8), squeeze=False, layout="constrained")
    for axis, (name, planner) in zip(axes[0], planners.items()):
        counts = np.array(planner["confusion"], float)
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                dark = shares[row, column] > 0.55
                axis.text(column, row, f"{count:.0f}", ha="center", va="center", fontsize=8, color="white" if dark else "#333333")
        axis.set_xticks(range(len(EMOTIONS)), EMOTIONS, rotation=45, ha="right")
        axis.set_yticks(range(len(EMOTIONS)), EMOTIONS)
        axis.set(xlabel="leads", ylabel="should lead", title=f"{name}, {counts.sum():.0f} sentences")
    figure.savefig(f"{stem}_confusion.png", dpi=110)
    figure, axis = plt.subplots(figsize=(5.4, 5.6), layout="constrained")
    axis.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--", label="as sure as right")
    colors = iter(spec.color for name, spec in EMOTION_SPECS.items() if name != "neutral")
    for name, planner in planners.items():
        for kind, row in planner["calibration"].items():
            sure, right, sizes = (np.array(column) for column in zip(*row["bins"]))
            color = next(colors)
            label = f"{name}, {kind}: ECE {row['ece']:.2f}, n {row['n']}"
            axis.plot(sure, right, color=color, linewidth=1.5, label=label)
            axis.scatter(sure, right, s=12 + 160 * sizes / sizes.sum(), color=color)
    axis.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="how sure", ylabel="share that is right", title="Calibration")
    figure.legend(fontsize=7, loc="outside lower center")
    figure.savefig(f"{stem}_calibration.png", dpi=110)
    plt.close("all")
