"""Plans of records: from labels, measured, or none."""

import shutil
from dataclasses import replace

import pytest
from rich.console import Console

from tbd.data.datamodules.folder import FolderDataModule
from tbd.data.plans import PlanOfRecord
from tbd.data.preprocess.cache import Cache
from tbd.data.preprocess.plan_runner import measure_plans
from tbd.data.records import ClipRecord
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.think.facs import perform
from tbd.think.plan import MuscleAction, MusclePlan

SAD = ClipRecord("a", "mead", "M003", "a", emotion="sad", level=1, seconds=2.0)


def test_label_and_none():
    assert PlanOfRecord()(SAD).emotions == {"sad": 1.0}
    assert PlanOfRecord("none")(SAD) is None
    assert PlanOfRecord()(replace(SAD, emotion="")) is None


@pytest.fixture
def cache(prepared_folder, tmp_path) -> Cache:
    shutil.copytree(prepared_folder, tmp_path / "cache")
    cache = Cache(tmp_path / "cache")
    for record in cache.records():
        smile = MusclePlan(actions=(MuscleAction(unit=12, intensity=0.7, onset=0.3, apex=0.6),) * (record.clip == "a"))
        Motion(perform(smile, record.frames)).save(cache.path(record.file("motions", "face_mesh")))
        cache.save_record(replace(record, emotion="sad"))
    cache.write_manifest()
    return cache


def test_a_data_module_reads_measured_plans_labels_or_none(cache):
    window = {"window_frames": 20, "context_frames": 2, "batch_size": 1}
    with pytest.raises(InputError, match=r"Clip a has no measured plan; `tbd preprocess plans .*cache` makes them"):
        FolderDataModule(str(cache.root), plans="measured", **window).clips()
    measure_plans(cache.root, workers=1, console=Console(quiet=True))
    modules = {source: FolderDataModule(str(cache.root), plans=source, **window) for source in ("measured", "label", "none")}
    plans = {source: {clip.name: clip.plan for clip in module.clips()} for source, module in modules.items()}
    assert [a.unit for a in plans["measured"]["a"].actions] == [12] and plans["measured"]["b"].actions == ()
    assert plans["label"]["a"].emotions == {"sad": 1.0} and plans["none"]["a"] is None
    data = modules["measured"]
    data.prepare_data()
    data.setup("fit")
    batches = {data.names[int(batch["clip"])]: batch for batch in data.train_dataloader()}
    assert batches["a"]["planned"].item() == 1 and (batches["a"]["plan"].unit > 0).any()


def test_plans_of_two_recipes_are_refused(cache):
    measure_plans(cache.root, workers=1, console=Console(quiet=True))
    path = next(cache.root.glob("plans/*/*/b.json"))
    path.write_text(path.read_text().replace('"recipe": "', '"recipe": "0'))
    with pytest.raises(InputError, match="by two recipes"):
        FolderDataModule(str(cache.root), plans="measured", window_frames=20, context_frames=2).clips()


def test_the_plan_of_the_tracker_that_moves_is_taken(cache):
    measure_plans(cache.root, workers=1, console=Console(quiet=True))
    record = next(r for r in cache.records() if r.clip == "a")
    ((key, path),) = record.plans.items()
    assert PlanOfRecord("measured", cache.root, "face_landmarker")(record).actions  # the only one there is
    two = replace(record, plans={key: path, "face_landmarker@x": "gone.json"})
    assert PlanOfRecord("measured", cache.root, "face_mesh")(two).actions
    with pytest.raises(InputError, match="name one of these trackers"):
        PlanOfRecord("measured", cache.root, "other")(two)
    with pytest.raises(InputError, match=r"gone.json.*`tbd preprocess plans` makes it anew"):
        PlanOfRecord("measured", cache.root, "face_landmarker")(two)


def test_with_measured_plans_motion_is_relative_to_the_same_rest(cache):
    """A resting face that frowns is no frown, neither in the plan nor in the motion that it conditions."""
    from tbd.face.channels import INDEX

    for record in cache.records():
        path = cache.path(record.file("motions", "face_mesh"))
        values = Motion.load(path).values.copy()
        values[:, INDEX["browDownLeft"]] += 0.2
        values[:, INDEX["headPitch"]] += 0.3
        Motion(values).save(path)
    measure_plans(cache.root, workers=1, console=Console(quiet=True))
    window = {"window_frames": 20, "context_frames": 2, "batch_size": 1}
    drawn = {}
    for source in ("measured", "label"):
        data = FolderDataModule(str(cache.root), plans=source, **window)
        data.prepare_data()
        data.setup("fit")
        batch = next(iter(data.train_dataloader()))
        drawn[source] = batch["motion"][batch["mask"] > 0]
    assert drawn["measured"][:, INDEX["browDownLeft"]].abs().max() < 0.05
    assert drawn["label"][:, INDEX["browDownLeft"]].min() > 0.15
    assert drawn["measured"][:, INDEX["headPitch"]].abs().max() < 0.05 < drawn["label"][:, INDEX["headPitch"]].min()
