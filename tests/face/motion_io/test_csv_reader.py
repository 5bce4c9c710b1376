"""Text in any dialect means the same motion, or is refused in one sentence."""

import re

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.channels import CHANNELS, INDEX
from tbd.face.motion import Motion
from tbd.utils.user_warnings import collect_warnings
from tests.face.motion_io.tables import FRAMES, TIMES, VALUES, commas, joined, load, renamed, rows, snake, timed

SAME = {
    "as it is": joined(rows()),
    "semicolons and decimal commas": joined(commas(rows()), ";"),
    "tabs and decimal commas": joined(commas(rows()), "\t"),
    "decimal commas in quotes": "".join(",".join(f'"{c}"' for c in row) + "\n" for row in commas(rows())),
    "spaces": joined(rows(), "  "),
    "bars": joined(rows(), "|"),
    "commas at line ends": "".join(",".join(row) + ",\n" for row in rows()),
    "blank last lines": joined(rows()) + "\r\n\n \n",
    "windows line ends": joined(rows()).replace("\n", "\r\n"),
    "old mac line ends": joined(rows()).replace("\n", "\r"),
    "comments": "# made by X\n" + joined(rows()[:9]) + "// pause\n" + joined(rows()[9:]),
    "header as comment": "# " + joined(rows()),
    "lines above the header": "Exported by X 1.2\nactor,Anna\n\n" + joined(rows()),
    "excel's hint": "sep=;\n" + joined(rows(), ";"),
    "byte order mark": "\ufeff" + joined(rows()),
    "capitals": renamed(lambda c: c[0].upper() + c[1:]),
    "all capitals": renamed(str.upper),
    "snake case": renamed(snake),
    "kebab case": renamed(lambda c: snake(c).replace("_", "-")),
    "words": renamed(lambda c: snake(c).replace("_", " ")),
    "_L and _R": renamed(lambda c: re.sub("Right$", "_R", re.sub("Left$", "_L", c))),
    "L_ and R_": renamed(lambda c: re.sub("^(.*)Right$", r"R_\1", re.sub("^(.*)Left$", r"L_\1", c))),
    "ARKit_": renamed("ARKit_{}".format),
    "BS_": renamed("BS_{}".format),
    "Audio2Face's": renamed(lambda c: f"blendShapes.{c[0].upper()}{c[1:]}", [["timeCode", *CHANNELS], *rows()[1:]]),
    "halves of a whole": joined([[*r[:3], *((r[3], r[3]) if i else ("browInnerUp_L", "browInnerUp_R")), *r[4:]]
                                 for i, r in enumerate(rows())]),
    "a column twice": joined([[*r, r[1]] for r in rows()]),
    "milliseconds": joined(rows(times=TIMES * 1000, first="Time (ms)")),
    "milliseconds by their steps": joined(rows(times=TIMES * 1000, first="timestamp")),
    "seconds since 1970": joined(rows(times=TIMES + 1.7e9, first="timestamp")),
    "frame and fps": joined([["frame", "fps", *CHANNELS], *([str(i), "25", *r[1:]] for i, r in enumerate(rows()[1:]))]),
    "frame numbers": timed("Frame", str),
    "clock times": timed("time", lambda i: f"00:00:{i / 25:06.3f}"),
    "dates": timed("time", lambda i: f"2026-05-01T12:00:{i / 25:09.6f}Z"),
    "time codes": timed("timecode", lambda i: f"01:00:{i // 25:02}:{i % 25:02}"),
    "midnight": timed("timecode", lambda i: f"{'23:59:59' if i < 25 else '00:00:00'}:{i % 25:02}"),
    "a row twice": joined([*rows()[:5], rows()[4], *rows()[5:]]),
    "percent": joined(rows(VALUES * np.where(np.arange(58) < 52, 100, 1))),
    "percent signs": joined([rows()[0], *([r[0], *(f"{100 * float(c):.4f}%" for c in r[1:53]), *r[53:]] for r in rows()[1:])]),
    "degrees": joined(rows(VALUES * np.where(np.isin(np.arange(58), (52, 53, 54)), 180 / np.pi, 1))),
    "a line of units": joined([rows()[0], ["s", *["0-1"] * 58], *rows()[1:]]),
    "no header": joined([r[1:] for r in rows()[1:]]),
}  # fmt: skip


@pytest.mark.parametrize("dialect", SAME)
def test_a_dialect_means_the_same_motion(tmp_path, dialect):
    motion, _ = load(tmp_path, SAME[dialect])
    np.testing.assert_allclose(motion.values, VALUES, atol=5e-4)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(tmp_path, encoding):
    motion, notes = load(tmp_path, "# für München\n" + joined(rows()), encoding)
    np.testing.assert_allclose(motion.values, VALUES, atol=5e-4)
    assert not notes


