"""What a text leaves open."""

import pytest

from tbd.think.voice.openness import find_openness


@pytest.mark.parametrize(
    ("text", "strength", "timing"),
    [
        ("furious", True, True),
        ("She lost her job.", True, True),
        ("他没有来参加我的婚礼", True, True),
        ("slightly sad", False, True),
        ("very angry", False, True),
        ("quietly furious", False, True),
        ("AU4 at 0.7", False, True),
        ("70 % happy", False, True),
        ("happy from 1 s to 3 s", True, False),
        ("slowly sad", True, False),
        ("sad, then happy", True, True),
        ("a flash of anger", True, False),
    ],
)
def test_what_is_said_is_not_open(text, strength, timing):
    assert find_openness(text)[:2] == (strength, timing)
    assert find_openness(text).muscles == ("AU" not in text)
