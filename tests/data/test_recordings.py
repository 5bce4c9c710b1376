import csv
import json
import shutil
from importlib.resources import files

import numpy as np
import pytest
from scipy.io import wavfile

from tbd.data import recordings
from tbd.data.recordings import Recordings, gather, listen, recorded_voice
from tbd.data.speech import ENGINES, Delivery, engine_of
from tbd.data.synthesis import synthesize
from tbd.data.visemes import loudness_of, speech_lips
from tbd.errors import InputError
from tbd.face.motion import INDEX
from tbd.hear.phones import SILENCE, Phone, load_phones, save_phones

VOICE = files("tbd") / "assets" / "voice.wav"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The sample voice as a speaker's only recording."""
    pytest.importorskip("pocketsphinx")
    root = tmp_path_factory.mktemp("recordings")
    (root / "en_sample").mkdir()
    shutil.copy(str(VOICE), root / "en_sample" / "hello.wav")
    wavfile.write(root / "en_sample" / "silence.wav", 16000, np.zeros(32000, np.int16))
    (root / "en_sample" / "broken.ogg").write_bytes(b"no sound")
    voice = recorded_voice(root / "en_sample", root / "cache")
    gather(root / "en_sample", voice)
    return root, voice


def jaw(phones, audio):
    return speech_lips(phones, loudness_of(audio, len(audio) // 640)).values[:, INDEX["jawOpen"]]


@pytest.mark.parametrize(("english", "least"), [(True, 0.75), (False, 0.6)])
def test_a_recognizer_moves_the_jaw_as_the_true_phones_do(english, least):
    pytest.importorskip("pocketsphinx")
    voices = [v for engine in ENGINES for v in engine.voices() if str(v) == "flite-slt"]
    if not voices:
        pytest.skip("flite is not installed")
    said = engine_of(voices[0]).speak(["please put the paper back on the table and open the other door"], voices[0], Delivery())[0]
    heard = listen(said.audio, english)
    assert np.corrcoef(jaw(said.phones, said.audio), jaw(heard, said.audio))[0, 1] > least


def test_passages_cover_their_sound_and_hold_speech(prepared):
    _, voice = prepared
    engine, rng = engine_of(voice), np.random.default_rng(0)
    assert isinstance(engine, Recordings)
    name = engine.draw(voice, "train", rng)
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
    monkeypatch.setattr(recordings, "listen", lambda *_: pytest.fail("heard again"))
    gather(root / "en_sample", voice)


def test_long_recordings_are_cut_where_it_is_quiet():
    loud = np.random.default_rng(0).standard_normal(40 * 16000).astype(np.float32) * 0.1
    loud[12 * 16000 : int(12.5 * 16000)] = 0
    pieces = list(recordings._pieces(loud))
    assert len(pieces[0]) == pytest.approx(12.25 * 16000, abs=0.15 * 16000)
    assert max(map(len, pieces)) <= 15 * 16000
    assert sum(map(len, pieces)) == len(loud)


def test_noise_is_no_speech():
    pytest.importorskip("pocketsphinx")
    assert listen(np.zeros(16000, np.float32)) == []


def test_what_is_heard_does_not_depend_on_what_was_heard_before():
    pytest.importorskip("pocketsphinx")
    audio = wavfile.read(str(VOICE))[1].astype(np.float32) / 32768
    noise = np.random.default_rng(0).standard_normal(32000).astype(np.float32) * 0.1
    first, second = audio[:48000], audio[48000:96000]
    recordings._decoders.cache_clear()
    fresh = listen(first), listen(first, False)
    for before in (noise, second):
        listen(before), listen(before, False)
        assert (listen(first), listen(first, False)) == fresh


def test_a_corpus_trains_on_recordings_and_is_tested_without_them(tmp_path):
    """The passages are given, so that no recognizer is needed."""
    names = [str(v) for engine in ENGINES for v in engine.voices() if str(v) in {"espeak-en-us+f2", "flite-kal16"}]
    if not names:
        pytest.skip("no speech synthesizer is installed")
    pytest.importorskip("pocketsphinx")
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
