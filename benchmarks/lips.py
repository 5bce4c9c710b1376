"""Do lips close on b, p and m? Held-out procedural clips are drawn from their sound and plan, and the lip gap is measured.

Protocol ``lips-1``. A bilabial counts as closed where the gap between the inner lips falls under 10 % of its clip's 95th
percentile, within the sound's own frames and one on either side. The gap is measured on our rig's mesh of a mean face.

    python -m benchmarks.lips --corpus CORPUS --output out.json
"""

from pathlib import Path

import numpy as np

from benchmarks.common import environment, run, table, write_results
from tbd import MOTION_MODEL
from tbd.data.datamodules.procedural import read_manifest
from tbd.data.synthetic.visemes import bilabial_times
from tbd.draw.motion.loading import load_motion_model
from tbd.face.motion import Motion
from tbd.media.wav import read_wave
from tbd.metrics.plan_following import CLOSED, closures, lip_gap
from tbd.speech.phones import load_phones
from tbd.think.plan import MusclePlan


def lips(corpus: Path, model: str = MOTION_MODEL, clips: int = 60, split: str = "test", output: Path | None = None) -> None:
    """Measure a motion model's closures.

    Args:
        corpus: a folder that `tbd synthesize` wrote.
        model: packaged name, folder, or hub repository of a motion model.
        clips: how many, spread evenly over the split.
        split: val or test, whose speakers and sentences training has not seen.
        output: a .json file for the results; a table goes beside it as .md.
    """
    drawer = load_motion_model(model)
    found: dict[str, list[np.ndarray]] = {"drawn": [], "corpus": []}
    rows = [row for row in read_manifest(corpus) if row["split"] == split]
    for row in rows[:: max(len(rows) // clips, 1)][:clips]:
        plan, bilabials = MusclePlan.load(corpus / row["plan"]), bilabial_times(load_phones(corpus / row["phonemes"]))
        drawn = np.concatenate([piece.values for piece in drawer.generate(read_wave(corpus / row["audio"]), plan)])
        for name, values in (("drawn", drawn), ("corpus", Motion.load(corpus / row["motion"]).values)):
            found[name].append(closures(lip_gap(values), bilabials))
    ratios = {name: np.concatenate(parts) for name, parts in found.items()}
    summary = {
        name: {"closed": float((r < CLOSED).mean()), "median_gap": float(np.median(r)), "bilabials": len(r)} for name, r in ratios.items()
    }
    report = table(["lips", "closed", "median gap", "bilabials"], [[name, *row.values()] for name, row in summary.items()])
    write_results(
        output, {"protocol": "lips-1", "environment": environment(), "split": split, "clips": len(found["drawn"]), **summary}, report
    )


if __name__ == "__main__":
    run(lips, many=None)
