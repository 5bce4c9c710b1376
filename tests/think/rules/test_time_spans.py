"""The shortcut for texts without times must never hide one."""

import pytest

from tbd.think.rules import time_spans
from tests.think.sentences import TIMED, measured


@pytest.mark.parametrize("text", [line.text.lower() for line in measured()] + [text for text, _ in TIMED] + ["midway she cries", "nonstop"])
def test_no_pattern_matches_a_text_without_hints(text):
    if not time_spans.may_name_a_time(text):
        assert not [pattern.pattern for pattern, _ in time_spans._rules() if pattern.search(text)]


def test_plain_feelings_need_no_patterns():
    assert not any(map(time_spans.may_name_a_time, ("quietly furious", "she hides her joy", "knitted brows")))
