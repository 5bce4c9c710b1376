"""One process at a time writes to a cache, or to a shard of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from filelock import FileLock, Timeout

from tbd.data.preprocess.cache import Cache
from tbd.errors import InputError
from tbd.utils.jobs.shards import Shard

_PATIENCE = 2.0
"""Seconds to wait for a lock that another process holds for an instant."""


@contextmanager
def locked(cache: Cache, shard: Shard | None = None) -> Iterator[None]:
    """Keep other processes from writing to a cache, or to a shard of it.

    Args:
        cache: The cache.
        shard: What this process prepares; all of it where not given. Shards do not wait for each other.

    Yields:
        None, while this process alone may write.

    Raises:
        InputError: If another process is preparing it.
    """
    with ExitStack() as stack:
        whole = stack.enter_context(_held(cache, ".lock"))
        if shard is not None:
            stack.enter_context(_held(cache, _shard_lock(shard)))
            whole.release()
        else:
            for path in sorted(cache.root.glob(".lock-*")):
                stack.enter_context(_held(cache, path.name))
        yield


def _shard_lock(shard: Shard) -> str:
    return f".lock-{shard.index}-{shard.count}"


@contextmanager
def _held(cache: Cache, name: str) -> Iterator[FileLock]:
    """Hold one lock of a cache. A shard holds the whole cache's for an instant, which others sit out."""
    lock = FileLock(cache.path(name))
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise InputError(f"Another process is preparing {cache.root}; wait for it, or choose another --output.") from None
    try:
        yield lock
    finally:
        lock.release()
