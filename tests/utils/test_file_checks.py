import os
from pathlib import Path

import pytest

from tbd.errors import InputError
from tbd.utils.file_checks import check_files, check_folder, same_file


class TestChecks:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("in.wav").write_text("sound")
        Path("folder").mkdir()
        os.mkfifo("pipe.mp4")

    @pytest.mark.parametrize(
        ("inputs", "outputs", "said"),
        [
            ({"--audio": "no.wav"}, {}, "no file no.wav"),
            ({"--audio": "folder"}, {}, "is a folder"),
            ({}, {"--output": "folder"}, "is a folder"),
            ({}, {"--output": "pipe.mp4"}, "pipe or a device"),
            ({}, {"--output": "in.wav/a.mp4"}, "is no folder"),
            ({}, {"--output": "/proc/nowhere/a.mp4"}, "/proc"),
            ({"--audio": "in.wav"}, {"--output": "folder/../in.wav"}, "file of --audio"),
            ({}, {"--output": "a.mp4", "--other": "folder/../a.mp4"}, "a name of its own"),
            ({}, {"--output": "a.txt"}, ".mp4 or .mov"),
        ],
    )
    def test_refused(self, inputs, outputs, said):
        with pytest.raises(InputError) as caught:
            check_files(
                inputs, outputs, {"--output": (".mp4", ".mov", ".wav")} if "txt" not in str(outputs) else {"--output": (".mp4", ".mov")}
            )
        assert said in str(caught.value)

    def test_new_folders_may_be_made(self):
        check_files({"--audio": "in.wav", "--plan": None}, {"--output": "new/deep/a.mp4"})
        assert not Path("new").exists()

    def test_folders(self):
        check_folder("--output", "new", {"--root": "folder"})
        check_folder("--output", "folder/new", {"--root": "folder"}, inside=True)
        for output, inside in (("folder", True), ("folder/new", False), ("in.wav", True)):
            with pytest.raises(InputError, match="--output"):
                check_folder("--output", output, {"--root": "folder"}, inside)

    def test_names_that_differ_by_case_are_two_files_here(self):
        assert same_file("a.mp4", "folder/../a.mp4") and same_file("A.mp4", "a.mp4") == Path("IN.WAV").exists()
