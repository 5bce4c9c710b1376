"""A word that names a feeling in another language decides; what is denied, a name or English does not."""

import re

import pytest

from tbd.think.emotions import EMOTIONS
from tbd.think.rules.lexicon import ASSETS
from tbd.think.rules.parser import read
from tbd.think.situations.feeling_words import named_feelings
from tbd.think.situations.planner import SituationPlanner
from tests.think.sentences import leading
from tests.think.situations.fakes import planner


def named(text):
    """The feelings that are named and not denied; None where none is."""
    found = named_feelings(text, read(text))
    return None if found is None else set(found.emotions)


@pytest.fixture
def without_encoder():
    made = SituationPlanner()
    made.__dict__["classifier"] = None
    return made


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("wütend", "angry"), ("WUETEND", "angry"), ("enojado", "angry"), ("kızgın", "angry"), ("kizgin", "angry"), ("lei seg", "sad"),
        ("אני עצוב מאוד", "sad"), ("λυπημένος", "sad"), ("J'ai le cœur brisé", "sad"), ("Hun blev vred", "angry"), ("他气死了", "angry"),
        ("嬉しくてたまらない", "happy"), ("너무 화가 나요", "angry"), ("vui quá", "happy"), ("ฉันเศร้ามาก", "sad"),
        ("میں بہت خوش ہوں", "happy"),
        ("আমি খুব দুঃখী", "sad"), ("मैं बहुत ख़ुश हूँ", "happy"), ("с презрением", "contempt"), ("Masayang-masaya ako", "happy"),
    ],
)  # fmt: skip
def test_a_named_feeling_is_found(text, emotion):
    assert named(text) == {emotion}


@pytest.mark.parametrize(
    "text",
    [
        "Ich bin nicht traurig", "No estoy triste", "Je ne suis pas triste", "我不难过", "Мне не грустно", "悲しくない", "üzgün değilim",
        "मैं दुखी नहीं हूँ", "Nie jestem wcale smutna", "ohne Angst", "슬프지 않아요",
    ],
)  # fmt: skip
def test_a_denied_feeling_is_not_felt(text):
    assert named(text) == set()


def test_a_denial_does_not_reach_over_a_comma_or_an_and():
    assert named("Nein, nicht heute, ich bin traurig") == {"sad"}
    assert named("Ich habe keine Zeit und bin traurig") == {"sad"}
    assert named("Er ist nicht nur traurig") == {"sad"}
    assert named("他不高兴") == {"sad"}  # the phrase is longer than the denied "高兴"


@pytest.mark.parametrize(
    "text",
    [
        "I am glad", "bang", "The gift was bang on the table", "Sin City opens on Monday", "glad", "My dog is called Feliz",  # English
        "Le livre est sur la table.", "Hon är gift med en läkare", "La libro estas sur la tablo.",  # "sur" is Danish for angry
        "Jalan Bahagia ada di belakang kantor pos.", "Ulice Smutná začíná u tramvajové zastávky.", "",  # names
    ],
)  # fmt: skip
def test_what_only_looks_like_a_feeling_is_none(text):
    assert not named(text)


def test_the_reasoning_names_word_and_language(without_encoder):
    plan = without_encoder.plan("wütend")
    assert leading(plan, 0) == "angry" and plan.actions and not plan.notes
    assert "“wütend” names anger (German)" in plan.reasoning[0].text


def test_a_denied_feeling_leaves_the_face_at_rest_and_says_why(without_encoder):
    plan = without_encoder.plan("Мне не грустно")
    assert plan.emotions.get("sad", 0) == 0
    assert "“грустно” (Russian) is denied" in plan.reasoning[0].text


def test_degrees_mixes_and_sequences(without_encoder):
    weak, bare, strong = (without_encoder.plan(text).intensity for text in ("ein bisschen traurig", "traurig", "sehr traurig"))
    assert weak < bare < strong < without_encoder.plan("sehr verzweifelt").intensity
    assert set(without_encoder.plan("Estoy triste y enojado").emotions) == {"sad", "angry"}
    parts = without_encoder.plan("erst traurig, dann sehr glücklich", duration=4).segments
    assert [max(s.emotions, key=s.emotions.get) for s in parts] == ["sad", "happy"]


def test_a_word_decides_against_the_encoder_but_not_in_a_long_text_or_a_plain_statement(tmp_path):
    made = planner(tmp_path, {"parade": "neutral", "zug": "happy", "traurig": "fear"})
    assert leading(made.plan("Ich bin traurig"), 0) == "sad"
    assert leading(made.plan("Der traurige Zug der Kinder kam heute endlich doch noch bei uns an"), 0) == "happy"
    assert made.plan("Die Parade der Freude beginnt am Bahnhof").intensity == 0


def test_the_table_has_every_emotion_in_every_language_and_no_unknown_key():
    text = (ASSETS / "feelings_by_language.txt").read_text(encoding="utf-8")
    sections = re.split(r"^\[(.+)\]$", text, flags=re.MULTILINE)[1:]
    assert len(sections) // 2 >= 35
    for name, body in zip(sections[::2], sections[1::2]):
        keys = {line.split(":")[0] for line in body.splitlines() if line}
        assert {key.rpartition(" ")[0] if key[-1].isdigit() else key for key in keys} >= set(EMOTIONS), name
        assert all(
            re.fullmatch(rf"({'|'.join(EMOTIONS)})( \.\d+)?|small|very|slightly|not|not after|but|then|prefixes", key) for key in keys
        ), name
