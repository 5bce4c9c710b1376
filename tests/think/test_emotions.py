"""The table of emotions: labels, blends, what it refuses, and that a ninth row reaches everything that reads it."""

import dataclasses

import numpy as np
import pytest
import torch

from tbd.errors import InputError
from tbd.think import emotions
from tbd.think.action_units import ACTION_UNITS
from tbd.think.emotions import EMOTION_SPECS, EMOTIONS, LEVELS, blend_matrix, find_emotion, parse_emotion
from tests.think.edited_package import insert_rows, run_with

ROW = """
    EmotionSpec(
        name="bashful", noun="bashfulness", adjective="bashful", aliases=("shy", "bas"), words=("shyly",),
        prototypes=(prototype("Keltner 1995", {12: 0.5, 24: 0.7, 54: 0.6, 64: 0.9}),), valence=0.1, arousal=0.2, color="#c77b8a",
        leaks={64: 0.6}, affect=AffectProfile(gaze_down=0.4), voice=VocalProfile(effort=-0.5), blend={"happy": 0.5, "fear": 0.5},
    ),
"""


def test_the_first_eight_keep_their_places():
    """They are the classes of every model that was trained."""
    assert EMOTIONS[:8] == ("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")
    assert EMOTIONS[:8] == emotions.MEAD_EMOTIONS


def test_labels_of_all_data_sets_are_found():
    """MEAD's and EAT's words, CREMA-D's letters, FER's and AffectNet's nouns, RAVDESS's calm."""
    words = {
        "angry": "angry Anger ANG mad", "contempt": "contempt Contemptuous con", "disgusted": "disgusted Disgust DIS",
        "fear": "fear fearful afraid scared FEA", "happy": "happy happiness joy joyful HAP", "neutral": "neutral calm none NEU",
        "sad": "sad Sadness SAD", "surprised": "surprised surprise sur",
    }  # fmt: skip
    for emotion, labels in words.items():
        assert {find_emotion(f" {label} ") for label in labels.split()} == {emotion}
    assert find_emotion("front") is None and find_emotion("3") is None
    with pytest.raises(InputError, match=r"'front' is no emotion that is known here; angry, contempt"):
        parse_emotion("front")


def test_rows_are_whole():
    for spec in EMOTION_SPECS.values():
        units = {unit for p in spec.prototypes for unit, _, _ in p} | {*spec.leaks, *spec.controls, *spec.posed}
        assert units <= set(ACTION_UNITS) and all(0 < level <= 1 for p in spec.prototypes for _, _, level in p)
        assert all(p.source for p in spec.prototypes) and -1 <= spec.valence <= 1 and -1 <= spec.arousal <= 1
        assert len({s.color for s in EMOTION_SPECS.values()}) == len(EMOTION_SPECS)
    assert [round(level.middle, 2) for level in LEVELS.values()] == [0.35, 0.61, 0.91]


def test_the_table_refuses_what_contradicts_itself():
    happy = EMOTION_SPECS["happy"]
    with pytest.raises(ValueError, match="glad is labelled 'happiness'"):
        emotions._checked((happy, dataclasses.replace(happy, name="glad")))
    with pytest.raises(ValueError, match="glad blends sad"):
        emotions._checked((happy, dataclasses.replace(happy, name="glad", aliases=(), blend={"sad": 1.0})))
    for change, sentence in (({"name": "Very glad"}, "lower-case"), ({"faint": 3}, "beyond"), ({"blend": {"sad": 0.5}}, "sum to 0.5")):
        with pytest.raises(ValueError, match=sentence):
            dataclasses.replace(happy, **change)


def test_models_of_a_shorter_table_get_blends(monkeypatch):
    bashful = dataclasses.replace(EMOTION_SPECS["happy"], name="bashful", aliases=(), blend={"happy": 0.75, "sad": 0.25})
    monkeypatch.setattr(emotions, "EMOTION_SPECS", {**EMOTION_SPECS, "bashful": bashful})
    monkeypatch.setattr(emotions, "EMOTIONS", (*EMOTIONS, "bashful"))
    matrix = blend_matrix(8)
    assert np.array_equal(matrix[:8], np.eye(8)) and matrix[8, EMOTIONS.index("happy")] == 0.75 and matrix[8].sum() == 1
    assert np.array_equal(blend_matrix(9), np.eye(9))
    with pytest.raises(InputError, match="knows 10 emotions"):
        blend_matrix(10)
    with pytest.raises(InputError, match="before surprised was added"):
        blend_matrix(7)


