"""The environment of a measurement: date, command, versions and machine."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tbd

PACKAGES = ("lightning", "mediapipe", "numpy", "opencv-contrib-python", "torch", "torchmetrics")
"""Packages that numbers may depend on."""
_RESULTS = ("benchmarks/leaderboard", "benchmarks/results", "benchmarks/ablations/results", "benchmarks/README.md", "docs", "README.md")
"""Of a checkout, what runs write into and no number depends on: the first row of a run must not change the commit of the second."""


def environment(packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Describe date, command, commit, versions, processor and load as plain values."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "command": " ".join(sys.orig_argv[1:]),
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {"tbd": tbd.__version__, **{name: found for name in packages if (found := _version(name))}},
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def peak_memory() -> float:
    """Measure the most memory that this process has held, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of the checkout that tbd runs from, or ``$TBD_COMMIT`` where code was copied without its history; else None."""
    return os.environ.get("TBD_COMMIT") or _own_commit()


@cache
def _own_commit() -> str | None:
    """Asked once: code that is edited while a run goes on is not the code that runs."""
    root = Path(__file__).resolve().parents[2]
    return commit_of(root) if (root / ".git").exists() else None


def commit_of(root: Path) -> str | None:
    """Name the commit of a checkout.

    Args:
        root: The checkout.

    Returns:
        As `git describe` names it, with ``-dirty`` behind it where a tracked file was changed that is no result; None without git.
    """

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=root).stdout.strip()

    try:
        commit = git("describe", "--always")
        changed = commit and git("status", "--porcelain", "--untracked-files=no", "--", ".", *(f":(exclude){path}" for path in _RESULTS))
    except OSError:
        return None
    return f"{commit}{'-dirty' * bool(changed)}" if commit else None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
