"""Do asked muscles move, and are the three scales separate?

Protocol ``control-4``. One window is drawn for every unit at intensities 0.2 … 1.0 (batched, one seed), and the intensity
found in the motion is compared with the one asked: Spearman's rank correlation per unit. Then each of the three scales is
raised by half, and the other two's figures are read again: the muscles' mean gain (found over asked), the voice's articulation
(standard deviation of jawOpen), the feeling's colour (root mean square of what an emotion changes while its muscles stay). The
last two are read over all recordings and several seeds, and the colour at three intensities of the feeling: strong muscles,
scaled up, leave a feeling less room in the channels that both of them move, weak ones more.

    python -m benchmarks.control --output out.json
    python -m benchmarks.control MORE.wav … --output out.json     # the first is the one that the units are measured with
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from benchmarks.common import environment, prototype_plan, run, table, write_results
from tbd import MOTION_MODEL
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.export import load_motion_model
from tbd.draw.guidance.progressive import ProgressiveGuidance
from tbd.draw.motion.diffusion import MotionDiffusion
from tbd.draw.sampling import AudioWindows
from tbd.face.channels import CHANNELS, INDEX
from tbd.media.wav import read_wave
from tbd.think.action_units import ACTION_UNITS
from tbd.think.emotions import EMOTIONS
from tbd.think.facs import measure
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.utils.sample_inputs import VOICE

LEVELS = (0.2, 0.4, 0.6, 0.8, 1.0)
FEELINGS = (0.3, 0.5, 1.0)
"""Intensities at which a feeling's colour is read."""
RAISED = 1.5
FOLLOWS = 0.95
"""Spearman's correlation from which a unit is said to follow."""


def draw_many(
    model: MotionDiffusion, audio: np.ndarray, plans: Sequence[MusclePlan], guidance: ProgressiveGuidance, seed: int = 0, size: int = 50
) -> np.ndarray:
    """(plans, T, 58) motion of one window under many plans, all from the same noise."""
    frames, out = model.window_frames, []
    sound, phones = AudioWindows(audio, model.audio_encoder).window(0, frames, model.device)
    for first in range(0, len(plans), size):
        batch = PlanTensors.collate(plans[first : first + size]).to(model.device)
        n = len(batch.unit)
        # one noise for all: a plan's effect is what differs between two rows
        noise = torch.randn(1, frames, len(CHANNELS), generator=torch.Generator().manual_seed(seed)).expand(n, -1, -1)
        speech, phone_rows = sound.expand(n, -1), None if phones is None else phones.expand(n, -1)
        out.append(model.sample_window(speech, batch, guidance=guidance, noise=noise, phones=phone_rows).cpu().numpy())
    return np.concatenate(out)


def unit_plans(emotion: str = "neutral", intensity: float = 0.0) -> list[tuple[int, str, float, MusclePlan]]:
    """Every unit alone at every level."""
    rows = []
    for number, unit in ACTION_UNITS.items():
        side = "both" if "both" in unit.sides else "left"
        for level in LEVELS:
            action = MuscleAction(unit=number, side=side, intensity=level)
            rows.append((number, side, level, MusclePlan(emotions={emotion: 1.0}, intensity=intensity, actions=(action,))))
    return rows


def muscles(model: MotionDiffusion, audio: np.ndarray, guidance: ProgressiveGuidance) -> dict[int, dict[str, float]]:
    """Unit → Spearman and gain of found over asked intensity."""
    rows = unit_plans()
    motion = draw_many(model, audio, [row[3] for row in rows], guidance)
    report = {}
    for number in ACTION_UNITS:
        own = [(level, float(measure(motion[i], n, side).mean())) for i, (n, side, level, _) in enumerate(rows) if n == number]
        asked, found = np.array(own).T
        rank = spearmanr(asked, found).statistic if found.std() > 1e-6 else 0.0
        report[number] = {"spearman": float(rank), "gain": float(np.polyfit(asked, found, 1)[0]), "at_full": float(found[-1])}
    return report


def draw_all(
    model: MotionDiffusion, recordings: Sequence[np.ndarray], plans: Sequence[MusclePlan], guidance: ProgressiveGuidance, seeds: int
) -> np.ndarray:
    """(recordings · seeds, plans, T, 58) motion."""
    return np.stack([draw_many(model, audio, plans, guidance, seed) for audio in recordings for seed in range(seeds)])


