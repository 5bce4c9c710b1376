"""Live Link Face's files: its header, time codes, signs."""

import numpy as np
import pytest

from tbd.face.channels import INDEX
from tbd.face.motion import Motion
from tbd.face.motion_io import live_link
from tbd.utils.user_warnings import collect_warnings
from tests.face.motion_io.tables import VALUES, joined, load, renamed


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
        header, row = live_link.rows(motion.values)
        told = dict(zip(header, map(float, [0, *row[1:]])))
        assert (told["HeadPitch"], told["HeadYaw"], told["HeadRoll"]) == pytest.approx((-0.3, 0.2, 0.1))
        assert (told["LeftEyeYaw"], told["RightEyeYaw"]) == pytest.approx((-0.3, -0.3)) and told["LeftEyePitch"] == pytest.approx(0.55)

    def test_the_head_of_our_own_table_keeps_its_sign(self, tmp_path):
        motion, _ = load(tmp_path, renamed(lambda c: c[0].upper() + c[1:]))
        assert np.allclose(motion["headPitch"], VALUES[:, INDEX["headPitch"]], atol=1e-5)

    def test_frames_are_sixtieths_and_dropped_ones_leave_time(self, tmp_path):
        stamps = [0, 2, 4, 10, 12]  # of 60, from 13:13:04:31.652 on
        table = live_link.rows(Motion.zeros(5).values)
        jaw = live_link.COLUMNS.index("JawOpen")
        for row, stamp in zip(table[1:], stamps):
            row[0], row[jaw] = f"13:13:04:{31.652 + stamp:06.3f}", str(stamp / 60)
        motion, _ = load(tmp_path, joined(table))
        np.testing.assert_allclose(motion["jawOpen"], np.arange(6) / 25, atol=1e-4)

    def test_rows_without_a_face_are_bridged(self, tmp_path, motion):
        table = live_link.rows(motion.values)
        table[7][1:] = ["0", *[""] * 61]
        back, notes = load(tmp_path, joined(table))
        np.testing.assert_allclose(back.values, motion.values, atol=0.02)
        assert "1 rows are empty" in notes

    def test_a_real_recording(self, shared):
        with collect_warnings() as notes:
            motion = Motion.load(shared / "data/faults/02_livelinkface_real.csv")
        assert len(motion) == 75 and motion["eyeBlinkLeft"].max() > 0.8 and "90 rows at 30 a second" in " ".join(notes)
