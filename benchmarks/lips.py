"""Do lips close on p, b and m? Held-out procedural clips are drawn from their sound and plan, and the lip gap is measured.

A bilabial counts as closed where the gap between the inner lips falls under 10 % of its clip's 95th percentile, within the
sound's own frames and one on either side. The gap is measured on our rig's mesh of a mean face.

    python -m benchmarks.lips CORPUS [--model FOLDER] [--clips 60] [--split val]
"""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.real_speech import read_wave
from tbd.data.phones import load_phones
from tbd.data.procedural import read_manifest
from tbd.data.visemes import BILABIALS, base_symbols
from tbd.draw.pretrained import load_motion_model
from tbd.face.geometry import mean_face
from tbd.face.motion import FPS, Motion
from tbd.face.rig import Rig, inner_lip_gap
from tbd.think.plan import MusclePlan


def closures(gap: np.ndarray, phones, share: float = 0.1) -> np.ndarray:
    """Per bilabial, the least gap around it over the clip's 95th percentile; `gap` is (T,)."""
    reference = max(float(np.percentile(gap, 95)), 1e-6)
    found = []
    for phone in phones:
        if BILABIALS & set(base_symbols(phone.symbol)):
            first, last = int(phone.start * FPS) - 1, int(np.ceil(phone.end * FPS)) + 1
            found.append(gap[max(first, 0) : last + 1].min() / reference if first < len(gap) else 1.0)
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--model", default="motion_mini")
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--split", default="val")
    options = parser.parse_args()
    model, rig = load_motion_model(options.model), Rig(mean_face())
    drawn, true = [], []
    rows = [row for row in read_manifest(options.corpus) if row["split"] == options.split]
    for row in rows[:: max(len(rows) // options.clips, 1)][: options.clips]:
        audio = read_wave(options.corpus / row["audio"])
        plan, phones = MusclePlan.load(options.corpus / row["plan"]), load_phones(options.corpus / row["phonemes"])
        motion = np.concatenate([piece.values for piece in model.draw(audio, plan)])
        for values, found in ((motion, drawn), (Motion.load(options.corpus / row["motion"]).values, true)):
            found.append(closures(inner_lip_gap(mean_face() + rig.displace(values[:, :52])), phones))
    report = {name: float((np.concatenate(found) < 0.1).mean()) for name, found in (("drawn", drawn), ("corpus", true))}
    print(json.dumps({"bilabials": int(sum(map(len, drawn))), "clips": len(drawn), "closed": report}, indent=2))


if __name__ == "__main__":
    main()
