import csv
import hashlib
import json
import subprocess
import sys
import wave

import numpy as np
import pytest

from tbd.data.synthetic import corpus as synthesis
from tbd.data.synthetic.corpus import COLUMNS, plan_corpus, synthesize
from tbd.data.synthetic.engines import ENGINES
from tbd.data.synthetic.sentences import languages, sample_sentence, split_of
from tbd.data.synthetic.speech import Voice
from tbd.data.synthetic.variation import PerformanceVariation
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.speech.phones import SILENCE, load_phones
from tbd.think.facs import measure
from tbd.think.plan import MusclePlan

HOURS = 0.012


@pytest.fixture(scope="module")
def voices():
    names = {"espeak-en-us+f2", "espeak-en+m3", "flite-kal16"}
    found = [str(v) for engine in ENGINES for v in engine.voices() if str(v) in names]
    if not found:
        pytest.skip("no speech synthesizer is installed")
    return found


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, voices):
    return synthesize(tmp_path_factory.mktemp("corpus"), HOURS, seed=5, workers=1, voices=voices).parent


def rows(root):
    with open(root / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def digests(root):
    """Digest of every file but corpus.json (which names the command); a motion's values, since zip files carry dates."""
    found = {}
    for path in root.rglob("*.*"):
        if path.name != "corpus.json":
            data = Motion.load(path).values.tobytes() if path.suffix == ".npz" else path.read_bytes()
            found[str(path.relative_to(root))] = hashlib.sha256(data).hexdigest()
    return found


def test_the_manifest_says_what_is_there(corpus):
    table = rows(corpus)
    assert tuple(table[0]) == COLUMNS
    assert {r["split"] for r in table} == {"train", "val", "test"}
    assert len({r["clip"] for r in table}) == len(table)
    for row in table:
        assert row["audio"] == f"{row['actor']}/audio/{row['emotion']}/level_{row['level']}/{int(row['number']):03d}.wav"
        with wave.open(str(corpus / row["audio"])) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
            samples = file.getnframes()
        motion, phones = Motion.load(corpus / row["motion"]), load_phones(corpus / row["phonemes"])
        assert len(motion) == int(row["frames"]) == -(-samples // 640)
        assert float(row["seconds"]) == pytest.approx(samples / 16000, abs=1e-3)
        assert phones[-1].end == pytest.approx(samples / 16000, abs=2e-3)
        assert phones[0].symbol == phones[-1].symbol == SILENCE
        assert 4 <= float(row["seconds"]) < 20
        assert MusclePlan.model_validate_json((corpus / row["plan"]).read_text()).emotions


def test_the_plan_reaches_the_motion(corpus):
    shown = []
    for row in rows(corpus):
        plan = MusclePlan.model_validate_json((corpus / row["plan"]).read_text())
        values = Motion.load(corpus / row["motion"]).values
        times = np.arange(len(values)) / 25
        for action in plan.actions:
            if action.unit in (1, 2, 4, 6, 9, 12, 15) and action.intensity > 0.3:
                asked = action.envelope(times)
                shown.append(measure(values, action.unit, action.side)[asked > 0.25].mean() / asked[asked > 0.25].mean())
    assert shown
    assert min(shown) > 0.7


def test_held_out_clips_have_other_speakers_and_other_sentences(voices):
    clips = plan_corpus([Voice(*v.split("-", 1)) for v in voices], 400, 0)
    actors = {split: {c.actor.name for c in clips if c.actor.split == split} for split in ("train", "val", "test")}
    assert not actors["train"] & actors["val"]
    assert not (actors["train"] | actors["val"]) & actors["test"]
    rng = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        assert {split_of(sample_sentence("en", split, rng)) for _ in range(30)} == {split}


def test_a_seed_gives_the_same_corpus_with_any_number_of_workers(corpus, voices, tmp_path):
    synthesize(tmp_path, HOURS, seed=5, workers=2, voices=voices)
    assert digests(tmp_path) == digests(corpus)


def test_an_interrupted_run_is_finished_without_making_clips_again(corpus, voices, tmp_path, monkeypatch):
    made = []
    original = synthesis.synthesize_utterance

    def interrupted(*args):
        made.append(args)
        if len(made) == 3:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(synthesis, "synthesize_utterance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path, HOURS, seed=5, workers=1, voices=voices)
    assert not (tmp_path / "manifest.csv").exists()
    assert not list(tmp_path.rglob(".*"))
    synthesize(tmp_path, HOURS, seed=5, workers=1, voices=voices)
    assert len(made) == len(rows(corpus)) + 1
    assert digests(tmp_path) == digests(corpus)


def test_another_corpus_is_not_mixed_in(corpus, voices):
    with pytest.raises(InputError, match="another seed"):
        synthesize(corpus, HOURS, seed=6, workers=1, voices=voices)
    assert json.loads((corpus / "corpus.json").read_text())["seed"] == 5


def test_bad_requests_are_refused(tmp_path, voices):
    with pytest.raises(InputError, match="more than 0 hours"):
        synthesize(tmp_path, 0, voices=voices)
    with pytest.raises(InputError, match="installed are"):
        synthesize(tmp_path, 1, voices=["siri"])


def test_a_corpus_has_all_emotions_and_levels():
    clips = plan_corpus([Voice("flite", "slt")], 600, 0)
    pairs = {(c.emotion, c.level) for c in clips}
    assert len(pairs) == 1 + 7 * 3
    assert ("neutral", 1) in pairs
    assert len({(c.actor.name, c.emotion, c.level, c.number) for c in clips}) == 600


def test_workers_need_no_torch_and_no_mediapipe():
    code = "import sys, tbd.data.synthetic.corpus; print({'torch', 'mediapipe', 'cv2', 'av', 'skimage', 'lightning'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_there_are_sentences_for_every_language_with_voices():
    spoken = set(ENGINES[1]._LANGUAGES.values())
    assert spoken <= set(languages())


def test_performances_vary_while_speech_and_plans_stay(corpus, voices, tmp_path):
    varied = synthesize(tmp_path, HOURS, seed=5, workers=1, voices=voices, variation=PerformanceVariation()).parent
    plain, other = digests(corpus), digests(varied)
    moved = {path for path in plain if plain[path] != other[path]}
    assert {path for path in moved if not path.endswith(".npz")} == set()
    assert len(moved) > len([path for path in plain if path.endswith(".npz")]) / 2
    extra = other.keys() - plain.keys()
    assert extra and all("/performance/" in path for path in extra) and len(extra) == len(rows(varied))
    for row in rows(varied):
        performed = MusclePlan.load(varied / row["plan"].replace("/plan/", "/performance/"))
        assert performed.emotions == MusclePlan.load(varied / row["plan"]).emotions
    with pytest.raises(InputError, match="another variation"):
        synthesize(tmp_path, HOURS, seed=5, workers=1, voices=voices)
