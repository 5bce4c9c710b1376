"""The scripts and the notebook of examples/ run as a reader would run them, on two seconds of voice."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tbd.face.motion import Motion

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = {
    "edit_a_plan": ["--seconds=2", "--size=96", "--output=edited.mp4"],
    "drive_a_game_character": ["--seconds=2", "--output=motion.csv"],
    "compare_guidance": ["--seconds=2", "--scales", "1", "3"],
}


def run(folder: Path, *argv: str) -> str:
    paths = [str(EXAMPLES.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "COLUMNS": "100"}
    done = subprocess.run([sys.executable, *argv], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def width_of(video: Path) -> int:
    with av.open(str(video)) as file:
        return file.streams.video[0].width


def test_every_script_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(name, tmp_path):
    said = run(tmp_path, str(EXAMPLES / f"{name}.py"), *SCRIPTS[name])
    if name == "edit_a_plan":
        before, after = map(float, re.search(r"is (\S+) on the left and (\S+) on the right", said).groups())
        assert width_of(tmp_path / "edited.mp4") == 192 and after > before
    elif name == "drive_a_game_character":
        assert len(Motion.load(tmp_path / "motion.csv")) == 50 and "50 frames" in said
    else:
        assert "AU4 Brow Lowerer" in said and "scale 3" in said


def test_the_notebook(tmp_path):
    """Its cells one after the other; without IPython it prints where it would show."""
    notebook = json.loads((EXAMPLES / "think_before_draw.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code")
    script = tmp_path / "notebook.py"
    script.write_text("\n\n".join(cells).replace("SECONDS, SIZE = 4.0, 256", "SECONDS, SIZE = 2.0, 64"), encoding="utf-8")
    said = run(tmp_path, str(script))
    assert "AU12" in said and width_of(tmp_path / "talking.mp4") == 64 and len(Motion.load(tmp_path / "motion.csv")) == 50
