"""`tbd track`: what it refuses; tests/cli/test_render.py renders what it tracks."""

from tbd.utils.sample_inputs import VOICE
from tests.cli.refusals import refused


def test_a_motion_name_without_a_format(kept_empty, capsys):
    assert ".npz" in refused(capsys, "track", str(VOICE), f"--output={kept_empty / 'm.txt'}")
