"""Laughs, sobs, sighs and whispers are heard where they are, and nowhere else."""

import itertools

import numpy as np
import pytest

from benchmarks.voice.vocalizing import vocalize
from tbd.media import read_audio
from tbd.speech.prosody import describe_prosody
from tbd.speech.rhythm import mel_levels
from tbd.think.voice import ProsodicVoiceReader
from tbd.think.voice.reader import VocalKind
from tbd.think.voice.vocal_cues import VocalCues, measure_cues, stretches_of
from tbd.think.voice.vocal_events import CLASSES, KINDS, VocalEventHead, of_kind
from tbd.utils.sample_inputs import VOICE
from tests.think.voice.sounds import crowd, music, voice

READER = ProsodicVoiceReader()
SPEECH = np.asarray(read_audio(VOICE), np.float32)
SEEDS = range(6)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(int(16000 * seconds), np.float32)


def placed(kind: VocalKind, seed: int) -> tuple[np.ndarray, float, float]:
    """Speech, what is asked for, speech; and its begin and end."""
    made = 0.6 * vocalize(kind, np.random.default_rng([9, seed]), SPEECH[16000:52000])
    start = 2.75
    parts = [SPEECH[:40000], quiet(0.25), made, quiet(0.25), SPEECH[40000:70000]]
    mixed = np.concatenate(parts) + 1e-4 * np.random.default_rng(seed).standard_normal(sum(map(len, parts)))
    return mixed.astype(np.float32), start, start + len(made) / 16000


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_between_words_is_heard_at_its_time(kind):
    found = []
    for seed in SEEDS:
        sound, start, stop = placed(kind, seed)
        events = READER.read(sound).events
        hits = [event for event in events if event.kind == kind and event.start < stop and event.end > start]
        found.append(bool(hits))
        assert all(event.start > start - 0.5 and event.end < stop + 0.5 and 0 < event.confidence <= 1 for event in hits)
    assert sum(found) >= len(found) / 2, found


@pytest.mark.parametrize("sound", [SPEECH, voice(6), voice(4, tilt=0.6, level=0.5)], ids=["sample", "low", "tense"])
def test_speech_is_none_of_them(sound):
    assert READER.read(sound).events == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_coughs_clicks_screams_and_hisses_are_no_laughs_and_no_sobs(seed):
    noise = vocalize("noise", np.random.default_rng([4, seed]))
    events = READER.read(np.concatenate([quiet(0.4), noise, quiet(0.4)])).events
    assert not [event for event in events if event.kind in ("laugh", "sob")]


@pytest.mark.parametrize(
    ("sound", "obstacle"), [(crowd(), {"crowd"}), (music(), {"music", "crowd"}), (quiet(3), {"silent"}), (quiet(0.1), {"silent"})]
)
def test_an_obstacle_stays_one_and_has_no_events(sound, obstacle):
    reading = READER.read(sound)
    assert reading.obstacle in obstacle and reading.events == ()


def test_what_is_felt_is_not_read_from_a_laugh():
    """An acted laugh was anger, 0.43 sure: its cues are those of a shout."""
    sound, *_ = placed("laugh", 0)
    reading = READER.read(sound)
    assert reading.events and reading.aroused == pytest.approx(
        READER.read(np.concatenate([SPEECH[:44000], SPEECH[40000:70000]])).aroused, abs=0.12
    )


def test_laughter_alone_says_nothing_of_a_feeling():
    found = []
    for seed in SEEDS:
        laughter = vocalize("laugh", np.random.default_rng([9, seed]))
        reading = READER.read(np.concatenate([quiet(0.4), 0.6 * laughter, quiet(0.4)]))
        if [event.kind for event in reading.events] == ["laugh"]:
            found.append(reading.spoken)
    assert len(found) >= len(SEEDS) / 2 and not any(found), found


def test_a_whisper_is_heard_rather_than_called_too_little_speech():
    sound = vocalize("whisper", np.random.default_rng(1), SPEECH)
    reading = READER.read(np.concatenate([quiet(0.3), 0.3 * sound, quiet(0.3)]))
    assert {event.kind for event in reading.events} == {"whisper"} and reading.obstacle == "" and not reading.spoken


def test_gain_and_repetition_change_nothing():
    sound, *_ = placed("laugh", 1)
    events = READER.read(sound).events
    assert events == READER.read(sound).events and [e.kind for e in READER.read(0.3 * sound).events] == [e.kind for e in events]


def test_events_do_not_overlap_and_are_in_order():
    parts = [part for kind in KINDS for part in (vocalize(kind, np.random.default_rng(3), SPEECH), quiet(0.5))]
    events = READER.read(np.concatenate(parts)).events
    assert len(events) >= 2 and all(a.end <= b.start for a, b in itertools.pairwise(events))


def test_a_recording_too_short_for_a_rhythm_has_no_stretches():
    for seconds in (0.0, 0.3, 0.59):
        prosody = describe_prosody(voice(2)[: int(16000 * seconds)])
        assert stretches_of(prosody) == [] and measure_cues(prosody, mel_levels(voice(2)[: int(16000 * seconds)])).shape == (
            0,
            len(VocalCues._fields),
        )


def test_the_weights_fit_the_cues_and_probabilities_sum_to_one():
    head = VocalEventHead()
    assert head._tensors["weight"].shape == (len(CLASSES), len(VocalCues._fields))
    cues = head._tensors["mean"] + 9 * np.random.default_rng(0).standard_normal((5, len(VocalCues._fields))) * head._tensors["deviation"]
    assert head(cues).sum(1) == pytest.approx(np.ones(5)) and np.isfinite(head(cues)).all()


def test_a_laugh_goes_on_after_a_breath_where_it_is_only_likely():
    prosody = describe_prosody(SPEECH)
    places = stretches_of(prosody)

    def events(kind, *levels):
        """Of a track that has a level for half a second each, from 0.5 s on."""
        track = np.zeros(len(places))
        for i, level in enumerate(levels, 1):
            track[5 * i : 5 * i + 5] = level
        return list(of_kind(kind, track, (track > 0.1).astype(float), places, prosody))

    (sure,) = events("laugh", 0.9)
    (longer,) = events("laugh", 0.9, 0.0, 0.25)
    (before,) = events("laugh", 0.25, 0.0, 0.9)
    assert longer.start == sure.start and longer.end >= sure.end + 0.6 and longer.confidence == sure.confidence == 0.9
    assert before.start == sure.start and before.end == longer.end
    assert events("laugh", 0.25, 0.0, 0.25) == []
    assert len(events("laugh", 0.9, 0.0, 0.0, 0.0, 0.9)) == 2 and len(events("laugh", 0.9, 0.0, 0.9)) == 1
    assert len(events("sigh", 0.9, 0.0, 0.9)) == 2  # there are no bouts of sighs
