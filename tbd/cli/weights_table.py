"""What `tbd weights` prints."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TransferSpeedColumn
from rich.table import Table

from tbd import weights
from tbd.errors import InputError
from tbd.weights import Condition, Weights

_MEANING: dict[Condition, str] = {
    "absent": "not on this machine",
    "verified": "as published",
    "as fetched": "the file that was fetched; no checksum is published",
    "unknown": "no checksum is published, and none was noted; compare the sum above with another source",
    "wrong": "NOT the published or fetched file",
}


def show(entries: Sequence[Weights], action: Literal["list", "verify"], as_json: bool = False) -> None:
    """Print the registry's entries and whether their files are there.

    Raises:
        InputError: `verify`, and a file is another than the published or fetched one.
    """
    found = [(entry, *weights.verify(entry)) for entry in entries]
    if as_json:
        rows = [{**asdict(entry), "path": str(entry.path), "condition": state, "found_sha256": digest} for entry, state, digest in found]
        print(json.dumps(rows, indent=1))
    elif action == "list":
        _list(found)
    else:
        for entry, state, digest in found:
            digits = f" ({len(entry.sha256)} of 64 digits are published)" if state == "verified" and len(entry.sha256 or "") < 64 else ""
            print(f"{entry.name}: {state}, {_MEANING[state]}{digits}" + (f"\n  sha256 {digest}  {entry.path}" if digest else ""))
    wrong = [entry for entry, state, _ in found if state == "wrong"]
    if action == "verify" and wrong:
        named = ", ".join(f"{entry.path} (`{entry.command}` after removing it)" for entry in wrong)
        raise InputError(f"{len(wrong)} file{'s are' if len(wrong) > 1 else ' is'} not what the registry names: {named}.")


def _list(found: Sequence[tuple[Weights, Condition, str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("name", "here", "for", "licence", "who may use it"):
        table.add_column(column, overflow="fold")
    for entry, state, _ in found:
        table.add_row(entry.name, state, ", ".join(entry.needed_by), entry.licence, entry.use)
    # a pipe has no width to fold to
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    print(f"\nFiles lie in {weights.folder()} (change it with {weights.ENVIRONMENT}); `tbd weights fetch NAME` puts them there.")


def fetch(entries: Sequence[Weights], source: str | os.PathLike | None, offline: bool) -> None:
    """Fetch files, with a bar for each, and say what is known of them."""
    for entry in entries:
        print(f"{entry.name}: licence {entry.licence}; for {entry.use}")
        if entry.url.startswith("http://") and entry.sha256 is None and source is None and not offline:
            print("  Its authors offer it over a plain connection and without a checksum: nothing vouches for it but the server.")
        with Progress(
            *Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn(), transient=True, disable=not sys.stdout.isatty()
        ) as bar:
            task = bar.add_task(entry.file, total=None)
            state, digest = weights.fetch(
                entry.name, source, offline, lambda done, total, task=task: bar.update(task, completed=done, total=total or None)
            )
        print(f"  {state}: {_MEANING[state]}\n  sha256 {digest}  {entry.path}")
