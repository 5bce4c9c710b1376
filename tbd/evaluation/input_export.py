"""`tbd predict --export-inputs`: the inputs of each clip as plain files, for programs that do not use tbd.

    inputs/README.md          describes the files, what to write, and how it is measured
    inputs/manifest.csv       a row a clip: its files, label, text, frames, and the name of the video to write
    inputs/<CLIP>.png         the portrait
    inputs/<CLIP>.wav         the voice
    inputs/<CLIP>.pose.csv    the head's true pose, where the protocol lets methods use it
    inputs/<CLIP>.json        label, text and plan; written last, so a clip with one is whole
    inputs/inputs.json        the protocol and the clips that the folder is for

The videos that a method makes of them are what `tbd evaluate --predictions` takes.
"""

import csv
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tbd.errors import InputError, TBDError
from tbd.evaluation.evaluate import require_split
from tbd.evaluation.input_files import true_head, write_inputs
from tbd.evaluation.pixel_protocol import in_pixels, motion_metrics
from tbd.evaluation.predictions import INPUTS
from tbd.evaluation.protocol import Protocol, protocol_names
from tbd.evaluation.references.base import Reference, ReferenceClip
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names

COLUMNS = ("clip", "portrait", "audio", "pose", "plan", "emotion", "level", "text", "frames", "seconds", "rate", "size", "prediction")
"""Of ``manifest.csv``."""
_POSES = {
    "predicted": "The head's pose is the method's own to find; none is given.",
    "reference": "`*.pose.csv` is the head's true pose, which methods under this protocol use.",
    "still": "The head stays as it is in the portrait.",
    "any": "`*.pose.csv` is the head's true pose; a method may use it, and its row on the board should mention it.",
}
_ANGLES = """
Rotations are in radians, right-handed, applied as Rz(roll) Ry(yaw) Rx(pitch): positive pitch looks down, positive yaw turns to
the subject's left, positive roll tilts the crown to the subject's right. Translations are in inter-ocular distances. All are
relative to the resting pose."""
_IN_PIXELS = """
{id} compares motion files, which other programs do not write. Videos alone are measured by {by}
instead, over the same clips: motion is tracked in the pixels of both clips.
"""
_README = """# Inputs of {id}

{summary}

A row of `manifest.csv` is a clip. For each, make one video from:

| file | what |
| --- | --- |
| `<clip>.png` | the portrait, {size} x {size} pixels, RGB |
| `<clip>.wav` | the voice, {sample_rate} Hz, one channel, 16 bits |
| `<clip>.json` | `emotion`, `level` (1 to 3) and `text` of the emotion, and `plan`: action units with intensities and times in seconds |

{pose}

Write `<clip>.mp4`: {rate} frames a second, as many as `frames` says ({tolerance} more or fewer are allowed), {size} x {size} pixels with
the portrait's framing, and the voice as its sound. Any container that FFmpeg reads will do, and so will names such as
`<clip>_out.mp4`; another rate or size is resampled, and noted in the scores. Nothing but these files may be used of the clips.
{measured}
    tbd evaluate --protocol {given} {reference}--predictions VIDEOS --output scores.json
    tbd leaderboard add scores.json --name "My method" --code https://... --board BOARD
"""


