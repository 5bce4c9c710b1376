"""Motion files of other programs: every dialect means the same motion, or is refused in one sentence."""

import io
import json
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tbd.errors import InputError
from tbd.face.motion import BLENDSHAPES, CHANNELS, HEAD, INDEX, Motion
from tbd.face.motion_io import livelink, names
from tbd.utils.user_warnings import collect_warnings

FRAMES = 50
TIMES = np.arange(FRAMES) / 25


def _performance() -> np.ndarray:
    """(50, 58): left and right together, as on a face."""
    values = np.zeros((FRAMES, 58))
    for i, channel in enumerate(BLENDSHAPES):
        phase = sum(map(ord, re.sub("Left|Right", "", channel)))
        values[:, i] = 0.3 + 0.3 * np.sin(3 * TIMES + phase)
    values[:, 52:55] = 0.2 * np.sin(2 * TIMES[:, None] + np.arange(3))
    values[:, 55:] = 0.05
    return values


VALUES = _performance()
FACE = np.concatenate([VALUES[:, :52], np.zeros((FRAMES, 6))], 1)


def rows(values=VALUES, times=TIMES, first="time", columns=CHANNELS) -> list[list[str]]:
    return [[first, *columns], *([f"{t:.4f}", *(f"{v:.6f}" for v in row)] for t, row in zip(times, values))]


def joined(table, separator=",") -> str:
    return "".join(separator.join(row) + "\n" for row in table)


def renamed(rename, table=None) -> str:
    table = table or rows()
    return joined([[table[0][0], *map(rename, table[0][1:])], *table[1:]])


def timed(first: str, stamp) -> str:
    table = rows()
    return joined([[first, *CHANNELS], *([stamp(i), *row[1:]] for i, row in enumerate(table[1:]))])


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def commas(table) -> list[list[str]]:
    return [[cell.replace(".", ",") for cell in row] for row in table]


def load(tmp_path: Path, content: str | bytes, encoding="utf-8", name="m.csv") -> tuple[Motion, str]:
    """The motion and its notes."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    with collect_warnings() as notes:
        motion = Motion.load(path)
    return motion, " ".join(notes)


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


def test_drop_frame_codes_skip_numbers_and_no_time(tmp_path):
    """00:00:59;29 is followed by 00:01:00;02 a frame later (SMPTE ST 12-1)."""
    codes = [*(f"00:00:59;{i:02}" for i in range(20, 30)), *(f"00:01:00;{i:02}" for i in range(2, 22))]
    table = [["timecode", "jawOpen"], *([code, f"{i / 30:.6f}"] for i, code in enumerate(codes))]
    motion, _ = load(tmp_path, joined(table))
    np.testing.assert_allclose(np.diff(motion["jawOpen"]), 1 / 25 * 29.97 / 30, atol=1e-4)


def test_one_row_is_one_frame(tmp_path):
    assert len(load(tmp_path, joined(rows()[:2]))[0]) == 1


class TestLiveLinkFace:
    """Epic's app: its own header, time codes, signs."""

    @pytest.fixture
    def motion(self) -> Motion:
        motion = Motion(VALUES.copy())
        motion.head[:, 3:] = 0
        return motion

    def test_the_header_is_the_apps(self, tmp_path, motion):
        motion.save(tmp_path / "m.csv")
        header, first, second = (tmp_path / "m.csv").read_text().splitlines()[:3]
        assert header.startswith("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,") and header.endswith(
            "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
        )
        assert first.startswith("00:00:00:00.000,61,") and second.startswith("00:00:00:02.400,61,")
        assert {len(line.split(",")) for line in (header, first)} == {63}

    def test_the_round_trip_loses_nothing_but_offsets(self, tmp_path, motion):
        motion.save(tmp_path / "m.csv")
        np.testing.assert_allclose(Motion.load(tmp_path / "m.csv").values, motion.values, atol=1e-7)
        with collect_warnings() as notes:
            Motion(VALUES).save(tmp_path / "moved.csv")
        assert "no columns for the head's offset" in notes[0]

    def test_signs(self, tmp_path):
        """Pitch is up there and down here; an eye that looks to the left has a negative yaw, one that looks down a positive pitch."""
        motion = Motion.zeros(1)
        motion["headPitch"], motion["headYaw"], motion["headRoll"] = 0.3, 0.2, 0.1
        motion["eyeLookOutLeft"] = motion["eyeLookInRight"] = 0.5
        motion["eyeLookDownLeft"] = motion["eyeLookDownRight"] = 1.0
        header, row = livelink.rows(motion)
        told = dict(zip(header, map(float, [0, *row[1:]])))
        assert (told["HeadPitch"], told["HeadYaw"], told["HeadRoll"]) == pytest.approx((-0.3, 0.2, 0.1))
        assert (told["LeftEyeYaw"], told["RightEyeYaw"]) == pytest.approx((-0.3, -0.3)) and told["LeftEyePitch"] == pytest.approx(0.55)

    def test_the_head_of_our_own_table_keeps_its_sign(self, tmp_path):
        motion, _ = load(tmp_path, renamed(lambda c: c[0].upper() + c[1:]))
        assert np.allclose(motion["headPitch"], VALUES[:, INDEX["headPitch"]], atol=1e-5)

    def test_frames_are_sixtieths_and_dropped_ones_leave_time(self, tmp_path):
        stamps = [0, 2, 4, 10, 12]  # of 60, from 13:13:04:31.652 on
        table = livelink.rows(Motion.zeros(5))
        jaw = livelink.COLUMNS.index("JawOpen")
        for row, stamp in zip(table[1:], stamps):
            row[0], row[jaw] = f"13:13:04:{31.652 + stamp:06.3f}", str(stamp / 60)
        motion, _ = load(tmp_path, joined(table))
        np.testing.assert_allclose(motion["jawOpen"], np.arange(6) / 25, atol=1e-4)

    def test_rows_without_a_face_are_bridged(self, tmp_path, motion):
        table = livelink.rows(motion)
        table[7][1:] = ["0", *[""] * 61]
        back, notes = load(tmp_path, joined(table))
        np.testing.assert_allclose(back.values, motion.values, atol=0.02)
        assert "1 rows are empty" in notes

    def test_a_real_recording(self, shared):
        with collect_warnings() as notes:
            motion = Motion.load(shared / "data/faults/02_livelinkface_real.csv")
        assert len(motion) == 75 and motion["eyeBlinkLeft"].max() > 0.8 and "90 rows at 30 a second" in " ".join(notes)


