"""A label means the same muscles in training and evaluation."""

import pytest

from tbd.data.datamodules.mead import MEADDataModule
from tbd.data.plans import PlanOfRecord
from tbd.data.preprocess.cache import Cache
from tbd.evaluation.references.cache import CacheClip
from tbd.think import KnowledgePlanner
from tbd.think.emotions import MEAD_EMOTIONS
from tbd.think.labels import plan_from_label
from tests.conftest import write_cache

LABELS = [(emotion, level) for emotion in MEAD_EMOTIONS for level in ((1,) if emotion == "neutral" else (1, 2, 3))]


def test_training_and_evaluation_give_one_plan(tmp_path):
    clips = {f"M005_{emotion}_{level}_{20 * level:03d}": 20 * level for emotion, level in LABELS}
    root = write_cache(tmp_path / "c", "mead", clips)
    cache = Cache(root)
    trained = {clip.name: clip.plan for clip in MEADDataModule(str(root)).clips()}
    plan_of = PlanOfRecord("label", str(root), "")
    evaluated = {record.clip: CacheClip(cache, record.clip, record, plan_of).plan() for record in cache.records()}
    assert trained == evaluated and len(trained) == len(LABELS) == 22
    assert len({plan.model_dump_json() for plan in trained.values()}) == 22


@pytest.mark.parametrize(("emotion", "level"), LABELS)
def test_the_planner_reads_the_label(emotion, level):
    word = "" if emotion == "neutral" else {1: "slightly", 2: "", 3: "very"}[level]
    assert plan_from_label(emotion, level) == KnowledgePlanner().plan(f"{word} {emotion}".strip(), duration=7.3)


def test_a_label_without_level_is_the_middle_one():
    assert plan_from_label("sad") == plan_from_label("sad", 2) != plan_from_label("sad", 1)
