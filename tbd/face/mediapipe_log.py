"""MediaPipe's C++ library logs to standard error; this keeps those lines away from users."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = threading.RLock()
_LOG_LINE = re.compile(rb"^(INFO: Created TensorFlow|WARNING: All log messages before absl|[IW]\d{4} )")


@contextmanager
def suppress_mediapipe_logs() -> Iterator[None]:
    """Drop the log lines that MediaPipe writes to standard error in the block; everything else written meanwhile is kept.

    Standard error belongs to the whole process, so threads take turns.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _STDERR, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            kept = b"".join(line for line in caught if not _LOG_LINE.match(line))
            if kept:
                os.write(2, kept)
