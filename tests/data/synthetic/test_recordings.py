import csv
import json
import shutil
from importlib.resources import files

import numpy as np
import pytest
from scipy.io import wavfile

from tbd.data.synthetic import recordings
from tbd.data.synthetic.corpus import synthesize
from tbd.data.synthetic.engines import ENGINES, engine_of
from tbd.data.synthetic.recordings import Recordings, gather, recorded_voice
from tbd.data.synthetic.speech import Delivery
from tbd.errors import InputError
from tbd.speech.phones import SILENCE, Phone, load_phones, save_phones

VOICE = files("tbd") / "assets" / "voice.wav"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The sample voice as a speaker's only recording."""
    root = tmp_path_factory.mktemp("recordings")
    (root / "en_sample").mkdir()
    shutil.copy(str(VOICE), root / "en_sample" / "hello.wav")
    wavfile.write(root / "en_sample" / "silence.wav", 16000, np.zeros(32000, np.int16))
    (root / "en_sample" / "broken.ogg").write_bytes(b"no sound")
    voice = recorded_voice(root / "en_sample", root / "cache")
    gather(root / "en_sample", voice)
    return root, voice


def test_passages_cover_their_sound_and_hold_speech(prepared):
    _, voice = prepared
    engine, rng = engine_of(voice), np.random.default_rng(0)
    assert isinstance(engine, Recordings)
    name = engine.sample_text(voice, "train", rng)
    (plain,), (longer,) = (engine.speak([name], voice, Delivery(tract=tract)) for tract in (1.0, 1.1))
    assert plain.phones[0].start == 0
    assert plain.phones[-1].end == pytest.approx(plain.duration, abs=1e-3)
    assert sum(p.symbol != SILENCE for p in plain.phones) > 10
    assert longer.duration == pytest.approx(1.1 * plain.duration, rel=0.01)


def test_silent_and_broken_files_are_no_loss_and_nothing_is_done_twice(prepared, monkeypatch):
    root, voice = prepared
    stems = {p.stem for p in (root / "cache" / "en_sample").glob("*.csv")}
    assert stems
    assert all(stem.startswith("hello") for stem in stems)
    monkeypatch.setattr(recordings.SphinxRecognizer, "recognize", lambda *_: pytest.fail("heard again"))
    gather(root / "en_sample", voice)


def test_a_corpus_trains_on_recordings_and_is_tested_without_them(tmp_path):
    """The passages are given, so that no recognizer is needed."""
    names = [str(v) for engine in ENGINES for v in engine.voices() if str(v) in {"espeak-en-us+f2", "flite-kal16"}]
    if not names:
        pytest.skip("no speech synthesizer is installed")
    source, cache = tmp_path / "en_somebody", tmp_path / "corpus" / "recordings" / "en_somebody"
    source.mkdir()
    cache.mkdir(parents=True)
    rate, audio = wavfile.read(str(VOICE))
    wavfile.write(source / "a.wav", rate, audio)
    wavfile.write(cache / "a-0.wav", rate, audio)
    save_phones([Phone(0, 0.5, SILENCE), Phone(0.5, 1.5, "ɑ"), Phone(1.5, len(audio) / rate, "m")], cache / "a-0.csv")
    (cache / "a.done").touch()
    root = synthesize(tmp_path / "corpus", 0.04, seed=1, workers=1, voices=names, recordings=[source]).parent
    with open(root / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    real = [row for row in rows if row["engine"] == "recorded"]
    assert real
    assert {row["split"] for row in real} == {"train"}
    assert {row["voice"] for row in real} == {"recorded-en_somebody"}
    assert {p.symbol for p in load_phones(root / real[0]["phonemes"])} <= {"ɑ", "m", SILENCE, "↓"}
    assert "recorded-en_somebody" in json.loads((root / "corpus.json").read_text())["voices"]


def test_a_folder_without_recordings(tmp_path):
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(InputError, match="no recordings"):
        gather(tmp_path, recorded_voice(tmp_path, tmp_path / "cache"))