NINTH = """
import hashlib, io
import numpy as np, torch
from rich.console import Console
from tbd.data.sources.naming import mead_name
from tbd.data.synthetic.plans import sample_plan
from tbd.think.labels import plan_from_label
from tbd.draw.conditioning.captions import caption_segment
from tbd.draw.conditioning.plan_encoder import LabelEncoder
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.motion.loading import load_motion_model
from tbd.evaluation.predictions import match
from tbd.metrics import CallableEmotionClassifier, EmotionAccuracy
from tbd.think import KnowledgePlanner, MusclePlan
from tbd.think.emotions import EMOTIONS, MEAD_EMOTIONS
from tbd.think.llm.prompt import Prompt
from tbd.think.llm.schema import Draft
from tbd.think.viz.chart import chart
from tbd.think.viz.console import show

assert EMOTIONS[8:] == ("bashful",) and len(MEAD_EMOTIONS) == 8
planner = KnowledgePlanner()
for text in ("bashful", "she is very bashful", "with bashfulness", "she smiles shyly", "bashfully"):
    plan = planner.plan(text)
    assert plan.emotions["bashful"] > 0.5, (text, plan.emotions)
assert {12, 64} <= {a.unit for a in planner.plan("bashful").actions}
assert {64} == {a.unit for a in planner.plan("hides that she is bashful").actions}
assert "bashfulness" in planner.plan("bashful").reasoning[0].text
assert planner.plan("sad").emotions == {"sad": 1.0}
plan = planner.plan("bashful, then sad", 4)
assert "#c77b8a" in chart(plan)
console = Console(file=io.StringIO(), record=True, width=100)
show(plan, console)
assert "bashful" in console.export_text()
assert "bashful: AU12" in Prompt.load().ask("shy")[0]["content"] and "bashful" in str(Draft.json_schema())
assert mead_name("M003/video/front/shy/level_2/001.mp4").clip == "M003_bashful_2_001"
assert match(["out/M003_bas_2_001"], ["M003_bashful_2_001"]) == ["M003_bashful_2_001"]
rng = np.random.default_rng(0)
assert plan_from_label("bashful", 1).text == "slightly bashful"
assert sample_plan("bashful", 3, 5.0, rng, "prototype").emotions == {"bashful": 1.0}
mixed = MusclePlan(emotions={"happy": 0.5, "fear": 0.5}, intensity=0.8)
ninth = MusclePlan(emotions={"bashful": 1.0}, intensity=0.8)
assert caption_segment(ninth.timeline()[0]) == "a very bashful face"
assert PlanTensors.collate([ninth]).emotion[0, 0].tolist()[8] > 0.79
metric = EmotionAccuracy(CallableEmotionClassifier(lambda faces: faces.float().mean((2, 3))[:, :2], ["happy", "shy"]))
green = torch.zeros(2, 3, 224, 224, dtype=torch.uint8); green[:, 1] = 255
metric.update(green, 8)
assert metric.compute() == 1 and metric.recall() == {"bashful": 1.0} and metric.confusion().shape == (9, 9)
labels = LabelEncoder(4)
old = {"emotion.weight": torch.randn(8, 4)}
labels.load_state_dict(labels.adapt_state(old))
assert torch.equal(labels.emotion.weight[:8], old["emotion.weight"])
assert torch.allclose(labels.emotion.weight[8], (old["emotion.weight"][3] + old["emotion.weight"][4]) / 2)
model = load_motion_model()
audio = np.random.default_rng(1).standard_normal(16000).astype(np.float32) * 0.1
motions = [np.concatenate([m.values for m in model.generate(audio, p, 0)]) for p in (planner.plan("sad", 1.0), mixed, ninth)]
assert np.allclose(motions[1], motions[2], atol=1e-4)
print(hashlib.sha256(motions[0].tobytes()).hexdigest())
"""


TODAY = """
import hashlib
import numpy as np
from tbd.draw.motion.loading import load_motion_model
from tbd.think import KnowledgePlanner
audio = np.random.default_rng(1).standard_normal(16000).astype(np.float32) * 0.1
motions = load_motion_model().generate(audio, KnowledgePlanner().plan("sad", 1.0), 0)
print(hashlib.sha256(np.concatenate([m.values for m in motions]).tobytes()).hexdigest())
"""


def test_a_ninth_row_reaches_everything(tmp_path, capsys):
    """It changes that file alone, and the packaged model, which knows eight, draws those as before and a blend for the ninth."""
    insert_rows(tmp_path, "tbd/think/emotions.py", {"    # new emotions go here": ROW})
    with_row = run_with(tmp_path, NINTH)
    assert with_row.returncode == 0, with_row.stderr[-2000:]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as of the other process, or sums could be rounded in another order
    try:
        exec(compile(TODAY, "today.py", "exec"), {})
    finally:
        torch.set_num_threads(threads)
    assert capsys.readouterr().out == with_row.stdout
