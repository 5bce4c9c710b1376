"""What the benchmark of faster drawing measures, on a tiny model."""

import pytest

from benchmarks.video_acceleration import SLOW, WAYS, Judge, Way, markdown
from tbd.draw.video.sampling_options import FeatureReuse
from tests.draw.tiny_video import clip, tiny_video_model, wake


def test_a_way_is_measured_against_the_slow_one_the_converged_one_and_the_true_frames():
    clips = [clip(1, frames=6), clip(2, frames=6)]
    slow, converged = Way(4), Way(16)
    judge = Judge(wake(tiny_video_model()), clips, clips, 2, 2.0, slow, converged)
    found = {way: judge.measure(way) for way in (slow, converged, Way(2), Way(4, reuse=FeatureReuse(2)), Way(4, interval=(0.0, 0.3)))}
    assert found[slow]["to the slow"] == 0 and found[converged]["to converged"] == 0
    assert found[slow]["to converged"] == pytest.approx(found[converged]["to the slow"], rel=0.2) and found[slow]["to converged"] > 0
    for way in list(found)[2:]:
        assert found[way]["to the slow"] > 0 and 0 < found[way]["error"] < 255
    assert found[Way(2)]["to converged"] > found[slow]["to converged"]


def test_every_way_has_a_row_of_its_own_name():
    assert len({str(way) for way in WAYS}) == len(WAYS)
    rows = {str(way): {"per_second_of_video_s": 10.0 if way == SLOW else 4.0} for way in WAYS}
    page = markdown({"rows": rows, "about": {"windows": 2}})
    assert "| UniPC, 20 steps, deep layers every 2, 1 at each |" in page and "2.50 ×" in page
