"""The board as one HTML file that holds all it needs: style, script, plots and pictures; clips alone are files beside it."""

import base64
import json
import os
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import quote

import tbd
from tbd.evaluation.console import MOTION_SOURCES
from tbd.evaluation.leaderboard.clips import SIDE, clips_of
from tbd.evaluation.leaderboard.columns import Column, absent_of, best_of, columns_of, is_bound, ordered, truth_of
from tbd.evaluation.leaderboard.entry import Entry
from tbd.evaluation.leaderboard.markdown import left_out_of
from tbd.evaluation.leaderboard.plots import dot_plot
from tbd.evaluation.leaderboard.store import Table
from tbd.evaluation.scores import Scores


def page(tables: Sequence[Table], folder: Path) -> str:
    """Write the whole page as HTML.

    Args:
        tables: The board.
        folder: Where the page will lie: clips are named from there.

    Returns:
        The text of the page.
    """
    assets = files("tbd") / "assets" / "board"
    parts = {name: (assets / f"page.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    links = "".join(f'<li><a href="#{escape(t.protocol)}">{escape(t.protocol)}</a></li>' for t in tables)
    return Template(parts["html"]).substitute(
        style=parts["css"].rstrip(),
        script=parts["js"].rstrip(),
        navigation=f"<ul>{links}</ul>",
        sections="\n".join(_section(table, folder) for table in tables),
        version=tbd.__version__,
    )


def _section(table: Table, folder: Path) -> str:
    recipe = table.recipe
    parts = [f'<section id="{escape(table.protocol)}">', f"<h2>{escape(table.protocol)}</h2>"]
    if recipe is not None:
        cited = f" {escape(recipe.citation)}" if recipe.citation else ""
        parts.append(f'<p class="summary">{escape(recipe.summary)}{cited}</p>')
    if table.measured:
        parts += _measured(table, folder)
    if table.reported:
        parts += _reported(table)
    return "\n".join([*parts, "</section>"])


# ----------------------------------------------------------------------------------------------------------- measured


def _measured(table: Table, folder: Path) -> list[str]:
    columns, entries, scores = columns_of(table), ordered(table), table.measured[0].measured_scores
    facts = (
        f"{scores.expected} clips <code>{scores.split[:12]}</code>, protocol <code>{scores.protocol_hash[:12]}</code>. "
        "Press a heading to sort."
    )
    plots = [_plot(column, table) for column in columns]
    parts = [f'<p class="facts">{facts}</p>', _table(table, columns, entries)]
    parts += ["<h3>Number by number</h3>", f'<div class="plots">{"".join(plots)}</div>']
    parts += [*_strips(table, entries), *_player(table, entries, folder)]
    parts += ["<h3>Where the numbers come from</h3>", *(_details(entry) for entry in entries)]
    absent = absent_of(table)
    if absent:
        items = "".join(f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in absent.items())
        parts += ["<h3>Metrics of the protocol that no row has</h3>", f'<ul class="absent">{items}</ul>']
    if table.left_out:
        items = "".join(f"<li>{escape(reason)}</li>" for _, reason in left_out_of(table))
        parts += ["<h3>Left out</h3>", f'<ul class="absent">{items}</ul>']
    return parts


def _table(table: Table, columns: Sequence[Column], entries: Sequence[Entry]) -> str:
    heads = ['<th scope="col" data-kind="text"><button type="button">Row</button></th>']
    for column in columns:
        first = "descending" if column.better == "higher" else "ascending"
        unit = f"<span>{escape(column.unit)}</span>" if column.unit else ""
        heads.append(
            f'<th scope="col" data-kind="number" data-first="{first}" title="{escape(column.about)}">'
            f'<button type="button">{escape(column.label)} {column.arrow}{unit}</button></th>'
        )
    heads.append('<th scope="col" data-kind="number" data-first="descending"><button type="button">Clips</button></th>')
    best = {column.name: best_of(column, table) for column in columns}
    rows = "\n".join(_row(entry, table, columns, best) for entry in entries)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Scores of {escape(table.protocol)}"><table class="sortable">\n'
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(entry: Entry, table: Table, columns: Sequence[Column], best: dict[str, set[str]]) -> str:
    status = table.status(entry)
    note = f"<small>{escape(entry.note)}</small>" if entry.note else ""
    kind = "verified" if status.startswith("verified") else "submitted"
    mark = f'<span class="status {kind}">{escape(status)}</span>'
    cells = [f'<th scope="row" data-value="{escape(entry.name)}">{_linked(entry)} {mark}{note}</th>']
    for column in columns:
        value, text = column.value(entry), column.text(entry)
        shown = f"<b>{text}</b>" if entry.name in best[column.name] else text
        if value is None or value.number is None:
            cells.append(f'<td title="{escape((value.absent if value else None) or "not given")}">{shown}</td>')
            continue
        error = f"<small>±{value.error:.{column.digits}f}</small>" if value.error is not None else ""
        if column.name == "speed":
            error = _under_load(entry.measured_scores.predicted_on)
        if (fewer := column.fewer_clips(entry, table)) is not None:
            error += f"<small>over {fewer} clip{'s' * (fewer != 1)}</small>"
        if lag := value.lag():
            error += f"<small>{lag}</small>"
        cells.append(f'<td data-value="{value.number!r}">{shown}{error}</td>')
    scores = entry.measured_scores
    cells.append(f'<td data-value="{scores.scored}">{scores.scored}<small>of {scores.expected}</small></td>')
    return f"<tr{' class=bound' if is_bound(entry, table) else ''}>{''.join(cells)}</tr>"


def _under_load(place: dict) -> str:
    """A warning where the machine had more to do than it has cores: such a time means little."""
    load, cores = place.get("load") or 0.0, place.get("cores") or 1
    return f"<small>at load {load:.0f}</small>" if load > 1.5 * cores else ""


def _linked(entry: Entry) -> str:
    url = entry.paper if entry.paper and entry.paper.startswith("http") else entry.code
    name = escape(entry.name)
    return f'<a href="{escape(url)}">{name}</a>' if url and url.startswith("http") else name


def _plot(column: Column, table: Table) -> str:
    truth, entries = truth_of(table), ordered(table)
    points = []
    for entry in entries:
        value = column.value(entry)
        if value is not None and value.number is not None:
            kind = "bound" if is_bound(entry, table) else "" if table.stands(entry, column.name) else "submitted"
            points.append((entry.name, value.number, value.error, kind, column.text(entry)))
    aim = column.number(truth) if truth is not None and column.better == "reference" else None
    unit = f", {column.unit}" if column.unit else ""
    caption = f"<figcaption>{escape(column.label)} {column.arrow} <span>{escape(column.about)}</span></figcaption>"
    return f"<figure>{caption}{dot_plot(f'{column.label}{unit}', points, aim)}</figure>"


def _strips(table: Table, entries: Sequence[Entry]) -> list[str]:
    figures = []
    for entry in entries:
        path = table.folder / f"{entry.slug}.jpg"
        if path.is_file():
            data = base64.b64encode(path.read_bytes()).decode()
            alt = f"Frames of {entry.name}, one clip beside the other"
            figures.append(
                f"<figure><figcaption>{escape(entry.name)}</figcaption>"
                f'<img src="data:image/jpeg;base64,{data}" alt="{escape(alt)}" width="768" height="96"></figure>'
            )
    if not figures:
        return []
    return ["<h3>Frames, the same moment of the same clips</h3>", f'<div class="strips">{"".join(figures)}</div>']


def _player(table: Table, entries: Sequence[Entry], folder: Path) -> list[str]:
    """The same clip of all rows side by side. Without a script each video has its own controls."""
    rows = {entry.name: clips_of(table.folder / entry.slug) for entry in entries}
    clips = sorted({clip for found in rows.values() for clip in found})
    if not clips:
        return []
    parts = ["<h3>Clips, side by side</h3>", '<div class="player">']
    for number, clip in enumerate(clips):
        figures = []
        for name, found in rows.items():
            if clip in found:
                source = quote(os.path.relpath(found[clip].resolve(), folder).replace(os.sep, "/"))
                figures.append(
                    f'<figure><video src="{source}" width="{SIDE}" height="{SIDE}" preload="none" controls playsinline muted '
                    f'aria-label="{escape(f"{clip} by {name}")}"></video><figcaption>{escape(name)}</figcaption></figure>'
                )
        hidden = " hidden" if number else ""
        parts.append(f'<div class="clip" data-clip="{escape(clip)}"{hidden}>{"".join(figures)}</div>')
    return [*parts, "</div>"]


def _details(entry: Entry) -> str:
    scores = entry.measured_scores
    failed = len(scores.failures)
    counts = f"{scores.found} of {scores.expected} found, {scores.scored} scored" + (f", {failed} failed" if failed else "")
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in _facts(entry, scores))
    return f"<details><summary>{escape(entry.name)} <span>{counts}</span></summary><dl>{rows}</dl></details>"


def _facts(entry: Entry, scores: Scores) -> list[tuple[str, str]]:
    def code(text: object) -> str:
        return f"<code>{escape(str(text))}</code>"

    def machine(place: dict) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in place.get("packages", {}).items())
        return (
            f"{escape(str(place.get('cpu')))}, {place.get('cores')} cores, load {place.get('load')}; Python {place.get('python')}, "
            f"{escape(packages)}; commit {code(place.get('commit'))}; {escape(str(place.get('date')))}"
        )

    facts = [("added", escape(entry.added))]
    facts += [(name, escape(url)) for name, url in (("paper", entry.paper), ("code", entry.code)) if url]
    if scores.motion:
        facts.append(("motion", MOTION_SOURCES[scores.motion]))
    if scores.predictor:
        facts.append(("predictor", code(json.dumps(scores.predictor))))
    weights = {**scores.predictor_weights, **scores.weights}
    if weights:
        facts.append(("weights", "<br>".join(code(f"{name} sha256:{sha}") for name, sha in weights.items())))
    if scores.predicted_on:
        facts.append(("predicted by", code(scores.predicted_on.get("command"))))
        facts.append(("on", machine(scores.predicted_on)))
    facts.append(("evaluated by", code(scores.evaluated_on.get("command"))))
    facts.append(("on", machine(scores.evaluated_on)))
    facts.append(("scores", code(f"sha256:{scores.checksum}")))
    if scores.issues:
        items = "".join(
            f"<li>{escape(kind)}: {escape(detail)} <span>({len(clips)}: {escape(', '.join(clips))})</span></li>"
            for kind, detail, clips in scores.grouped()
        )
        facts.append(("issues", f"<ul>{items}</ul>"))
    return facts


# ----------------------------------------------------------------------------------------------------------- reported


def _reported(table: Table) -> list[str]:
    names = sorted({name for entry in table.reported for name in entry.numbers})
    heads = '<th scope="col" data-kind="text"><button type="button">Row</button></th>' + "".join(
        f'<th scope="col" data-kind="number"><button type="button">{escape(name)}</button></th>' for name in names
    )
    rows = []
    for entry in table.reported:
        cells = [f'<th scope="row" data-value="{escape(entry.name)}">{_linked(entry)}</th>']
        for name in names:
            number = entry.numbers.get(name)
            cells.append("<td>–</td>" if number is None else f'<td data-value="{number!r}">{number:g}</td>')
        cells.append(f'<td class="left">{escape(entry.citation or "")}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    notice = "Copied from papers, each measured by its own recipe. Not comparable with the numbers that are measured here."
    label = f"Reported numbers of {escape(table.protocol)}"
    return [
        "<h3>Reported by others</h3>",
        f'<p class="facts">{notice}</p>',
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table class="sortable">'
        f'<thead><tr>{heads}<th scope="col">Where</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>',
    ]
