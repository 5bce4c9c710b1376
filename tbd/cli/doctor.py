"""`tbd doctor`: what is here, what is missing, and the command that brings it."""

import json
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.errors import TBDError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

_MARKS = {"ok": "[green]✓[/]", "absent": "[yellow]–[/]", "broken": "[red]✗[/]"}


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(options: "Namespace") -> None:
    from rich.console import Console
    from rich.markup import escape

    from tbd.cli.doctor_checks import all_checks

    checks = []
    console, area = Console(soft_wrap=True, highlight=False), ""
    for check in all_checks():
        checks.append(check)
        if options.json:
            continue
        if check.area != area:
            area = check.area
            console.print(f"\n[bold]{area}[/]")
        remedy = f"  → {escape(check.remedy)}" if check.remedy else ""
        console.print(f"  {_MARKS[check.state]} {escape(check.name)}: {escape(check.found)}{remedy}")
    if options.json:
        print(json.dumps([check._asdict() for check in checks], indent=1))
    broken = [check.name for check in checks if check.state == "broken"]
    if broken:
        raise TBDError(f"{', '.join(broken)} must be put right; the command stands behind each.")
    if not options.json:
        absent = sum(check.state == "absent" for check in checks)
        console.print(f"\ntbd works here, {f'without {absent} optional things' if absent else 'and nothing is missing'}.")


COMMAND = Command("what is installed, what is missing, and the command that brings it", _options, _run)
