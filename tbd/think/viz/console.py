"""A plan for the eye: the chain of thought, the muscles at work, the timeline."""

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tbd.think.action_units import ACTION_UNITS, REGIONS
from tbd.think.emotions import EMOTION_SPECS, Emotion
from tbd.think.plan import MuscleAction, MusclePlan, Segment
from tbd.think.plan_checks import check
from tbd.utils.user_warnings import warn

_BLOCKS = " ▏▎▍▌▋▊▉█"
_LEVELS = " ▁▂▃▄▅▆▇█"


def show(plan: MusclePlan, console: Console | None = None, notes: bool = True) -> None:
    """Print a plan: its sentence, its reasoning, its muscles with what the check finds and, where it has one, its timeline.

    Args:
        plan: What to show.
        console: Where; standard output by default. It reads well from 80 columns on, and without colour.
        notes: Print the plan's notes as well; `warn_of_notes` prints them alone.
    """
    console = console or Console()
    for part in render(plan, console.width, notes):
        console.print(part)


def warn_of_notes(plan: MusclePlan) -> None:
    """Issue the plan's notes as the project's warnings, which the command line prints on standard error whatever else is silenced."""
    for sentence in plan.notes:
        warn(sentence)


def render(plan: MusclePlan, width: int = 100, notes: bool = True) -> list[RenderableType]:
    """The parts that `show` prints, in order.

    Args:
        plan: What to show.
        width: Columns.
        notes: With the plan's notes.

    Returns:
        What `rich` prints, in order.
    """
    parts: list[RenderableType] = [_title(plan)]
    if notes:
        said = {step.text for step in plan.reasoning}
        parts += [_note(sentence) for sentence in plan.notes if sentence not in said]
    else:
        plan = plan.model_copy(update={"reasoning": tuple(step for step in plan.reasoning if step.text not in plan.notes)})
    if plan.reasoning:
        parts.append(_reasoning(plan))
    if plan.actions:
        parts.append(_muscles(plan))
    parts += [_note(finding.sentence) for finding in check(plan)]
    if plan.segments or any(action.onset is not None for action in plan.actions):
        parts.append(_timeline(plan, width))
    return parts


def bar(value: float, width: int = 10) -> str:
    """A value 0..1 as a bar of eighths.

    Args:
        value: Value, 0..1; what lies beyond is clipped.
        width: Columns.

    Returns:
        `width` characters.

    Example:
        >>> bar(0.5, 4), bar(1, 4)
        ('██  ', '████')
    """
    eighths = round(max(0.0, min(1.0, value)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(width)


def _color(emotion: Emotion) -> str:
    spec = EMOTION_SPECS[emotion]
    return spec.console_color or spec.color


def _note(text: str) -> RenderableType:
    return Padding(Text(f"! {text}", style="bold yellow"), (0, 1))


def _title(plan: MusclePlan) -> Panel:
    mix = Text()
    for emotion, weight in sorted(plan.emotions.items(), key=lambda item: -item[1]):
        mix.append(f"{emotion} ", style=f"bold {_color(emotion)}")
        mix.append(f"{weight:.0%}   ")
    mix.append("intensity ", style="dim")
    mix.append(f"{bar(plan.intensity, 10).rstrip() or '·'} {plan.intensity:.2f}")
    shown = plan.text if len(plan.text) <= 300 else plan.text[:297] + "…"
    lines: list[RenderableType] = [Text(" ".join(shown.split()) or "(no text)", style="bold"), mix]
    if plan.description:
        lines.append(Text(plan.description, style="italic"))
    return Panel(Group(*lines), box=box.ROUNDED, padding=(0, 1))


def _reasoning(plan: MusclePlan) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1, 1, 1), expand=True)
    table.add_column(style="bold", width=19, vertical="top")
    table.add_column(ratio=1)
    for number, step in enumerate(plan.reasoning, 1):
        table.add_row(f"{number} {step.title}", Text(step.text))
    return table