def articulation(model: MotionDiffusion, recordings: Sequence[np.ndarray], guidance: ProgressiveGuidance, seeds: int) -> float:
    """Standard deviation of jawOpen while a neutral face speaks, mean over recordings and seeds."""
    return float(draw_all(model, recordings, [MusclePlan()], guidance, seeds)[:, 0, :, INDEX["jawOpen"]].std(1).mean())


def colour(model: MotionDiffusion, recordings: Sequence[np.ndarray], guidance: ProgressiveGuidance, intensity: float, seeds: int) -> float:
    """Root mean square, over emotions, channels, recordings and seeds, of what a feeling changes with its muscles held the same,
    in standard deviations: the gaze, the head, the way of speaking."""
    felt = [prototype_plan(emotion, intensity) for emotion in EMOTIONS if emotion != "neutral"]
    posed = [MusclePlan(actions=plan.actions) for plan in felt]
    motion = draw_all(model, recordings, felt + posed, guidance, seeds).mean(2) / model.std.cpu().numpy()
    return float(np.sqrt(np.square(motion[:, : len(felt)] - motion[:, len(felt) :]).mean()))


def scales(
    model: MotionDiffusion, recordings: Sequence[np.ndarray], own_units: dict[int, dict[str, float]], seeds: int
) -> dict[str, dict[str, float]]:
    """The figures with the model's own scales (``none``, whose `own_units` are known) and with each raised alone."""
    figures = {}
    own = model.guidance
    for name in ("none", "emotion", "muscle", "audio"):
        guidance = own if name == "none" else own.scaled(**{f"{name}_scale": RAISED * getattr(own, f"{name}_scale")})
        units = own_units if name == "none" else muscles(model, recordings[0], guidance)
        gains = [row["gain"] for row in units.values()]
        figures[name] = {
            **{f"feeling at {intensity:g}": colour(model, recordings, guidance, intensity, seeds) for intensity in FEELINGS},
            "muscles": float(np.mean(gains)),
            "articulation": articulation(model, recordings, guidance, seeds),
        }
    return figures


def control(recordings: Sequence[Path], model: str = MOTION_MODEL, seeds: int = 3, device: str = "cpu", output: Path | None = None) -> None:
    """Measure how a motion model obeys.

    Args:
        recordings: 16 kHz mono speech; the sample voice where none is given.
        model: packaged name, folder, or hub repository of a motion model.
        seeds: drawings that a feeling's colour and the articulation are read over.
        device: where to draw.
        output: a .json file for the results; tables go beside it as .md.
    """
    drawer, sounds = load_motion_model(model).to(device), [read_wave(Path(recording)) for recording in recordings]
    units = muscles(drawer, sounds[0], drawer.guidance)
    figures = scales(drawer, sounds, units, seeds)
    changes = {name: {k: v / figures["none"][k] - 1 for k, v in row.items()} for name, row in figures.items() if name != "none"}
    results = {
        "protocol": "control-4",
        "recordings": len(sounds),
        "seeds": seeds,
        "environment": environment(),
        "units": units,
        "figures": figures,
        "changes": changes,
    }
    write_results(output, results, report(results))


def report(results: dict[str, Any]) -> str:
    """The results as markdown."""
    units = sorted(results["units"].items(), key=lambda item: item[1]["spearman"])
    follow = sum(row["spearman"] >= FOLLOWS for _, row in units)
    rows = [[f"AU{number} {ACTION_UNITS[number].name}", *row.values()] for number, row in units]
    changed = [
        [f"{name} scale × {RAISED:g}", *(f"{round(value, 3) + 0.0:+.1%}" for value in row.values())]
        for name, row in results["changes"].items()
    ]
    parts = [
        f"## {results['protocol']}",
        f"Recordings: {results['recordings']}, {results['seeds']} seeds each.",
        table(["", *results["figures"]["none"]], changed),
    ]
    parts += [f"{follow} of {len(units)} units follow at Spearman {FOLLOWS} or more.", table(["unit", "Spearman", "gain", "at full"], rows)]
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(control, many="recordings", default=(str(VOICE),))
