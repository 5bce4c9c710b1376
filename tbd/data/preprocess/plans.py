"""`measure_plan`: one prepared clip's plan, measured from its own motion against its person at rest."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from tbd.data.measured_plans import MeasuredPlan
from tbd.data.preprocess.cache import Cache
from tbd.data.records import ClipRecord
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.motion import Motion
from tbd.face.neutral import AVERAGE
from tbd.media.rates import FPS
from tbd.media.wav import read_wave
from tbd.speech.activity import speech_activity
from tbd.think.action_units import ACTION_UNITS
from tbd.think.coding.cleaning import find_blinks
from tbd.think.coding.coder import plan_from_motion
from tbd.think.coding.rest import calm_face, resting_face, resting_face_of_person
from tbd.think.coding.visibility import find_unseen, unseen_seconds, visible_channels
from tbd.think.coding.visible_speech import visible_speech
from tbd.think.facs import perform
from tbd.think.plan import MusclePlan
from tbd.utils.checksum import checksum
from tbd.utils.tracks import runs

RestSource = Literal["person", "clip"]

VERSION = "measured-plans-1"
"""Names the method; to be changed with whatever changes its plans."""
_SHORTEST = 12
"""Frames below which there is no telling an expression from a face at rest."""
_HELD = 0.15
"""Intensity of the strongest unit above which a face is not at rest."""
_UPPER = [INDEX[name] for name in BLENDSHAPES if name.startswith(("brow", "cheek", "eyeSquint", "eyeWide"))]
_MOVES = 0.1
"""Root mean square over time of the upper face's motion from which a clip has any to explain."""


@dataclass(frozen=True)
class PlanRecipe:
    """How plans are measured: what is the same for all clips of a cache.

    Args:
        tracker: Folder of the motions that they are measured from.
        rest: Whether a person's resting face comes from all of their clips, or from each clip alone.
        captions: What words the plans.
        version: Of the method.

    Example:
        >>> len(PlanRecipe("face_mesh@mediapipe-0.10.21-absolute").key)
        64
    """

    tracker: str
    rest: RestSource = "person"
    captions: str = "verbalize"
    version: str = VERSION

    @property
    def key(self) -> str:
        """Checksum of all but the captions."""
        return checksum({**asdict(self), "captions": ""})


@dataclass(frozen=True)
class Rest:
    """A person's resting face.

    Args:
        face: (52,) coefficients; None where the clip itself is all there is.
        source: What it was estimated from, in words.
    """

    face: np.ndarray | None
    source: str


def measure_plan(record: ClipRecord, cache: Cache, recipe: PlanRecipe, rest: Rest) -> MeasuredPlan:
    """Measure the plan of one clip.

    Args:
        record: A clip that is ready.
        cache: Its cache.
        recipe: How.
        rest: Its person at rest.

    Returns:
        The plan; without one, and with the reason, where too little is seen.
    """
    motion = Motion.load(cache.path(record.motions[recipe.tracker]))
    measured = MeasuredPlan(clip=record.clip, recipe=recipe.key, rest_from=rest.source, captions=recipe.captions)
    if len(motion) < _SHORTEST:
        return measured.model_copy(update={"reason": f"the clip lasts {motion.duration:.2f} s, too short to tell an expression from rest"})
    unseen = tuple(find_unseen(motion))
    if unseen_seconds(unseen, "face", len(motion)) > motion.duration / 2:
        return measured.model_copy(update={"unseen": unseen, "reason": "the face is hidden for more than half of the clip"})
    speaking = speech_activity(read_wave(cache.path(record.audio)), len(motion)) if record.audio else visible_speech(motion)
    face = _rest_of(motion, rest)
    plan = plan_from_motion(motion, speaking, face, f"(what {record.clip} shows)", unseen)
    plan = plan.model_copy(update={"notes": (*_doubts(record, motion), *_never_at_rest(plan, len(motion), rest), *plan.notes)})
    return measured.model_copy(
        update={
            "plan": plan,
            "rest": {name: round(float(face[i]), 3) for i, name in enumerate(BLENDSHAPES) if face[i] >= 5e-4},
            "speech": tuple((first / FPS, last / FPS) for first, last in runs(speaking)),
            "unseen": unseen,
            "explained": explained(motion, plan, visible_channels(unseen, len(motion), sides=True)),
        }
    )


