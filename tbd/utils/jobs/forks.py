"""Forked processes, such as a `DataLoader`'s workers, leave what their parent has thrown away to the parent."""

import gc
import os
from functools import cache


@cache
def leave_garbage_to_parents() -> None:
    """Keep the garbage collector of processes that are forked from now on off what existed before them. Calling it again changes nothing.

    Encoders, decoders and scalers of pictures have threads. One of them that lies about in a cycle of references until the garbage
    collector comes by may be met by that of a forked process, which has none of these threads: there FFmpeg waits for ever for them to let
    go of a condition variable (``pthread_cond_destroy``), and a `DataLoader` for its worker.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing is forked
        os.register_at_fork(after_in_child=gc.freeze)
