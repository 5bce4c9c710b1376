"""Spellings of the channels."""

from tbd.face.channels import BLENDSHAPES, CHANNELS, HEAD
from tbd.face.motion_io import column_names, live_link


def test_every_channel_is_found_under_its_own_name():
    assert [column_names.meaning(c) for c in CHANNELS] == [column_names.Meaning(c) for c in CHANNELS]
    assert {column_names.meaning(c).channel for c in live_link.COLUMNS if column_names.meaning(c)} == {*BLENDSHAPES, *HEAD[:3]}