NOTED = {
    "no head": (joined([r[:53] for r in rows()]), "the head's headPitch"),
    "no tongue": (joined([[c for i, c in enumerate(r) if i != 52] for r in rows()]), "tongueOut is not there"),
    "unknown": (joined([[*r, "jawOpn" if not i else "1"] for i, r in enumerate(rows())]), "'jawOpn' (did you mean jawOpen?) is not used"),
    "holes": (joined([r if i != 5 else [*r[:9], "", "NaN", *r[11:]] for i, r in enumerate(rows())]), "2 cells hold no number"),
    "empty rows": (joined([r if i != 5 else [r[0], *[""] * 58] for i, r in enumerate(rows())]), "1 rows are empty, the first is line 6"),
    "percent": (SAME["percent"], "taken as percent"),
    "degrees": (SAME["degrees"], "taken as degrees"),
    "8 bits": (joined([rows()[0][:53], *([r[0], *(str(round(255 * float(c))) for c in r[1:53])] for r in rows()[1:])]), "divided by 255"),
    "milliseconds": (SAME["milliseconds by their steps"], "taken as ms"),
    "no times": (joined([r[1:] for r in rows()]), "has no times"),
    "a row twice": (SAME["a row twice"], "1 rows have the time of the row before"),
    "exaggeration": (joined(rows(VALUES * np.where(np.arange(58) == INDEX["jawOpen"], 4, 0.5))), "taken as 0..1, exaggerated"),
    "negative": (joined(rows(VALUES - 0.9 * (np.arange(58) == 3))), "browOuterUpLeft falls to"),
    "broken off": (joined(rows())[:-200], "line 51, the last, is broken off"),
    "a long pause": (joined(rows(times=np.where(np.arange(FRAMES) < 25, TIMES, TIMES + 3))), "3.0 s pass between two rows"),
    "far away": (joined(rows(VALUES * np.where(np.arange(58) > 54, 400, 1))), "are left out"),
}  # fmt: skip


@pytest.mark.parametrize("case", NOTED)
def test_what_is_guessed_or_left_out_is_noted(tmp_path, case):
    content, said = NOTED[case]
    assert said in load(tmp_path, content)[1]


def test_a_plain_table_needs_no_note(tmp_path):
    assert load(tmp_path, SAME["as it is"])[1] == ""


REFUSED = {
    "text in a cell": (joined([r if i != 5 else [*r[:9], "abc", *r[10:]] for i, r in enumerate(rows())]), "line 6, eyeBlinkLeft: 'abc'"),
    "too many cells": (joined([r if i != 5 else [*r, "7"] for i, r in enumerate(rows())]), "line 6 has 60 cells under 59 columns"),
    "decimal commas between commas": (joined(commas(rows())), "Decimal commas"),
    "two takes": (joined(rows()) * 2, "time goes back at line 53"),
    "twice, with other numbers": (joined([[*r, r[9] if i else r[1]] for i, r in enumerate(rows())]), "browDownLeft twice"),
    "one wild cell": (joined([r if i != 7 else [*r[:25], "87", *r[26:]] for i, r in enumerate(rows())]), "jawOpen reaches 87"),
    "thousands": (joined(rows(VALUES * 4000)), "from 0 to 1"),
    "no rows": (joined(rows()[:1]), "no frames"),
    "60 columns without names": (joined([[*r[1:], "1", "2"] for r in rows()[1:]]), "60 columns without names"),
    "no table": ("to be or not to be", "no line names channels"),
    "web page": ("<html><body>404</body></html>", "no line names channels"),
    "nothing": ("", "empty"),
    "no time": (joined([r if i != 5 else ["soon", *r[1:]] for i, r in enumerate(rows())]), "line 6, time: 'soon' is no time"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, case):
    content, said = REFUSED[case]
    with pytest.raises(InputError, match=r"m\.csv") as caught:
        load(tmp_path, content)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_other_rates_are_resampled_by_their_times(tmp_path):
    times = np.arange(121) / 60
    ramp = np.zeros((121, 58))
    ramp[:, INDEX["jawOpen"]] = times / 2
    motion, notes = load(tmp_path, joined(rows(ramp, times)))
    np.testing.assert_allclose(motion["jawOpen"], np.arange(51) / 50, atol=1e-3)
    assert "121 rows at 60" in notes and "51 frames" in notes


@pytest.mark.parametrize("above", ["# fps: 50\n", "frame rate = 50\n", "sample rate 48000\n# FPS 50\n"])
@pytest.mark.parametrize("numbered", [True, False])
def test_a_rate_above_the_header_is_the_rows(tmp_path, above, numbered):
    table = [row if numbered else row[1:] for row in rows(times=np.arange(FRAMES), first="frame")]
    motion, notes = load(tmp_path, above + joined(table))
    assert len(motion) == 25 and "25 a second" not in notes
    np.testing.assert_allclose(motion.values, VALUES[::2], atol=0.02)


def test_drop_frame_codes_skip_numbers_and_no_time(tmp_path):
    """00:00:59;29 is followed by 00:01:00;02 a frame later (SMPTE ST 12-1)."""
    codes = [*(f"00:00:59;{i:02}" for i in range(20, 30)), *(f"00:01:00;{i:02}" for i in range(2, 22))]
    table = [["timecode", "jawOpen"], *([code, f"{i / 30:.6f}"] for i, code in enumerate(codes))]
    motion, _ = load(tmp_path, joined(table))
    np.testing.assert_allclose(np.diff(motion["jawOpen"]), 1 / 25 * 29.97 / 30, atol=1e-4)


def test_one_row_is_one_frame(tmp_path):
    assert len(load(tmp_path, joined(rows()[:2]))[0]) == 1


@pytest.mark.parametrize(("name", "frames"), [("03_time_column_60fps", 62), ("04_units_percent", 63), ("05_dialect_snake", 11)])
def test_the_users_own_tables(shared, name, frames):
    with collect_warnings():
        motion = Motion.load(shared / f"data/faults/{name}.csv")
    assert len(motion) == frames and 0.5 < motion.blendshapes.max() <= 1
