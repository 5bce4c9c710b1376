"""`tbd weights list | fetch | verify`: third-party weights."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tbd import weights
from tbd.cli.options.command import Command
from tbd.errors import InputError
from tbd.weights import Condition, Weights, WeightSet

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

_MEANING: dict[Condition, str] = {
    "absent": "not on this machine",
    "verified": "as published",
    "as fetched": "the file that was fetched; no checksum is published",
    "unknown": "no checksum is published, and none was noted; compare the sum above with another source",
    "wrong": "NOT the published or fetched file",
}


_NAMES = "of weights in the registry, or of sets of them ({}); `list` and `verify` take all by default"


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("action", choices=["list", "fetch", "verify"], help="show the registry, put files into their place, or check them")
    parser.add_argument("names", nargs="*", help=_NAMES.format(", ".join(weights.weight_sets())))
    parser.add_argument(
        "--from", metavar="FILE", help="fetch: take this copy, for machines without internet; for a set, a folder of copies"
    )
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--json", action="store_true", help="list, verify: print JSON")


def _run(options: "Namespace") -> None:
    names = options.names or list(weights.registry())
    entries = weights.expand_sets(names)
    if options.action == "fetch":
        if not options.names:
            raise InputError("name the weights to fetch; `tbd weights list` shows them.")
        if options["from"] is not None and len(names) > 1:
            raise InputError("--from gives one file, or a folder with the files of one set; name one of them.")
        for name in names:
            if name in weights.weight_sets():
                announce(weights.weight_sets()[name])
        sources = copies(entries, options["from"])
        fetch(entries, sources, options.offline)
    else:
        show(entries, options.action, options.json)


def announce(chosen: WeightSet) -> None:
    """Say of a set, before anything is fetched, what it consists of and who may use it.

    Args:
        chosen: The set.
    """
    print(f"{chosen.name}: {chosen.about}; {len(chosen.files)} files")
    for entry in map(weights.find_weights, chosen.files):
        size = "size unknown" if entry.size is None else f"{entry.size:,} bytes"
        check = "no checksum published" if entry.sha256 is None else f"sha256 {entry.sha256[:12]}…"
        print(f"  {entry.file}: {size}, {check}; {entry.licence}; for {entry.use}")
    if chosen.warning:
        print(f"  {chosen.warning}")


def copies(entries: Sequence[Weights], source: str | None) -> dict[str, Path] | None:
    """Find local copies of files.

    Args:
        entries: Entries of the registry.
        source: A file, or a folder that is searched for files of the registered names; None where there are no copies.

    Returns:
        Name in the registry → copy; None where there are none.

    Raises:
        InputError: If the folder lacks a file, or a file is given for several entries.
    """
    if source is None:
        return None
    if not Path(source).is_dir():
        if len(entries) > 1:
            raise InputError(f"{source} is no folder; for {len(entries)} files give one that holds copies of them.")
        return {entries[0].name: Path(source)}
    found: dict[str, Path] = {}
    there = sorted(path for path in Path(source).rglob("*") if path.is_file())
    names = Counter(Path(entry.file).name for entry in weights.registry().values())
    for entry in entries:
        wanted = Path(entry.file)
        same = [path for path in there if path.parts[-2:] == wanted.parts[-2:]]
        if not same and names[wanted.name] == 1:  # of many a net.pth only the folder says whose it is
            same = [path for path in there if path.name == wanted.name]
        if len(same) != 1:
            many = f"{len(same)} files" if same else "no file"
            raise InputError(
                f"{source} holds {many} that could be {entry.file}; give a folder with one {wanted.parent.name}/{wanted.name}."
            )
        found[entry.name] = same[0]
    return found


def show(entries: Sequence[Weights], action: Literal["list", "verify"], as_json: bool = False) -> None:
    """Print the registry's entries and whether their files are there.

    Args:
        entries: Entries of the registry.
        action: ``list`` prints a table, ``verify`` a line for each entry.
        as_json: Whether to print JSON instead.

    Raises:
        InputError: If the action is ``verify`` and a file is not the one that was published or fetched.
    """
    found = [(entry, *weights.verify(entry)) for entry in entries]
    if as_json:
        rows = [{**asdict(entry), "path": str(entry.path), "condition": state, "found_sha256": digest} for entry, state, digest in found]
        print(json.dumps(rows, indent=1))
    elif action == "list":
        _list(found)
    else:
        for entry, state, digest in found:
            digits = len(entry.sha256 or "")
            share = f" ({digits} of 64 digits are published)" if state == "verified" and digits < 64 else ""
            print(f"{entry.name}: {state}, {_MEANING[state]}{share}" + (f"\n  sha256 {digest}  {entry.path}" if digest else ""))
    wrong = [entry for entry, state, _ in found if state == "wrong"]
    if action == "verify" and wrong:
        named = ", ".join(f"{entry.path} (`{entry.command}` after removing it)" for entry in wrong)
        raise InputError(f"{len(wrong)} file{'s are' if len(wrong) > 1 else ' is'} not what the registry names: {named}.")


def _list(found: Sequence[tuple[Weights, Condition, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "here", "for", "licence", "who may use it"):
        table.add_column(column, overflow="fold")
    for entry, state, _ in found:
        table.add_row(entry.name, state, ", ".join(entry.needed_by), entry.licence, entry.use)
    # a pipe has no width to fold to
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for chosen in weights.weight_sets().values():
        print(f"\n{chosen.name}, a set: {chosen.about}; {len(chosen.files) - len(chosen.missing)} of {len(chosen.files)} files are here.")
    print(f"\nFiles lie in {weights.folder()} (change it with {weights.ENVIRONMENT}); `tbd weights fetch NAME` puts them there.")


def fetch(entries: Sequence[Weights], sources: Mapping[str, Path] | None, offline: bool) -> None:
    """Fetch files, with a bar for each, and say what is known of them.

    Args:
        entries: Entries of the registry.
        sources: Name in the registry → a copy of the file, for machines without internet.
        offline: Whether the network must not be used.

    Raises:
        TBDError: If a file cannot be fetched, or is not the published one.
    """
    from rich.progress import DownloadColumn, Progress, TaskID, TransferSpeedColumn

    for entry in entries:
        source = None if sources is None else sources[entry.name]
        print(f"{entry.name}: licence {entry.licence}; for {entry.use}")
        if entry.url.startswith("http://") and entry.sha256 is None and source is None and not offline:
            print("  Its authors offer it over a plain connection and without a checksum: nothing vouches for it but the server.")
        with Progress(
            *Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn(), transient=True, disable=not sys.stdout.isatty()
        ) as bar:
            task = bar.add_task(entry.file, total=None)

            def show_bytes(done: int, total: int, bar: Progress = bar, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total or None)

            state, digest = weights.fetch(entry.name, source, offline, show_bytes)
        print(f"  {state}: {_MEANING[state]}\n  sha256 {digest}  {entry.path}")


COMMAND = Command("third-party weights: list, fetch and verify them", _options, _run)