def _muscles(plan: MusclePlan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True, title_justify="left")
    table.add_column("AU", justify="right", style="bold", no_wrap=True)
    table.add_column("name", no_wrap=True, min_width=18)
    table.add_column("muscle", style="dim", ratio=1, overflow="ellipsis", no_wrap=True)
    table.add_column("side", no_wrap=True)
    table.add_column("intensity", no_wrap=True, min_width=15)
    table.add_column("when", no_wrap=True, min_width=12)
    for region in REGIONS:
        actions = [action for action in plan.actions if ACTION_UNITS[action.unit].region == region]
        for index, action in enumerate(sorted(actions, key=lambda a: (a.onset or 0.0, a.unit))):
            table.add_row(*_muscle_row(action), end_section=index == len(actions) - 1)
    return table


def _muscle_row(action: MuscleAction) -> tuple[str, ...]:
    unit = ACTION_UNITS[action.unit]
    intensity = f"{bar(action.intensity)} {action.intensity:.2f}"
    return str(action.unit), unit.name, ", ".join(unit.muscles), action.side, intensity, _when(action)


def _when(action: MuscleAction) -> str:
    if action.onset is None:
        return "throughout" if action.offset is None else f"until {action.offset:.1f} s"
    until = "" if action.offset is None else f"–{action.offset:.1f}"
    return f"{action.onset:.1f}{until} s" if action.offset is not None else f"from {action.onset:.1f} s"


def _timeline(plan: MusclePlan, width: int) -> RenderableType:
    """A ruler, the feelings below it, and one strip per muscle."""
    until = plan.horizon()
    cells = max(20, width - 14)
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(width=10, justify="right", style="bold", no_wrap=True)
    table.add_column(width=cells, no_wrap=True)
    table.add_row("seconds", Text(_ruler(until, cells), style="dim"))
    if plan.segments:
        table.add_row("feeling", _feelings(plan.segments, until, cells))
    for unit, side in dict.fromkeys((a.unit, a.side) for a in sorted(plan.actions, key=lambda a: (a.onset or 0.0, a.unit))):
        own = [a for a in plan.actions if (a.unit, a.side) == (unit, side)]
        mark = "" if side == "both" else f" {side[0].upper()}"
        table.add_row(f"AU{unit}{mark}", _strip(own, until, cells))
    return Padding(table, (0, 1, 1, 1))


def _ruler(until: float, cells: int) -> str:
    """Marks at whole seconds, thinned out until they fit."""
    step = next(s for s in (1, 2, 5, 10, 30, 60, 300, 3600) if until / s * 5 <= cells or s == 3600)
    line = [" "] * cells
    second = 0
    while second < until:
        at = int(second / until * cells)
        label = f"|{second}"
        if at + len(label) <= cells:
            line[at : at + len(label)] = label
        second += step
    return "".join(line)


def _feelings(segments: tuple[Segment, ...], until: float, cells: int) -> Text:
    text = Text()
    for segment in segments:
        start, end = (round(min(t, until) / until * cells) for t in (segment.start, until if segment.end is None else segment.end))
        start = max(start, len(text))
        text.append(" " * (start - len(text)))
        main = max(segment.emotions, key=lambda emotion: segment.emotions[emotion])
        names = "+".join(e for e, w in sorted(segment.emotions.items(), key=lambda item: -item[1]) if w >= 0.25)
        length = max(0, end - start)
        label = f"[{names} {segment.intensity:.2f}" if length > len(names) + 7 else f"[{names}"
        text.append(label[:length].ljust(length), style=f"reverse {_color(main)}" if length else "")
    return text


def _strip(actions: list[MuscleAction], until: float, cells: int) -> Text:
    import numpy as np

    times = (np.arange(cells) + 0.5) / cells * until
    level = np.max([action.envelope(times) for action in actions], axis=0)
    return Text("".join(_LEVELS[int(np.ceil(value * 8 - 0.05))] for value in level), style="cyan")
