"""A plan refuses what no face can do, in one sentence, and survives the way to a file and back."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from tbd.errors import InputError
from tbd.think.plan import MuscleAction, MusclePlan, Segment, Step


def full_plan() -> MusclePlan:
    return MusclePlan(
        text="fights back tears, then smiles",
        reasoning=(Step(title="Feeling", text="sadness, held back"),),
        emotions={"sad": 0.7, "happy": 0.3},
        intensity=0.6,
        actions=(MuscleAction(unit=1, intensity=0.7, offset=2.0), MuscleAction(unit=12, side="left", intensity=1 / 3, onset=2.0)),
        segments=(Segment(end=2, emotions={"sad": 1}, intensity=0.6), Segment(start=2, emotions={"happy": 1}, intensity=0.4)),
        description="tears, then a smile",
        regions={"upper": "inner brows up"},
        notes=("a note",),
    )


@pytest.mark.parametrize("plan", [MusclePlan(), full_plan(), MusclePlan(emotions={"sad": 1, "happy": 1, "fear": 1})])
def test_json_round_trip_is_exact(plan, tmp_path):
    plan.save(tmp_path / "plan.json")
    assert MusclePlan.load(tmp_path / "plan.json") == plan


BAD = [
    ({"actions": [{"unit": 3, "intensity": 1}]}, r"actions\[0\]\.unit: AU3 is no action unit .* AU2 .* AU4"),
    ({"actions": [{"unit": 26, "side": "left", "intensity": 1}]}, 'AU26 .*give side "both"'),
    ({"actions": [{"unit": 46, "intensity": 1}]}, 'AU46 .*give side "left" or "right"'),
    ({"actions": [{"unit": 12, "intensity": 3}]}, r"actions\[0\]\.intensity is 3; it should be at most 1"),
    ({"actions": [{"unit": 12, "intensity": -1}]}, "should be at least 0"),
    ({"actions": [{"unit": 12}]}, r"actions\[0\]\.intensity is missing"),
    ({"actions": [{"unit": 4, "intensity": 1, "onset": 2, "apex": 1}]}, "onset at 2 s after its apex at 1 s"),
    ({"actions": [{"unit": 4, "intensity": 1, "apex": 2, "offset": 1}]}, "apex at 2 s after its offset at 1 s"),
    ({"emotions": {"joy": 1}}, "'joy'; it should be 'angry'"),
    ({"emotions": {"happy": -1}}, "weight of happy is -1"),
    ({"emotions": {}}, "at least one weight above 0"),
    ({"segments": [{"start": 2, "end": 1, "emotions": {"sad": 1}, "intensity": 1}]}, "has no length"),
    ({"segments": [{"start": s, "emotions": {"sad": 1}, "intensity": 1} for s in (2, 1)]}, "order them"),
    ({"moood": "sad"}, "moood is no part of a plan"),
    ({"version": 2}, "version is 2; it should be 1"),
    ([], "should be an object"),
]


@pytest.mark.parametrize(("data", "message"), BAD)
def test_bad_plans_are_refused_in_one_sentence(data, message, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=message) as caught:
        MusclePlan.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("time", [float("nan"), float("inf")])
def test_times_are_finite(time):
    with pytest.raises(ValidationError, match="finite"):
        MuscleAction(unit=4, intensity=1, onset=time)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_plans_as_windows_writes_them(encoding, tmp_path):
    (tmp_path / "plan.json").write_text(full_plan().to_json(), encoding=encoding)
    assert MusclePlan.load(tmp_path / "plan.json") == full_plan()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"not json"])
def test_files_that_hold_no_json(content, tmp_path):
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(InputError, match="holds no JSON"):
        MusclePlan.load(tmp_path / "plan.json")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="There is no plan file"):
        MusclePlan.load(tmp_path / "plan.json")
    with pytest.raises(InputError, match="Cannot read"):
        MusclePlan.load(tmp_path)


def test_weights_are_scaled():
    assert MusclePlan(emotions={"sad": 1, "happy": 3}).emotions == {"sad": 0.25, "happy": 0.75}


def test_envelope_is_open_ended():
    times = np.linspace(0, 5, 126)
    assert np.all(MuscleAction(unit=12, intensity=0.5).envelope(times) == 0.5)
    late = MuscleAction(unit=12, intensity=1, onset=2).envelope(times)
    assert late[50] == 0 and late[-1] == 1 and np.all(np.diff(late) >= 0)


def test_a_plan_without_segments_lasts_throughout():
    (only,) = MusclePlan(emotions={"sad": 1}, intensity=0.4).timeline()
    assert (only.start, only.end, only.intensity) == (0.0, None, 0.4)
