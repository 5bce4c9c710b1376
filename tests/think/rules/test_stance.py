"""What is named and is not so: demanded, imagined, asked about, past, over, somebody else's, said in another voice."""

import pytest

from benchmarks.think.families import items
from benchmarks.think.judge import leading
from tbd.think import KnowledgePlanner

PLANNER = KnowledgePlanner()


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("My mother told me to be grateful.", "sad"),  # demanded
        ("He ordered us to look happy for the photo.", "sad"),
        ("She expected me to cheer.", "sad"),
        ("I was told not to be afraid", "fear"),
        ("She should look sad", "sad"),  # a direction
        ("I want him to be happy", "happy"),
        ("They told me the news and I smiled", "happy"),
        ("If I won I would be happy.", "neutral"),  # imagined
        ("I would be furious if he came late.", "neutral"),
        ("She might get angry.", "neutral"),
        ("It would be nice to feel proud for once.", "neutral"),
        ("I'd be furious!", "angry"),
        ("She might cry any second", "sad"),
        ("Even if he smiles, he is sad", "sad"),
        ("He looks as if he would cry", "sad"),
        ("Are you happy?", "neutral"),  # asked
        ("Isn't she angry?", "angry"),
        ("Why is she crying?", "sad"),
        ("Yesterday I was furious, today I am calm.", "neutral"),  # past
        ("As a child I was afraid of dogs, now I love them.", "happy"),
        ("Yesterday was sad", "sad"),
        ("She once was so happy here.", "sad"),
        ("Her fear has gone.", "neutral"),  # over
        ("I got over my grief.", "neutral"),
        ("He stopped being angry.", "neutral"),
        ("My happiness did not last.", "sad"),
        ("She is over the moon", "happy"),
        ("nobody laughed", "neutral"),
        ("nobody knows how sad I am", "sad"),
        ("nobody at the party was sad", "neutral"),
        ("nobody at the party saw how sad I was", "sad"),
        ("They claim to be sorry.", "neutral"),  # claimed
        ("He claims that he was terrified", "neutral"),
        ("Supposedly she was heartbroken", "neutral"),
        ("She swears she is delighted, but I don't believe her", "neutral"),
        ("He claims to be fine and cries", "sad"),
        ("He says he is not angry, but his fists are clenched", "angry"),
        ("She said she was furious", "angry"),
        ("pretends to be happy", "happy"),  # a posed smile
        ("I pretend to be happy", "sad"),
        ("She pretended to love me", "sad"),
        ("My boss is furious with me.", "fear"),  # somebody else's
        ("They hate us", "sad"),
        ("My mother is proud of me", "happy"),
        ("I am angry with me", "angry"),
        ("I am not unhappy.", "happy"),  # denied twice
        ("I cannot say that I am not afraid.", "fear"),
        ("not angry", "neutral"),
        ("she is anything but calm", "fear"),  # tense
        ("not relaxed at all", "fear"),
        ("not calm but furious", "angry"),
        ('"I am so happy for you", she hissed through her teeth.', "angry"),  # how it is said
        ("“I'm fine,” he sobbed.", "sad"),
        ('"How lovely," she said coldly.', "contempt"),
        ('"I am so happy!" she said', "happy"),
        ('look "happy"', "happy"),
        ("She forced a smile.", "neutral"),
    ],
)
def test_kinds(text, emotion):
    assert leading(PLANNER.plan(text))[0] == emotion


def test_the_sentences_that_were_held_back():
    """By the rules alone; three of the six that they miss are ironic, which takes the encoder."""
    held = items(("stance_held_out",))
    right = sum(leading(PLANNER.plan(item.text))[0] in item.leading for item in held)
    assert len(held) == 31 and right >= 25


def test_why_is_said():
    assert "“happy” is only imagined, so it stays out" in PLANNER.plan("If I won I would be happy.").reasoning[0].text


def test_a_forced_smile_lifts_the_corners_and_not_the_cheeks():
    units = {action.unit for action in PLANNER.plan("She forced a smile.").actions}
    assert 12 in units and 6 not in units
