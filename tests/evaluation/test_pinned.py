"""The numbers behind procedural-v2 stay where they are.

A protocol's hash covers its recipe, not the arithmetic of the metrics' code. Where one of these numbers moves on purpose,
raise the version of every protocol that uses the metric, so that old rows and new ones are never in one table.
"""

import numpy as np
import pytest

from tbd.evaluation.metric_runner import build_metric
from tbd.evaluation.predictors import LoudnessJaw
from tbd.evaluation.protocol import load_protocol
from tbd.evaluation.references.procedural import ProceduralReference
from tbd.face.motion import Motion
from tbd.face.motion_landmarks import landmarks_from_motion
from tbd.think.facs import perform

PINNED = {
    "aperture": 0.620339,
    "m-lmd": 3.20404,
    "f-lmd": 1.99922,
    "au-fidelity": 0.739102,
    "fmd": 0.238437,
    "separation": 0.00401953,
    "silence": 0.584495,
    "blinks": 10.6383,
    "head": 1.01865,
    "jerk": 140.575,
    "seams": 0.219602,
    "psnr": 15.2182,
    "ssim": 0.784501,
    "sharpness": 0.89882,
}


@pytest.fixture(scope="module")
def fields():
    """What metrics read of one clip and its truth; frames are noise that never changes."""
    clip = ProceduralReference().clips()[0]
    truth = clip.motion()
    drawn = Motion(np.roll(truth.values, 3, 0))  # all of it three frames late, the jaw otherwise
    drawn["jawOpen"] = LoudnessJaw().generate_motion(clip, 0)[0]["jawOpen"]
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 3, 64, 64), dtype=np.uint8)
    found = {"preds.motion": drawn.values, "target.motion": truth.values, "target.plan_motion": perform(clip.plan(), clip.frames())}
    found |= {"preds.points": landmarks_from_motion(drawn), "target.points": landmarks_from_motion(truth), "preds.audio": clip.audio()}
    found |= {"preds.seams": [40, 90], "target.emotion": 1, "preds.frames": frames, "target.frames": frames // 2 + 40}
    return found


@pytest.mark.parametrize("name", [entry.name for entry in load_protocol("procedural-v2").metrics])
def test_a_metric_gives_the_number_it_gave(name, fields):
    metric = build_metric(load_protocol("procedural-v2").entry(name))
    metric.update(*(fields[field] for field in metric.reads))
    if name == "separation":  # of two emotions
        metric.update(fields["target.motion"], 2)
    assert float(metric.compute()) == pytest.approx(PINNED[name], rel=1e-4)
