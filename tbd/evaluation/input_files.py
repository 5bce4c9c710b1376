"""What a method may know of one clip, as plain files: portrait, voice, label and plan."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.evaluation.references.base import ReferenceClip
from tbd.face.channels import HEAD
from tbd.media.rates import FPS
from tbd.media.wav import write_wave
from tbd.utils.atomic import atomic_output


def write_inputs(clip: ReferenceClip, folder: Path, size: int, head: np.ndarray | None = None) -> dict[str, Any]:
    """Write one clip's files: ``<CLIP>.png``, ``<CLIP>.wav``, ``<CLIP>.pose.csv`` where a pose is given and, last, ``<CLIP>.json``.

    Args:
        clip: The clip.
        folder: Folder of the files.
        size: Pixels of the square portrait, and of the frames to be made.
        head: (T, 6) the head's true pose, as `true_head` gives it; None where methods may not use it.

    Returns:
        The contents of ``<CLIP>.json``: names of the files, label, text, length, and the plan.

    Raises:
        InputError: If the clip's files cannot be read.
    """
    frames, plan = clip.frames(), clip.plan()
    _write_picture(folder / f"{clip.id}.png", clip.face(size).image)
    _write_sound(folder / f"{clip.id}.wav", clip.audio())
    if head is not None:
        _write_pose(folder / f"{clip.id}.pose.csv", head)
    about = {
        "clip": clip.id,
        "portrait": f"{clip.id}.png",
        "audio": f"{clip.id}.wav",
        "pose": None if head is None else f"{clip.id}.pose.csv",
        "emotion": clip.emotion,
        "level": clip.level,
        "text": plan.text or clip.emotion or "neutral",
        "frames": frames,
        "seconds": round(frames / FPS, 3),
        "rate": FPS,
        "size": size,
        "prediction": f"{clip.id}.mp4",
        "plan": json.loads(plan.to_json()),
    }
    with atomic_output(folder / f"{clip.id}.json") as temporary:
        temporary.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return about


def true_head(clip: ReferenceClip, size: int) -> np.ndarray:
    """Read the head's true pose of a clip; it is tracked where it is not known.

    Args:
        clip: The clip.
        size: Pixels of the square frames that are tracked.

    Returns:
        (T, 6) columns as `tbd.face.channels.HEAD`.

    Raises:
        InputError: If the pose is not known and there are no frames to track.
    """
    from tbd.evaluation.clip_decoding import decode_clip

    motion = clip.motion()
    if motion is None:
        frames = clip.video(size)
        if frames is None:
            raise InputError(f"There are no true frames of {clip.id}, so that its head's pose is not known.")
        motion = decode_clip(frames, {}, track=True, source=f"the true clip {clip.id}").motion
    assert motion is not None, "a clip that is tracked has a motion"
    return motion.head


def _write_picture(path: Path, image: np.ndarray) -> None:
    from PIL import Image

    with atomic_output(path) as temporary:
        Image.fromarray(image).save(temporary)


def _write_sound(path: Path, audio: np.ndarray) -> None:
    with atomic_output(path) as temporary:
        write_wave(temporary, audio)


def _write_pose(path: Path, head: np.ndarray) -> None:
    with atomic_output(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("time", *HEAD))
        writer.writerows([f"{i / FPS:.2f}", *(f"{value:.7g}" for value in row)] for i, row in enumerate(head))
