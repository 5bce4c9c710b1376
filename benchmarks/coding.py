"""Is a performance written down as the plan that it carries out?

Protocol ``coding-1``. ``random``: plans of four random units (any side, 0.3 to 1; a third from the start, a third with an onset, a third
with an offset as well) are performed under random syllables with pauses, blinks, gaze, nods and brow accents
(`tbd.data.synthetic.performance`), and coded back. F1 over (clip, unit), over (clip, unit, side), and the error of onsets of the units
found. ``film``: tracked motions of filmed faces (a cache of ``tbd preprocess``) are coded, and the plan performed again; r over time
between the two over brows, cheeks and tension of the lids, frames of blinks left out, each channel without its mean.

    python -m benchmarks.coding --output out.json [--plans 100] [--seed 0] [--cache FOLDER --tracker face_landmarker]
"""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment, run, table, write_results
from tbd.data.synthetic.performance import synthesize_motion
from tbd.face.channels import BLENDSHAPES, INDEX
from tbd.face.motion import Motion
from tbd.media import read_audio
from tbd.speech.activity import speech_activity
from tbd.think.coding.cleaning import find_blinks
from tbd.think.coding.coder import plan_from_motion
from tbd.think.coding.rest import resting_face
from tbd.think.facs import perform
from tests.think.coding.performances import random_plan, speak

UPPER = [INDEX[name] for name in BLENDSHAPES if name.startswith(("brow", "cheek", "eyeSquint", "eyeWide"))]
_MOVES = 0.1
"""Root mean square over time of the upper face's motion from which a clip has any."""


def random_plans(plans: int, seed: int) -> dict[str, Any]:
    """Code random plans back from their performances."""
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    late, off, seconds = [], [], []
    for _ in range(plans):
        phones, audio, speaking = speak(rng)
        plan = random_plan(rng)
        motion = synthesize_motion(phones, audio, plan, rng)
        started = time.perf_counter()
        coded = plan_from_motion(motion, speaking)
        seconds.append(time.perf_counter() - started)
        for name, wanted, got in (
            ("unit", {a.unit for a in plan.actions}, {a.unit for a in coded.actions}),
            ("side", {(a.unit, a.side) for a in plan.actions}, {(a.unit, a.side) for a in coded.actions}),
        ):
            counts.update({f"{name} hits": len(wanted & got), f"{name} missed": len(wanted - got), f"{name} wrong": len(got - wanted)})
        for action in plan.actions:
            same = [a for a in coded.actions if a.unit == action.unit]
            if same and action.onset is not None:
                late.append(min((a.onset or 0.0) - action.onset for a in same))
            if same:
                off.append(max(a.intensity for a in same) - action.intensity)
    return {
        "plans": plans,
        "F1 of units": _f1(counts, "unit"),
        "F1 of units and sides": _f1(counts, "side"),
        "onsets": len(late),
        "onsets within 0.2 s": float(np.mean(np.abs(late) <= 0.2)),
        "median onset error, s": float(np.median(np.abs(late))),
        "mean intensity error": float(np.mean(np.abs(off))),
        "seconds a clip": float(np.mean(seconds)),
    }


def _f1(counts: Counter[str], name: str) -> float:
    hits = counts[f"{name} hits"]
    return 2 * hits / (2 * hits + counts[f"{name} missed"] + counts[f"{name} wrong"])


def filmed_clips(cache: Path, tracker: str) -> dict[str, Any]:
    """Code tracked film, and see how much of the upper face's motion the plan explains."""
    found = []
    for path in sorted((cache / "motion").glob(f"{tracker}*/**/*.npz")):
        values = Motion.load(path).values
        relative = path.relative_to(cache / "motion")
        sound = cache / "audio" / Path(*relative.parts[1:]).with_suffix(".wav")
        speaking = speech_activity(read_audio(sound), len(values)) if sound.exists() else np.zeros(len(values), bool)
        if len(values) < 50:
            continue
        plan = plan_from_motion(values, speaking, resting_face(values))
        blinks = find_blinks(values[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]].min(1))
        seen, made = (v[~blinks][:, UPPER] - v[~blinks][:, UPPER].mean(0) for v in (values, perform(plan, len(values))))
        size = float(np.sqrt((seen**2).sum(1).mean()))
        r = float((seen * made).sum() / np.sqrt((seen**2).sum() * (made**2).sum() + 1e-12))
        found.append({"clip": path.stem, "r": r, "size": size, "actions": len(plan.actions), "seconds": len(values) / 25})
    moving = [row["r"] for row in found if row["size"] >= _MOVES]
    return {
        "clips": len(found),
        "with motion": len(moving),
        "median r": float(np.median(moving)),
        "share of r >= 0.7": float(np.mean(np.array(moving) >= 0.7)),
        "actions a second": float(np.mean([row["actions"] / row["seconds"] for row in found])),
        "each": found,
    }


def code(output: str | None = None, plans: int = 100, seed: int = 0, cache: str | None = None, tracker: str = "face_landmarker") -> None:
    """Measure and write.

    Args:
        output: The JSON file to write; none where not given.
        plans: How many random plans.
        seed: Of the plans and performances.
        cache: A cache of ``tbd preprocess`` with tracked film.
        tracker: The start of the folder's name of its motions.
    """
    results: dict[str, Any] = {"protocol": "coding-1", "environment": environment(), "random": random_plans(plans, seed)}
    if cache is not None:
        results["film"] = filmed_clips(Path(cache), tracker)
    rows = [(f"{part}: {k}", v) for part in ("random", "film") for k, v in results.get(part, {}).items() if k != "each"]
    write_results(output, results, table(("figure", "value"), rows))


if __name__ == "__main__":
    run(code, many=None)