def _rest_of(motion: Motion, rest: Rest) -> np.ndarray:
    """(58,) the person's face at rest, and the clip's own resting pose."""
    own = resting_face(motion.values)
    return own if rest.face is None else np.concatenate([rest.face, own[len(BLENDSHAPES) :]])


def _doubts(record: ClipRecord, motion: Motion) -> Iterator[str]:
    if not record.audio:
        yield "The clip has no sound: where the jaw moves as in talking the mouth is taken to speak, elsewhere for an expression."
    if record.frames_without_face and "lost" not in motion.metadata:
        yield f"{record.frames_without_face} frames show no face, and which is not recorded: the clip was prepared by another version."
    if motion.metadata.get("faces_seen", 1) > 1:
        yield f"{motion.metadata['faces_seen']} faces are in the picture; the largest is followed."


def _never_at_rest(plan: MusclePlan, frames: int, rest: Rest) -> Iterator[str]:
    """What a clip shows throughout may be the person's features, unless other clips show them without it."""
    faces = [action for action in plan.actions if ACTION_UNITS[action.unit].region != "head"]
    if rest.face is None and faces:
        levels = np.max([action.envelope(np.arange(frames) / FPS) for action in faces], axis=0)
        if levels.min() >= _HELD:
            yield (
                f"No frame of these {frames / FPS:.0f} s shows the face at rest, so what it does throughout is told from its features by "
                "how people differ at rest, and may be off."
            )


def explained(motion: Motion, plan: MusclePlan, visible: np.ndarray) -> float | None:
    """Measure how much of a motion its plan explains.

    Args:
        motion: What was filmed.
        plan: Its plan.
        visible: (T, 58) bool, what can be seen.

    Returns:
        Correlation over time between the brows, cheeks and lids of both, each channel without its mean, frames of blinks and what is not
        seen left out; None where they do not move.
    """
    values = motion.values.astype(np.float64)
    usable = visible[:, _UPPER] & ~find_blinks(values[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].min(1))[:, None]
    count = np.maximum(usable.sum(0), 1)
    seen, made = (np.where(usable, part - (part * usable).sum(0) / count, 0.0) for part in
                  (values[:, _UPPER], perform(plan, len(values))[:, _UPPER].astype(np.float64)))  # fmt: skip
    frames = int(usable.any(1).sum())
    if frames < FPS or np.sqrt((seen**2).sum() / frames) < _MOVES:
        return None
    return round(float((seen * made).sum() / np.sqrt((seen**2).sum() * (made**2).sum() + 1e-12)), 3)


def rests_of(records: Sequence[ClipRecord], cache: Cache, recipe: PlanRecipe) -> dict[str, Rest]:
    """Estimate the resting face of each clip's person, over all clips of that person.

    Args:
        records: The clips that are ready.
        cache: Their cache.
        recipe: How plans are measured.

    Returns:
        Clip → rest.
    """
    clips: dict[str, list[ClipRecord]] = defaultdict(list)
    rests = {}
    for record in records:
        if not record.neutral.startswith(AVERAGE):
            rests[record.clip] = Rest(np.zeros(len(BLENDSHAPES)), f"{record.neutral}, from which coefficients are measured")
        else:
            clips[record.person].append(record)
    for own in clips.values():
        neutral = [record for record in own if record.emotion == "neutral"]
        used = neutral or own
        alone = recipe.rest == "clip" or len(own) == 1
        rest = Rest(None, "the clip's own least") if alone else _person_at_rest(used, cache, recipe, bool(neutral))
        rests.update({record.clip: rest for record in own})
    return rests


def _person_at_rest(records: Sequence[ClipRecord], cache: Cache, recipe: PlanRecipe, neutral: bool) -> Rest:
    faces = []
    for record in records:
        motion = Motion.load(cache.path(record.motions[recipe.tracker]))
        visible = visible_channels(find_unseen(motion), len(motion))[:, INDEX["jawOpen"]]
        faces.append(calm_face(motion.values, visible))
    kind = "neutral clips" if neutral else "clips"
    face = np.round(resting_face_of_person(faces, neutral), 4)
    return Rest(face, f"calm frames of {len(records)} {kind} of the person ({checksum(face.tolist())[:8]})")
