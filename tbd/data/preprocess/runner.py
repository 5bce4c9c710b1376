"""`preprocess`: scan a download and prepare its clips over processes. It can be stopped and taken up again anywhere."""

import errno
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import tbd
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.locking import locked
from tbd.data.preprocess.speed import Speed
from tbd.data.records import ClipRecord
from tbd.data.sources.base import RawClip, RawSource, with_neutrals
from tbd.data.sources.labels import apply_labels, read_labels
from tbd.errors import InputError, TBDError
from tbd.face.neutral import AVERAGE
from tbd.utils.atomic import atomic_output
from tbd.utils.jobs.multiprocessing import ignore_sigint
from tbd.utils.jobs.shards import Shard, within

if TYPE_CHECKING:
    from tbd.data.preprocess.config import PreprocessConfig
    from tbd.face.tracker import Tracker

_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ENOMEM}
"""Errors of the machine, not of a clip."""


_REASONS = 4
"""Reasons that the error names where no clip could be used."""

Work = Callable[[RawClip], ClipRecord]


def preprocess(
    source: RawSource,
    output: str | os.PathLike,
    workers: int | None = None,
    sizes: Sequence[int] = (512, 256),
    crop: str = "portrait",
    landmarker: str | None = None,
    labels: str | None = None,
    retry: bool = False,
    scan_only: bool = False,
    console: Console | None = None,
    shard: Shard | None = None,
    expressive: bool = False,
) -> Cache:
    """Prepare a data set, or what is missing of it.

    Args:
        source: The download.
        output: Folder of the cache.
        workers: Number of processes; one per core where not given.
        sizes: Heights and widths of the videos in pixels.
        crop: A key of `tbd.data.preprocess.crop.CROPS`.
        landmarker: A ``face_landmarker.task`` file, to track with both trackers.
        labels: A table of labels, see `tbd.data.sources.labels.read_labels`.
        retry: Whether to try clips again that failed.
        scan_only: Whether to open clips and record what their streams say, without preparing them.
        console: Where progress goes.
        shard: The part of the clips to prepare, where several machines share them out; all where not given.
        expressive: Whether to track with `tbd.think.coding.expressive_tracker.ExpressiveTracker` as well.

    Returns:
        The cache, its manifest written.

    Raises:
        InputError: If the download or the options cannot be used, or another process prepares this cache.
        TBDError: If the disk is full (what was done stays, and a second call goes on there), or not one clip could be used.
    """
    from tbd.data.preprocess.config import PreprocessConfig

    console = console or Console()
    if workers is not None and workers < 1:
        raise InputError(f"--workers is a number of processes from 1, not {workers}.")
    config = PreprocessConfig(tuple(sizes), crop, landmarker, expressive=expressive)
    config.trackers()  # a missing model file is reported now, not by every worker
    table = read_labels(labels)
    scan = source.scan(Path(output))
    clips, remarks = apply_labels(scan.clips, table)
    clips = with_neutrals(clips)
    scan.problems.update({f"{labels} ({i})" if len(remarks) > 1 else str(labels): remark for i, remark in enumerate(remarks, 1)})
    cache = Cache.claim(output, source=source.name, **config.shared())
    mine = clips if shard is None else shard.of(clips)
    with locked(cache, shard):
        _sweep(cache, None if shard is None else {raw.record.clip for raw in mine})
        about = {"root": str(getattr(source, "root", "")), "scanned": time.strftime("%Y-%m-%d %H:%M:%S"), "counts": scan.counts,
                 "problems": scan.problems, "tbd": tbd.__version__, "command": sys.argv}  # fmt: skip
        with atomic_output(cache.path("scan.json")) as temporary:
            temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        keys = [] if scan_only else config.tracker_keys()
        todo = [raw for raw in mine if not _done(cache, raw, keys, retry, scan_only)]
        console.print(
            f"{len(clips)} clips found{within(shard, len(mine))}, {len(mine) - len(todo)} of them done before; "
            f"{len(scan.problems)} remarks on the download."
        )
        work = _Work(str(cache.root), None if scan_only else config)
        try:
            with one_thread_each(), Speed(console) as speed:
                for record in _progress(_map(work, todo, workers or len(os.sched_getaffinity(0))), len(todo), console):
                    cache.save_record(record)
                    speed.count(0.0 if scan_only else record.seconds)
        finally:
            cache.write_manifest()
        if not scan_only and shard is None:
            _require_some(cache, clips)
    return cache


def _require_some(cache: Cache, clips: Sequence[RawClip]) -> None:
    """Raise `TBDError` where none of the clips is ready, with the commonest reasons."""
    records = [record for raw in clips if (record := cache.load_record(raw.record)) is not None]
    if not any(record.ready for record in records):
        kinds: dict[str, list[str]] = {}
        for record in records:
            reason = record.reason.replace(record.origin, "it").rstrip(".")
            kinds.setdefault("".join("#" if c.isdigit() else c for c in reason), []).append(reason)
        counted = "; ".join(f"{len(reasons)} × {reasons[0]}" for reasons in sorted(kinds.values(), key=len, reverse=True)[:_REASONS])
        more = f"; and {len(kinds) - _REASONS} more reasons" if len(kinds) > _REASONS else ""
        raise TBDError(f"0 of {len(clips)} clips are ready: {counted}{more} (`tbd preprocess report {cache.root}` lists them).")


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let processes that start in the block calculate on one thread each; they are the parallelism, and idle threads spin."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: value or "1" for name, value in before.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]


