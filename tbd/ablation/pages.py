"""What a study leaves behind: its tables as a page, for TeX and as values, with plots of its sweeps."""

from collections.abc import Sequence
from pathlib import Path

from tbd.ablation.ablation import Ablation
from tbd.ablation.plots import plot_sweep
from tbd.ablation.runs import TRUTH, Result, Task
from tbd.ablation.tables import Column, as_csv, columns_of, how_to_read, latex, markdown, seed_count
from tbd.utils.atomic import atomic_output


def write_tables(ablation: Ablation, results: Sequence[Result], tasks: Sequence[Task], output: Path) -> None:
    """Write ``table.md``, ``table.tex``, ``table.csv`` and a plot for each sweep.

    Args:
        ablation: The study with its configurations.
        results: The runs that are done.
        tasks: All runs; those that are missing are named.
        output: The folder.
    """
    study, rows = ablation.study, ablation.rows
    columns = columns_of(study, ablation.protocol, rows, results)
    plain = [row.name for row in rows if row.point is None]
    caption = f"{study.name}: mean and standard deviation over {seed_count(len(study.seeds))}, {ablation.protocol.id}."
    for sweep in study.sweeps:
        plot_sweep(study, sweep, rows, columns, output / f"{sweep.name.replace(' ', '_')}.png")
    texts = {
        "table.md": _page(ablation, columns, plain, results, tasks),
        "table.tex": latex(columns, plain, caption),
        "table.csv": as_csv(columns, rows),
    }
    for name, text in texts.items():
        with atomic_output(output / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _page(ablation: Ablation, columns: list[Column], plain: list[str], results: Sequence[Result], tasks: Sequence[Task]) -> str:
    study = ablation.study
    parts = [f"# {study.name}", markdown(columns, plain)]
    parts += [f"*{row.name}*: {row.about}" for row in ablation.rows if row.about]
    for sweep in study.sweeps:
        own = [row.name for row in ablation.rows if row.point and row.point.sweep == sweep.name]
        image = f"![{sweep.name}]({sweep.name.replace(' ', '_')}.png)"
        parts += [f"## {sweep.name}", f"`{sweep.key}`, from *{sweep.base}*.", image, markdown(columns, own)]
    parts += ["## How to read this", how_to_read(study, results), _metrics(columns), _circumstances(ablation, results, tasks)]
    return "\n\n".join(parts) + "\n"


def _metrics(columns: list[Column]) -> str:
    lines = []
    for column in columns:
        absent = next((cell.absent for cell in column.cells.values() if cell.absent and cell.mean is None), None)
        lines.append(f"- {column.title}: {column.entry.about}" + (f" Absent: {absent}" if absent else ""))
    return "\n".join(lines)


def _circumstances(ablation: Ablation, results: Sequence[Result], tasks: Sequence[Task]) -> str:
    trained = {r.training: r for r in results if r.seconds.get("training")}
    drawn = [r for r in results if r.variant != TRUTH]
    where = sorted({str(r.drawn_on.get("accelerator") or r.drawn_on.get("cpu")) for r in drawn})
    commits = sorted({str(r.drawn_on.get("commit")) for r in drawn})
    spent = sum(r.seconds["training"] for r in trained.values())
    measured = sum(r.seconds["drawing"] + r.seconds["measuring"] for r in results)
    missing = [task for task in tasks if not any(r.hash == task.hash for r in results)]
    lines = [
        f"{len(trained)} trainings, {spent / 60:.1f} minutes together (each process's own time; they share a device), "
        f"{spent / max(len(trained), 1):.0f} s each; {len(drawn)} runs drawn and measured in {measured / 60:.1f} minutes.",
        f"On {', '.join(where) or 'nothing'}; commit {', '.join(commits)}; protocol {ablation.protocol.id} "
        f"`{ablation.protocol.hash[:12]}`, clips `{results[0].split[:12] if results else '–'}`.",
    ]
    if missing:
        lines.append(f"{len(missing)} of {len(tasks)} runs are missing: {', '.join(sorted({t.variant for t in missing}))}.")
    return "\n\n".join(lines)