def export_inputs(
    protocol: Protocol, reference: Reference, folder: Path, progress: Callable[[Sequence[ReferenceClip]], Any] = iter
) -> tuple[int, int]:
    """Write the inputs that methods may use of a protocol's clips. Finished clips are kept.

    A clip whose files cannot be read is named on standard error and left out; an evaluation counts it as missing.

    Args:
        protocol: The recipe.
        reference: The true clips.
        folder: An empty one, or one that an export of the same clips began.
        progress: Wraps the clips, such as a progress bar.

    Returns:
        How many clips the folder has, and how many it should have.

    Raises:
        InputError: The folder holds something else, or the reference is not the protocol's.
        TBDError: Not one clip could be written.
    """
    clips = reference.clips()
    names, content = checksum_of_names(clip.id for clip in clips), reference.content()
    require_split(protocol, len(clips), names, content)
    _claim(folder, {"protocol": protocol.id, "hash": protocol.hash, "clips": names, "content": content or ""})
    rows, failed = [], []
    for clip in progress(clips):
        try:
            rows.append(_whole(folder, clip.id) or _write(protocol, clip, folder))
        except InputError as error:
            failed.append(f"{clip.id}: {error}")
            print(f"left out: {failed[-1]}", file=sys.stderr)
    if not rows:
        raise TBDError(f"The inputs of none of the {len(clips)} clips could be written; the first: {failed[0]}")
    _write_manifest(folder / "manifest.csv", rows)
    _write_readme(folder / "README.md", protocol)
    return len(rows), len(clips)


def _claim(folder: Path, identity: dict[str, str]) -> None:
    """Write ``inputs.json``, unless the folder is another's."""
    path = folder / INPUTS
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; --export-inputs names a folder to write.")
    if not path.is_file():
        if folder.is_dir() and any(not p.name.startswith(".") for p in folder.iterdir()):
            raise InputError(f"{folder} holds other files, which could be overwritten; --export-inputs takes an empty folder.")
        with atomic_output(path) as temporary:
            temporary.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read as JSON ({error}); name an empty folder.") from error
    differs = [key for key, value in identity.items() if not isinstance(there, dict) or there.get(key) != value]
    if differs:
        raise InputError(f"{folder} holds the inputs of another {differs[0]}; name an empty folder.")


def _whole(folder: Path, clip: str) -> dict[str, Any] | None:
    """The manifest's row of a clip whose files are all there; None where one is missing."""
    try:
        about = json.loads((folder / f"{clip}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(about, dict) or not {*COLUMNS} <= about.keys() or about["clip"] != clip:
        return None
    files = [folder / about[key] for key in ("portrait", "audio", "pose") if about[key]]
    return about if all(path.is_file() and path.stat().st_size for path in files) else None


def _write(protocol: Protocol, clip: ReferenceClip, folder: Path) -> dict[str, Any]:
    """Write one clip's files; returns the contents of ``<CLIP>.json``."""
    head = true_head(clip, protocol.size) if protocol.pose in ("reference", "any") else None
    return write_inputs(clip, folder, protocol.size, head)


def _write_manifest(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with atomic_output(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            values = {**row, "plan": f"{row['clip']}.json"}
            writer.writerow({name: "" if values[name] is None else values[name] for name in COLUMNS})


def _write_readme(path: Path, protocol: Protocol) -> None:
    pose, measured, by = _POSES[protocol.pose], "", protocol
    if protocol.pose in ("reference", "any"):
        pose += _ANGLES
    if protocol.motion == "file" and motion_metrics(protocol):
        by = in_pixels(protocol)
        measured = _IN_PIXELS.format(id=protocol.id, by=by.id)
    text = _README.format(
        id=protocol.id,
        summary=protocol.summary,
        size=protocol.size,
        sample_rate=SAMPLE_RATE,
        rate=FPS,
        pose=pose,
        tolerance=by.length_tolerance or "none",
        measured=measured,
        given=protocol.id if protocol.id in protocol_names() else f"{protocol.id}.yaml",
        reference="--reference FOLDER " if protocol.split.content is None else "",
    )
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def require_apart(option: str, folder: Path, others: dict[str, str | os.PathLike | None]) -> None:
    """Require that a folder to be written is none that is read, nor lies in one, by any spelling or link.

    Args:
        option: Its option.
        folder: The folder.
        others: Option → another folder, None where it is not given.

    Raises:
        InputError: If it is, or does.
    """
    target = Path(os.path.realpath(folder))
    for other, path in others.items():
        if path is not None and Path(os.path.realpath(path)) in (target, *target.parents):
            raise InputError(f"{option} {folder} is the folder of {other}, or lies in it; choose another, so that nothing is overwritten.")
