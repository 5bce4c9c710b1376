"""A cache's clips get plans: measured once, resumed, noticed when a setting changes, and read by DataModules."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tbd.cli.main import main
from tbd.data.measured_plans import MeasuredPlan
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.plan_runner import caption, measure_plans, plan_path, tracker_of
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan
from tbd.think.planner import Planner

QUIET = Console(quiet=True)
SMILE = MusclePlan(
    actions=(
        MuscleAction(unit=12, intensity=0.7, onset=1.0, apex=1.5, offset=3.0),
        MuscleAction(unit=1, intensity=0.5, onset=4.0),
    )
)


@pytest.fixture
def cache(prepared_folder, tmp_path) -> Cache:
    """Clips a, b and silent of one person, with motions of six seconds: b is at rest, the others smile."""
    shutil.copytree(prepared_folder, tmp_path / "cache")
    cache = Cache(tmp_path / "cache")
    for record in cache.records():
        cache.record_path(record).unlink()
        cache.save_record(replace(record, person="p"))
        smile = SMILE if record.clip != "b" else MusclePlan()
        put(cache, record.clip, Motion(perform(smile, 150) + 0.01))
    cache.write_manifest()
    return cache


def put(cache: Cache, clip: str, motion: Motion) -> None:
    motion.save(cache.path(of(cache, clip).file("motions", "face_mesh")))


def of(cache: Cache, clip: str):
    return next(record for record in cache.records() if record.clip == clip)


def files(cache: Cache) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cache.root.glob("plans/*/*/*.json")}


def times(cache: Cache) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in cache.root.glob("plans/*/*/*.json")}


def test_every_clip_gets_its_plan(cache):
    recipe, plans = measure_plans(cache.root, workers=1, console=QUIET)
    assert [p.clip for p in plans] == ["a", "b", "silent"] and recipe.tracker.startswith("face_mesh@")
    smile = plans[2].plan
    assert [a.unit for a in smile.actions] == [12, 1] and abs(smile.actions[0].intensity - 0.7) < 0.06
    assert abs(smile.actions[0].onset - 1.0) < 0.2 and abs(smile.actions[0].offset - 3.0) < 0.25
    assert plans[1].plan.actions == () and plans[1].explained is None and plans[2].explained > 0.9
    assert any("no sound" in note for note in smile.notes) and not any("no sound" in note for note in plans[0].plan.notes)
    assert smile.description and "lip corners" in smile.regions["lower"]
    for record in cache.records():
        assert record.plans == {recipe.tracker: plan_path(record, recipe.tracker)}
    cache.require(cache.records(), ("plans",))


def test_several_processes_write_the_same_bytes_and_a_second_run_nothing(cache):
    measure_plans(cache.root, workers=1, console=QUIET)
    alone, before = files(cache), times(cache)
    measure_plans(cache.root, workers=1, console=QUIET)
    assert times(cache) == before
    shutil.rmtree(cache.path("plans"))
    measure_plans(cache.root, workers=2, console=QUIET)
    assert files(cache) == alone


def test_what_is_missing_or_damaged_is_made_anew(cache):
    recipe, _ = measure_plans(cache.root, workers=1, console=QUIET)
    before = times(cache)
    cache.path(plan_path(of(cache, "b"), recipe.tracker)).write_text("{")
    measure_plans(cache.root, workers=1, console=QUIET)
    assert [clip for clip, time in times(cache).items() if time != before[clip]] == ["b"]


def test_a_changed_setting_is_noticed(cache, capsys):
    measure_plans(cache.root, workers=1, console=QUIET)
    before = times(cache)
    recipe, plans = measure_plans(cache.root, rest="clip", workers=1, console=Console(width=200))
    assert "rest was 'person' and is 'clip'" in capsys.readouterr().out
    assert all(time != before[clip] for clip, time in times(cache).items())
    assert {p.recipe for p in plans} == {recipe.key} and plans[0].rest_from == "the clip's own least"


def test_another_clip_of_a_person_changes_their_rest_and_so_their_plans(cache):
    """A frown that one clip shows throughout is an expression; once all clips show it, it is the person's face."""
    frowning = Motion(perform(MusclePlan(actions=(MuscleAction(unit=4, intensity=0.28),)), 150))
    put(cache, "a", frowning)
    _, plans = measure_plans(cache.root, workers=1, console=QUIET)
    assert 4 in {a.unit for a in plans[0].plan.actions}
    before = times(cache)
    for clip in ("b", "silent"):
        put(cache, clip, frowning)
    _, plans = measure_plans(cache.root, workers=1, console=QUIET)
    assert all(time != before[clip] for clip, time in times(cache).items())
    assert 4 not in {a.unit for a in plans[0].plan.actions} and plans[0].rest["browDownLeft"] > 0.25