def _sweep(cache: Cache, clips: set[str] | None) -> None:
    """Remove the temporary files of a run that was killed; under the lock nobody else writes here, or writes of these clips."""
    own = None if clips is None else {clip[:100] for clip in clips}
    for kind in ("video", "audio", "motion", "points", "records", "neutral", "plans"):
        for path in cache.path(kind).rglob(".*-*"):
            if own is None or path.name[1:].rpartition("-")[0] in own:
                path.unlink(missing_ok=True)


def _done(cache: Cache, raw: RawClip, trackers: Sequence[str], retry: bool, scan_only: bool) -> bool:
    """Whether an earlier run has finished with a clip: with the same file, labels and trackers, and its results are there."""
    old = cache.load_record(raw.record)
    same = ("origin", "origin_bytes", "person", "emotion", "level", "text")
    if old is None or any(getattr(old, name) != getattr(raw.record, name) for name in same):
        return False
    if old.status == "failed":
        return not retry
    if old.status == "found":
        return scan_only
    if raw.neutrals and old.neutral == AVERAGE:
        return False  # the labels name a neutral clip since
    return all(key in old.motions for key in trackers) and all(cache.path(path).is_file() for path in old.files())


@dataclass
class _Work:
    """What a worker does with a clip: probe it where `config` is None, else prepare it. The trackers are made once per process."""

    root: str
    config: "PreprocessConfig | None"

    def __call__(self, raw: RawClip) -> ClipRecord:
        from tbd.data.preprocess.clip import prepare_clip, probe_clip

        try:
            if self.config is None:
                return probe_clip(raw)
            return prepare_clip(raw, Cache(self.root), self.config, _trackers(self.config))
        except InputError as error:
            return failed(raw, str(error).removeprefix(raw.record.origin).strip())
        except TBDError:
            raise
        except OSError as error:
            if error.errno in _FATAL:
                raise TBDError(
                    f"Preparing {raw.record.clip} failed ({error.strerror}); nothing is lost, run the same command again."
                ) from error
            return failed(raw, f"{type(error).__name__}: {error}")
        except Exception as error:  # a codec or a model that trips over one file must not end the run
            return failed(raw, f"{type(error).__name__}: {error}")


_made: dict["PreprocessConfig", "list[Tracker]"] = {}


def _trackers(config: "PreprocessConfig") -> "list[Tracker]":
    if config not in _made:
        import cv2

        cv2.setNumThreads(1)  # processes are the parallelism here
        _made[config] = config.trackers()
    return _made[config]


def failed(raw: RawClip, reason: str) -> ClipRecord:
    """Record that a clip cannot be used.

    Args:
        raw: The clip.
        reason: Why, in one sentence.

    Returns:
        The record, with the status ``failed``.
    """
    return replace(raw.record, status="failed", reason=" ".join(reason.split()))


def _map(work: Work, clips: Sequence[RawClip], workers: int) -> Iterator[ClipRecord]:
    """Do `work` on the clips, in any order; in this process where there is one worker."""
    if workers <= 1 or len(clips) <= 1:
        yield from map(work, clips)
        return
    waiting = list(reversed(clips))
    while waiting:
        lost: list[RawClip] = []
        yield from _pooled(work, waiting, min(workers, len(waiting)), lost)
        for raw in lost:  # their process died; one of them did it, so each is tried once more, alone
            again: list[RawClip] = []
            yield from _pooled(work, [raw], 1, again)
            if again:
                yield failed(raw, "its decoder or tracker ended the process; the file is probably damaged")


def _pooled(work: Work, waiting: list[RawClip], workers: int, lost: list[RawClip]) -> Iterator[ClipRecord]:
    """Take clips from the end of `waiting` until none is left or a process dies; those then in hand go to `lost`."""
    before = set(multiprocessing.active_children())
    # spawn, since a forked copy of a process with threads (torch, mediapipe) can hang
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_quietly)
    running: dict[Future, RawClip] = {}
    try:
        while waiting or running:
            while waiting and len(running) < 2 * workers:
                raw = waiting.pop()
                running[pool.submit(work, raw)] = raw
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                raw = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost.append(raw)
            if lost:
                lost.extend(running.values())
                return
    except BrokenProcessPool:  # while submitting
        lost.extend([raw, *running.values()])
    except TBDError:  # the others may finish the clips that they have begun
        raise
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_quietly() -> None:
    """Silence a worker: what matters is in its results, and its standard error would cut through the progress bar."""
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    ignore_sigint()


def _progress(records: Iterator[ClipRecord], total: int, console: Console) -> Iterator[ClipRecord]:
    """Yield the same records behind a bar with the count of failures and the speed in frames a second."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("prepare"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[status]}"), TimeRemainingColumn())
    frames, bad, start = 0, 0, time.monotonic()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, status="")
        for record in records:
            frames, bad = frames + record.frames, bad + (record.status == "failed")
            speed = frames / max(time.monotonic() - start, 1e-6)
            bar.update(task, advance=1, status=f"{bad} failed, {speed:.0f} frames/s")
            yield record


def scanned(cache: Cache) -> dict[str, Any]:
    """Read what the last scan of the download found: ``counts`` and ``problems``."""
    with suppress(OSError, ValueError):
        return json.loads(Path(cache.path("scan.json")).read_text(encoding="utf-8"))
    return {"counts": {}, "problems": {}}
