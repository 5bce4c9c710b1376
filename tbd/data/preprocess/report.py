"""`report`: what a cache holds, what is missing or broken, and what splits find in it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.runner import scanned
from tbd.data.records import ClipRecord
from tbd.data.splits import SPLITS, DatasetSplits, load_splits
from tbd.errors import TBDError
from tbd.think.emotions import EMOTIONS

_SHOWN = 8
"""Examples of each kind that a report names."""


def report(root: str, split_file: str | None = None, console: Console | None = None) -> None:
    """Print what a cache holds.

    Args:
        root: The cache.
        split_file: Name or file of splits to compare with, and to verify: no person and no recording may be in two of them.
        console: Where it goes.

    Raises:
        InputError: If there is no cache, or no such splits.
        TBDError: If the splits are not clean.
    """
    console = console or Console()
    cache = Cache(root)
    records = cache.records()
    chosen = load_splits(split_file) if split_file else None
    _overview(cache, records, console)
    if any(r.emotion for r in records):
        console.print(_by_emotion(records))
    elif records:
        console.print(_by_person(records))
    _reasons(records, console)
    _problems(scanned(cache)["problems"], console)
    gone = [path for r in records if r.ready for path in r.files() if not cache.path(path).is_file()]
    if gone:
        console.print(
            f"[red]{len(gone)} files that the manifest names are gone[/], the first is {gone[0]}; `tbd preprocess` makes them anew."
        )
    if chosen:
        report_splits(chosen, records, console)


def _overview(cache: Cache, records: Sequence[ClipRecord], console: Console) -> None:
    status = Counter(r.status for r in records)
    ready = [r for r in records if r.ready]
    hours = sum(r.seconds for r in ready) / 3600
    config = cache.config
    trackers = sorted({key for r in ready for key in r.motions})
    console.print(f"[bold]{cache.root}[/]: {config['source']}, crop {config['crop']}, {' and '.join(map(str, config['sizes']))} pixels")
    parts = [f"{status['ready']} clips ready ({hours:.2f} hours, {len({r.person for r in ready})} people)", f"{status['failed']} failed"]
    parts += [f"{status['found']} found but not prepared"] * bool(status["found"])
    parts += [f"{sum(not r.audio for r in ready)} ready without sound"]
    console.print(", ".join(parts) + ".")
    if trackers:
        lost = sum(r.frames_without_face for r in ready) / max(sum(r.frames for r in ready), 1)
        rates = Counter(f"{r.source_fps:g}" for r in ready).most_common()
        console.print(f"Tracked by {', '.join(trackers)}; {lost:.2%} of the frames show no face and are interpolated.")
        console.print(f"Frame rates of the files: {', '.join(f'{rate} ({n})' for rate, n in rates)}; prepared clips have 25.")
    for name, count in ((n, c) for n, c in scanned(cache)["counts"].items() if c):
        console.print(f"  {name} in the download: {count}", highlight=False)


def _by_emotion(records: Iterable[ClipRecord]) -> Table:
    """Ready clips per person and emotion, and in brackets those that failed."""
    table = Table("person", *EMOTIONS, "all", title="clips ready (failed)", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    cells: dict[str, dict[str, Counter]] = defaultdict(lambda: defaultdict(Counter))
    for r in records:
        cells[r.person][r.emotion][r.status] += 1
    for person, emotions in sorted(cells.items()):
        every = sum(emotions.values(), Counter())
        table.add_row(person, *(_cell(emotions[e]) for e in EMOTIONS), _cell(every))
    return table


def _by_person(records: Iterable[ClipRecord]) -> Table:
    table = Table("person", "clips ready (failed)", "minutes", box=SIMPLE_HEAD)
    people: dict[str, list[ClipRecord]] = defaultdict(list)
    for r in records:
        people[r.person].append(r)
    for person, own in sorted(people.items()):
        table.add_row(person, _cell(Counter(r.status for r in own)), f"{sum(r.seconds for r in own if r.ready) / 60:.1f}")
    return table


def _cell(status: Counter) -> str:
    there = status["ready"] + status["found"]
    return f"{there or '–'}" + (f" [red]({status['failed']})[/]" if status["failed"] else "")


def _reasons(records: Iterable[ClipRecord], console: Console) -> None:
    """Failures and remarks, the commonest first; numbers in a reason do not make it another."""
    for status, title in (("failed", "[red]failed[/]"), ("ready", "remarks"), ("found", "remarks")):
        kinds: dict[str, list[ClipRecord]] = defaultdict(list)
        for r in records:
            if r.status == status and r.reason:
                kinds["".join("#" if c.isdigit() else c for c in r.reason.replace(r.origin, "It"))].append(r)
        for found in sorted(kinds.values(), key=len, reverse=True):
            names = ", ".join(r.clip for r in found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
            console.print(f"{title}: {len(found)} × {found[0].reason} [dim]({names})[/]", highlight=False)


def _problems(problems: dict[str, str], console: Console) -> None:
    kinds: dict[str, list[str]] = defaultdict(list)
    for place, reason in problems.items():
        kinds["".join("#" if c.isdigit() else c for c in reason)].append(f"{place}: {reason}")
    for found in sorted(kinds.values(), key=len, reverse=True):
        more = f" [dim](and {len(found) - 1} more like it)[/]" if len(found) > 1 else ""
        console.print(f"download: {found[0]}{more}", highlight=False)


def report_splits(splits: DatasetSplits, records: Sequence[ClipRecord], console: Console) -> None:
    """Print how much of some splits a cache holds, and whether they are clean.

    Args:
        splits: The splits.
        records: Rows of the cache.
        console: Where it goes.

    Raises:
        TBDError: If a person or a recording is in two of them.
    """
    console.print(f"\n[bold]splits {splits.name}[/] (by {splits.by}, SHA-256 {splits.checksum[:12]}…): {splits.source}")
    things = {"person": "people", "video": "videos", "clip": "clips"}[splits.by]
    table = Table("split", f"{things} named", "of them there", "clips ready", "clips failed", "minutes", box=SIMPLE_HEAD)
    for split in SPLITS:
        listed = set(splits.members.get(split, ()))
        own = [r for r in records if splits.split_of(r) == split]
        if not listed and not own:
            continue
        ready = [r for r in own if r.ready]
        there = {getattr(r, splits.by) for r in own} & listed
        named = f"{len(listed)}" if listed else "all others"
        table.add_row(split, named, f"{len(there)}" if listed else "–", f"{len(ready)}", f"{sum(r.status == 'failed' for r in own)}",
                      f"{sum(r.seconds for r in ready) / 60:.1f}")  # fmt: skip
    console.print(table)
    absent = sorted(splits.named() - {getattr(r, splits.by) for r in records})
    if absent:
        console.print(f"{len(absent)} of {len(splits.named())} that they name are not there: {_some(absent)}")
    outside = [r.clip for r in records if r.ready and splits.split_of(r) is None]
    if outside:
        console.print(f"{len(outside)} clips of the cache are in no split: {_some(outside)}")
    overlaps = {field: names for field, names in splits.overlaps(records).items() if names}
    words = {"person": ("named person", "named people"), "video": ("source video", "source videos")}
    for field, names in overlaps.items():
        console.print(f"[red]{len(names)} {words[field][len(names) > 1]} in more than one split[/]: {_some(names)}")
    if overlaps:
        counts = " and ".join(f"{len(names)} {words[field][len(names) > 1]}" for field, names in sorted(overlaps.items(), reverse=True))
        raise TBDError(f"the splits {splits.name} are not clean: {counts} in more than one of them.")
    shared = " that they do not share on purpose" if splits.shared else ""
    console.print(f"No person and no source video{shared} is in two splits.")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
