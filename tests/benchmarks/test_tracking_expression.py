"""How the re-rendered pictures of tracked clips are counted."""

from pathlib import Path

import pytest

from benchmarks.tracking_expression import LANDMARKER, Clip, read_clips, score
from tbd.errors import InputError
from tbd.face.neutral import AVERAGE


def test_every_clip_counts_once_however_many_pictures_it_has():
    joy, fear = Clip("joy", Path("joy.mp4"), "p001", "happy"), Clip("fear", Path("fear.mp4"), "p002", "fear")
    pictures = {"a": (joy, "filmed"), "b": (joy, AVERAGE), "c": (joy, AVERAGE), "d": (joy, LANDMARKER)}
    pictures |= {"e": (fear, "filmed"), "f": (fear, AVERAGE)}
    found = score(pictures, {"a": "happy", "b": "happy", "c": "neutral", "d": "happy", "e": "fear", "f": None})
    assert list(found) == [AVERAGE, LANDMARKER]
    assert (found[AVERAGE]["named"], found[AVERAGE]["filmed"], found[AVERAGE]["kept"]) == (0.25, 1.0, 0.25)
    assert found[LANDMARKER]["clips"] == 1 and found[LANDMARKER]["kept"] == 1.0
    assert found[AVERAGE]["by_emotion"]["happy"] == {"named": 0.5, "filmed": 1.0, "clips": 1}


def test_first_word_that_names_a_class_counts(tmp_path):
    table = tmp_path / "clips.csv"
    table.write_text('file,person,emotion\na.mp4,p1,"furious, shouting"\nb.mp4,p1,neutral L1\nc.mp4,p1,playful\n')
    assert [(clip.name, clip.emotion) for clip in read_clips([str(table)], tmp_path)] == [("b", "neutral"), ("a", "angry")]
    table.write_text("file,person,emotion\nc.mp4,p1,playful\n")
    with pytest.raises(InputError, match="one of the emotions"):
        read_clips([str(table)], tmp_path)
