"""A recording, a portrait or a video is never overwritten, however it is spelled."""

from pathlib import Path

import pytest

from tbd.face.motion import Motion
from tbd.utils.sample_inputs import PORTRAIT, VOICE
from tests.cli.refusals import refused


class TestOutputOverInput:
    """A recording, a portrait or a film is never overwritten, however it is spelled."""

    @pytest.fixture(params=["the same", "dotted", "absolute", "symbolic link", "hard link"])
    def pair(self, request, tmp_path, monkeypatch):
        """Input and output, relative to the working folder."""
        monkeypatch.chdir(tmp_path)
        Path("x.mp4").write_bytes(b"precious")
        Path("sub").mkdir()
        if request.param == "symbolic link":
            Path("y.mp4").symlink_to("x.mp4")
        elif request.param == "hard link":
            Path("y.mp4").hardlink_to("x.mp4")
        spelled = {"the same": "x.mp4", "dotted": "sub/../x.mp4", "absolute": str(tmp_path / "x.mp4")}
        yield "x.mp4", spelled.get(request.param, "y.mp4")
        assert Path("x.mp4").read_bytes() == b"precious"

    def test_generate(self, capsys, pair):
        assert "overwritten" in refused(capsys, "generate", f"--portrait={PORTRAIT}", f"--audio={pair[0]}", f"--output={pair[1]}")
        assert "overwritten" in refused(capsys, "generate", f"--portrait={pair[0]}", f"--audio={VOICE}", f"--output={pair[1]}")

    def test_render(self, capsys, pair):
        Motion.zeros(2).save("m.npz")
        arguments = [f"--portrait={PORTRAIT}", "--motion=m.npz", f"--audio={pair[1]}", f"--output={pair[0]}"]
        assert "overwritten" in refused(capsys, "render", *arguments)

    def test_track(self, capsys, pair):
        Path("x.npz").symlink_to(pair[1])
        assert "overwritten" in refused(capsys, "track", pair[0], "--output=x.npz")

    def test_think(self, capsys, pair):
        Path("x.svg").symlink_to(pair[1])
        assert "overwritten" in refused(capsys, "think", f"--from={pair[0]}", "--chart=x.svg")

    def test_folders(self, capsys, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("raw").mkdir()
        Path("link").symlink_to("raw")
        assert "both link" in refused(capsys, "preprocess", "folder", "--root=raw", "--output=link")
        assert "lies in" in refused(capsys, "synthesize", "--recordings", "raw", "--output=raw/out")
        said = refused(capsys, "predict", "--protocol=procedural-v2", "--reference=link", "--output=raw")
        assert "--output raw is the folder of --reference" in said

    def test_scores_beside_their_predictions(self, capsys, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"")
        said = refused(capsys, "evaluate", "--protocol=procedural-v2", f"--predictions={tmp_path}", f"--output={tmp_path / 'a.json'}")
        assert "overwritten" in said
