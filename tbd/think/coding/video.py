"""`plan_from_video`: a filmed performance becomes the plan that it carries out."""

import os
from collections.abc import Iterable

import numpy as np

from tbd.errors import InputError
from tbd.face.channels import BLENDSHAPES
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE
from tbd.face.tracker import FaceMeshTracker, Tracker
from tbd.media import read_audio, read_still_or_video, read_video
from tbd.media.rates import FPS, SAMPLE_RATE
from tbd.speech.activity import speech_activity
from tbd.think.coding.coder import plan_from_motion
from tbd.think.coding.rest import resting_face
from tbd.think.coding.visibility import find_unseen
from tbd.think.coding.visible_speech import visible_speech
from tbd.think.plan import MusclePlan

_SHORTEST = 12
"""Frames below which there is no telling an expression from a face at rest."""


def plan_from_video(
    video: str | os.PathLike,
    tracker: Tracker | None = None,
    neutral: str | os.PathLike | None = None,
    start: float = 0.0,
    end: float | None = None,
) -> MusclePlan:
    """Track a face, listen when it speaks, and write down what its muscles do.

    Args:
        video: A recording of one face.
        tracker: Follows the face; `FaceMeshTracker` by default.
        neutral: A picture or video of the same person at rest. Without it the resting face is what the clip always shows.
        start: Seconds of the video at which to begin.
        end: Seconds at which to stop; the video's own end where not given.

    Returns:
        The plan, whose notes say what could not be seen.

    Raises:
        InputError: If the video cannot be read or shows no face, or for less than half a second.
    """
    tracker = tracker or FaceMeshTracker()
    at_rest = None if neutral is None else tracker.neutral_face(read_still_or_video(neutral), str(neutral))
    motion = tracker.track(read_video(video, start, end), str(video), at_rest)
    if len(motion) < _SHORTEST:
        raise InputError(f"{video} shows a face for {len(motion) / FPS:.2f} s; a plan is read from half a second or more.")
    notes = list(_doubts(motion))
    speaking = _speaking(video, motion, start, notes)
    own = resting_face(motion.values)
    if at_rest is not None:  # its coefficients are relative to the person at rest already
        own[: len(BLENDSHAPES)] = 0
    plan = plan_from_motion(motion, speaking, own, f"(what {os.path.basename(video)} shows)", find_unseen(motion))
    return plan.model_copy(update={"notes": (*notes, *plan.notes)})


def _speaking(video: str | os.PathLike, motion: Motion, start: float, notes: list[str]) -> np.ndarray:
    """(T,) where somebody speaks, as it is heard; as it is seen in a video without sound."""
    try:
        audio = read_audio(video)[round(start * SAMPLE_RATE) :]
    except InputError:
        notes.append("The video has no sound: where the jaw moves as in talking the mouth is taken to speak, elsewhere for an expression.")
        return visible_speech(motion)
    return speech_activity(audio, len(motion))


def _doubts(motion: Motion) -> Iterable[str]:
    if motion.metadata.get("neutral") == AVERAGE:
        yield "No neutral picture was given: what the face shows from end to end is estimated from its shape, and may be off by a degree."
    if motion.metadata.get("faces_seen", 1) > 1:
        yield f"{motion.metadata['faces_seen']} faces are seen; the largest at the start is followed."
    if "cuts" in motion.metadata:
        yield "The video cuts: the head's turns in each shot are relative to the shot's own pose."