@pytest.mark.parametrize(("name", "frames"), [("03_time_column_60fps", 62), ("04_units_percent", 63), ("05_dialect_snake", 11)])
def test_the_users_own_tables(shared, name, frames):
    with collect_warnings():
        motion = Motion.load(shared / f"data/faults/{name}.csv")
    assert len(motion) == frames and 0.5 < motion.blendshapes.max() <= 1


DOCUMENTS = {
    "Audio2Face": ({"exportFps": 25.0, "facsNames": list(BLENDSHAPES), "weightMat": VALUES[:, :52].tolist()}, FACE),
    "names and frames": (
        {"names": list(BLENDSHAPES), "frames": [{"weights": row[:52].tolist(), "time": t} for t, row in zip(TIMES, VALUES)]}, FACE),
    "frames": ([{"time": t, **dict(zip(CHANNELS, row))} for t, row in zip(TIMES, VALUES)], VALUES),
    "inner": ([{"timestamp": 1000 * t, "blendshapes": dict(zip(CHANNELS, row))} for t, row in zip(TIMES, VALUES)], VALUES),
    "columns": ({"fps": 25, **{c: VALUES[:, i].tolist() for i, c in enumerate(CHANNELS)}}, VALUES),
    "MediaPipe": ([[{"categoryName": c, "score": row[i]} for i, c in enumerate(BLENDSHAPES)] for row in VALUES], FACE),
}  # fmt: skip


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_json(tmp_path, kind):
    document, wanted = DOCUMENTS[kind]
    np.testing.assert_allclose(load(tmp_path, json.dumps(document), name="m.json")[0].values, wanted, atol=1e-6)


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": 1}', "[1, 2]", '[{"a": 1}]', "[]", '{"jawOpen": ["x"]}'])
def test_json_that_is_no_motion(tmp_path, text):
    with pytest.raises(InputError, match=r"m\.json") as caught:
        load(tmp_path, text, name="m.json")
    assert "\n" not in str(caught.value)


def _npy(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


APPLE = VALUES[:, [INDEX[c] for c in livelink.SHAPES]]
MEDIAPIPE = np.concatenate([np.zeros((FRAMES, 1)), VALUES[:, :51]], 1)


@pytest.mark.parametrize(
    ("array", "order", "wanted"),
    [
        (VALUES, "tbd's", VALUES),
        (VALUES[None], "tbd's", VALUES),
        (VALUES[:, :52], "alphabetical", FACE),
        (APPLE, "Live Link Face's", FACE),
        (MEDIAPIPE, "MediaPipe's", FACE * (np.arange(58) != INDEX["tongueOut"])),
    ],
)
def test_arrays_without_names_are_ordered_by_symmetry(tmp_path, array, order, wanted):
    motion, notes = load(tmp_path, _npy(array), name="m.npy")
    np.testing.assert_allclose(motion.values, wanted, atol=1e-6)
    assert f"order is taken as {order}" in notes


@pytest.mark.parametrize(
    ("array", "said"), [(VALUES[:, :52].T, "transpose"), (VALUES[:, :57], "57 columns"), (np.array(3.0), "holds an array"),
                        (np.full((3, 58), np.nan), "no numbers"), (VALUES[:0], "no frames")])  # fmt: skip
def test_arrays_that_are_no_motion(tmp_path, array, said):
    with pytest.raises(InputError, match=said):
        load(tmp_path, _npy(array), name="m.npy")


def _zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


FOREIGN = {
    "pickle in npy": (_npy(np.array([{"a": 1}], object)), "pickle"),
    "pickle": (pickle.dumps({"a": 1}), "pickle"),
    "Excel": (_zip("xl/workbook.xml"), "Excel"),
    "zip": (_zip("a.txt"), "zip archive"),
    "half a zip": (b"PK\x03\x04abc", "broken off"),
    "noise": (bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)), "neither text"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
    "skeleton": (b"HIERARCHY\nROOT Hips\n", "BVH"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_other_kinds_of_files_are_called_by_name(tmp_path, kind):
    content, said = FOREIGN[kind]
    with pytest.raises(InputError, match=said) as caught:
        load(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_video_is_to_be_tracked_first(tmp_path):
    from tbd.media import VideoWriter

    with VideoWriter(tmp_path / "clip.mp4") as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(InputError, match=r"clip\.mp4 is a video; track it first: `tbd track"):
        Motion.load(tmp_path / "clip.mp4")


def test_the_text_of_all_channels_keeps_them(tmp_path):
    Motion(VALUES).save(tmp_path / "m.tsv")
    np.testing.assert_allclose(Motion.load(tmp_path / "m.tsv").values, VALUES, atol=1e-7)


def test_every_channel_is_found_under_its_own_name():
    assert [names.meaning(c) for c in CHANNELS] == [names.Meaning(c) for c in CHANNELS]
    assert {names.meaning(c).channel for c in livelink.COLUMNS if names.meaning(c)} == {*BLENDSHAPES, *HEAD[:3]}
