"""`tbd` with a table edited, as a contributor would edit it, for programs that run in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def insert_rows(folder: Path, file: str, rows: dict[str, str]) -> None:
    """Make a copy of the package in `folder` whose `file` has rows before the lines that start with their markers.

    All other files are links to the repository's: nothing but the table differs.
    """
    target = folder
    for part in Path(file).parts[:-1]:
        source, target = ROOT / target.relative_to(folder) / part, target / part
        target.mkdir()
        for entry in source.iterdir():
            if entry.name not in (*Path(file).parts, "__pycache__"):
                (target / entry.name).symlink_to(entry)
    text = (ROOT / file).read_text("utf-8")
    for marker, row in rows.items():
        before, found, after = text.partition(marker)
        assert found, f"{file} has no line {marker!r}"
        text = before + row.rstrip().removesuffix(",") + ",\n" + found + after
    (target / Path(file).name).write_text(text, encoding="utf-8")


def run_with(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the edited package in front of the repository."""
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
