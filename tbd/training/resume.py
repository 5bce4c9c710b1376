"""`--ckpt_path last` and `--ckpt_path best`: which file they stand for."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from tbd.errors import InputError

_PATTERNS = {"last": ("preempted.ckpt", "**/checkpoints/last.ckpt"), "best": ("**/checkpoints/best*.ckpt",)}


def find_checkpoint(which: Literal["last", "best"], root: str | None) -> str:
    """Find the newest checkpoint of a kind that a run has saved.

    Lightning's own "last" looks into the folder of the run that begins, where there is none yet.

    Args:
        which: ``last`` for what a run or its interruption saved last, ``best`` for the best by validation of the newest run.
        root: The trainer's ``default_root_dir``; the working directory where not given.

    Returns:
        The file's path.

    Raises:
        InputError: If there is none.
    """
    folder = Path(root or ".")
    found = [path for pattern in _PATTERNS[which] for path in folder.glob(pattern)]
    if not found:
        raise InputError(
            f"--ckpt_path {which}: {folder.absolute()} holds no {' or '.join(_PATTERNS[which])}; "
            "--trainer.default_root_dir says where to look."
        )
    return str(_newest(found))


def _newest(paths: Iterable[Path]) -> Path:
    return max(paths, key=lambda path: path.stat().st_mtime)
