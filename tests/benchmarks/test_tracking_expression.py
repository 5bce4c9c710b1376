"""How the re-rendered pictures of tracked clips are counted."""

from pathlib import Path

import pytest
from skimage.data import astronaut

from benchmarks.tracking_expression import LANDMARKER, TUNED_PEOPLE, Clip, read_clips, resting_portrait, score, take_split
from tbd.errors import InputError
from tbd.face.neutral import AVERAGE
from tbd.face.tracker import FaceMeshTracker
from tbd.face.tracking.session import TrackingSession


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


def test_whom_drawing_was_tuned_on_is_not_judged():
    tuned, other = Clip("a", Path("a.mp4"), min(TUNED_PEOPLE), "sad"), Clip("b", Path("b.mp4"), "p999", "sad")
    assert take_split([tuned, other], ["x/q035.png"], "tuned") == ([tuned], ["x/q035.png"])
    assert take_split([tuned, other], ["x/new.png"], "judged") == ([other], ["x/new.png"])
    assert take_split([tuned, other], ["x/new.png", "q035.png"], "all")[0] == [tuned, other]
    with pytest.raises(InputError, match="tuned on"):
        take_split([tuned, other], ["x/new.png", "x/q035.png"], "judged")
    with pytest.raises(InputError, match="None of the clips"):
        take_split([tuned], ["x/new.png"], "judged")


def test_a_person_s_own_portrait_is_the_frame_nearest_to_rest():
    frames = [astronaut()] * 2
    with TrackingSession(FaceMeshTracker(), "still") as tracking:
        for frame in frames:
            tracking.add(frame)
        portrait = resting_portrait(tracking, frames, 96)
    assert portrait.image.shape == (96, 96, 3)