def test_a_minute_without_a_neutral_frame_is_said(cache):
    turns = tuple(
        MuscleAction(unit=unit, intensity=0.6, onset=10.0 * k - 0.4, apex=10.0 * k, offset=10.0 * k + 10)
        for k, unit in enumerate((12, 4, 1, 9, 15, 6))
    )
    put(cache, "a", Motion(perform(MusclePlan(actions=turns), 1500)))
    _, plans = measure_plans(cache.root, rest="clip", workers=1, console=QUIET)
    assert any("No frame of these 60 s shows the face at rest" in note for note in plans[0].plan.notes)
    assert not any("at rest" in note for note in plans[2].plan.notes)  # it is at rest for a second
    _, plans = measure_plans(cache.root, workers=1, console=QUIET)
    assert not any("at rest" in note for note in plans[0].plan.notes)  # other clips of the person are


def test_two_faces_and_losses_of_an_unknown_time_are_said(cache):
    put(cache, "a", Motion(perform(SMILE, 150), {"faces_seen": 2}))
    record = of(cache, "b")
    cache.save_record(replace(record, frames_without_face=4))
    cache.write_manifest()
    _, plans = measure_plans(cache.root, workers=1, console=QUIET)
    assert any("2 faces are in the picture" in note for note in plans[0].plan.notes)
    assert any("4 frames show no face, and which is not recorded" in note for note in plans[1].plan.notes)


def test_a_face_that_is_hidden_for_most_of_a_clip_has_no_plan(cache):
    put(cache, "a", Motion(perform(SMILE, 150), {"lost": [[0.0, 4.0]]}))
    put(cache, "b", Motion(np.zeros((8, 58))))
    _, plans = measure_plans(cache.root, workers=1, console=QUIET)
    assert plans[0].plan is None and plans[0].reason == "the face is hidden for more than half of the clip"
    assert plans[1].plan is None and "too short" in plans[1].reason
    assert plans[2].plan is not None


class Poet(Planner):
    """Words every face alike."""

    calls = 0

    def plan(self, text, duration=None):
        Poet.calls += 1
        assert "Film shows this face" in text and duration > 0
        return MusclePlan(description="sunlight on water", regions={"lower": "a curve"}, actions=(MuscleAction(unit=9, intensity=1),))


def test_a_planner_words_what_was_measured_and_changes_no_muscle(cache):
    _, before = measure_plans(cache.root, workers=1, console=QUIET)
    Poet.calls = 0
    _, plans = measure_plans(cache.root, workers=1, planner=Poet(), console=QUIET)
    assert [p.plan.actions for p in plans] == [p.plan.actions for p in before] and Poet.calls == 3
    assert plans[0].plan.description == "sunlight on water" and plans[0].plan.regions["lower"] == "a curve"
    assert plans[0].plan.regions["upper"] == before[0].plan.regions["upper"] and plans[0].captions.endswith("Poet")
    measure_plans(cache.root, workers=1, planner=Poet(), console=QUIET)
    assert Poet.calls == 3
    _, again = measure_plans(cache.root, workers=1, console=QUIET)
    assert [p.plan for p in again] == [p.plan for p in before]


def test_words_that_a_planner_does_not_give_stay():
    plan = MusclePlan(description="a face", regions={"upper": "brows"})

    class Silent(Planner):
        def plan(self, text, duration=None):
            return MusclePlan()

    assert caption(plan, Silent(), 1.0) == plan


def test_refusals(cache, tmp_path):
    with pytest.raises(InputError, match="no prepared cache"):
        measure_plans(tmp_path, console=QUIET)
    with pytest.raises(InputError, match="--workers is a number"):
        measure_plans(cache.root, workers=0, console=QUIET)
    with pytest.raises(InputError, match="Not all clips have motions of face_landmarker"):
        measure_plans(cache.root, tracker="face_landmarker", console=QUIET)
    record = of(cache, "a")
    two = [replace(record, motions={"face_mesh@1": "", "face_mesh@2": ""})]
    with pytest.raises(InputError, match="face_mesh@1 and face_mesh@2; name one"):
        tracker_of(two)
    assert tracker_of([replace(record, motions={"face_mesh@1": "", "face_landmarker@1": ""})]) == "face_landmarker@1"


def test_the_command_measures_sums_up_and_shows(cache, tmp_path, capsys):
    page = tmp_path / "look.html"
    assert main(["preprocess", "plans", str(cache.root), "--workers", "1", "--report", str(page)]) == 0
    out = capsys.readouterr().out
    assert "plans: 3 of 3 clips" in out and "s of video a second and core" in out
    text = page.read_text(encoding="utf-8")
    assert text.count("<article") == 3 and text.count("<svg") == 3 and "http" not in text.replace("http://www.w3.org", "")
    assert main(["preprocess", "plans", str(cache.root), "--report-clips", "-1"]) == 2
    assert main(["preprocess", "plans", str(cache.root), "--report", str(tmp_path / "look.txt")]) == 2


def test_the_recipe_lies_beside_the_plans(cache):
    recipe, _ = measure_plans(cache.root, workers=1, console=QUIET)
    assert json.loads(cache.path(f"plans/{recipe.tracker}/recipe.json").read_text())["rest"] == "person"
    assert MeasuredPlan.load(next(Path(cache.root).glob("plans/*/*/a.json"))).recipe == recipe.key
