"""Fills the leaderboard's own rows: predict, evaluate, add, for each; then builds the page.

    python -m benchmarks.rows                                   # procedural-v1; about two minutes a row on two idle cores
    python -m benchmarks.rows --only "Think-Before-Draw"        # one row again, for a model that was trained anew
    python -m benchmarks.rows --clips ../shared/data/clips      # and clips-v1 on a folder of real clips
    python -m benchmarks.rows --pixels true                     # and procedural-pixels-v1 on the same videos; several minutes a row
    python -m benchmarks.rows --portraits true                  # portraits-v1 alone, rows that need no true clips

Predictions are kept in ``runs/rows`` and taken up again; a model that was trained anew is drawn anew.
"""

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from benchmarks.common import run
from tbd import MOTION_MODEL
from tbd.errors import InputError, TBDError
from tbd.evaluation.leaderboard.entry import slug

_PREDICTORS = "tbd.evaluation.predictors"
_MODEL = f"{_PREDICTORS}.ModelPredictor"
_GUIDANCE = "tbd.draw.guidance"
TRUTH = "Ground truth"
"""The row that a protocol without true clips does not have."""


def _without_progression() -> dict[str, Any]:
    """The packaged model's own guidance, but for its schedule. Read without the model, whose imports take seconds."""
    content = yaml.safe_load(files("tbd").joinpath("assets", MOTION_MODEL, "config.yaml").read_text(encoding="utf-8"))
    guidance = content["model"]["init_args"]["guidance"]
    return {**guidance, "init_args": {**guidance["init_args"], "emotion_floor": 1.0, "muscle_floor": 1.0}}


ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    TRUTH: ("The true clips, coded as predictions are: the ceiling.", {"class_path": f"{_PREDICTORS}.GroundTruth"}),
    "Think-Before-Draw": ("The packaged model, given the clip's plan.", {"class_path": _MODEL}),
    "Without plan": ("The same model without a plan.", {"class_path": _MODEL, "init_args": {"plan": "none"}}),
    "Without progression": (
        "The same model with the same three scales from the first step to the last: emotion and muscles at once.",
        {"class_path": _MODEL, "init_args": {"guidance": _without_progression()}},
    ),
    "Classifier-free guidance": (
        "The same model with classifier-free guidance of scale 2 instead: one scale for emotion and muscles, none for the voice.",
        {"class_path": _MODEL, "init_args": {"guidance": {"class_path": f"{_GUIDANCE}.classifier_free.ClassifierFreeGuidance"}}},
    ),
    "Loudness opens the jaw": ("No model: the jaw follows the sound's energy.", {"class_path": f"{_PREDICTORS}.LoudnessJaw"}),
    "Still portrait": ("No motion at all.", {"class_path": f"{_PREDICTORS}.StillPortrait"}),
}
"""Name → what it is, and its predictor."""


def tbd(*arguments: str) -> None:
    """Run a `tbd` command in a process of its own, so that its memory is its own."""
    done = subprocess.run([sys.executable, "-m", "tbd", *arguments])
    if done.returncode:
        raise TBDError(f"`tbd {' '.join(arguments)}` failed.")


def fill(protocol: str, name: str, work: Path, board: Path, reference: Path | None, by: str | None = None) -> None:
    """One row from nothing to the board.

    Args:
        protocol: Predicted for, and kept under.
        name: Of the row.
        work: Where predictions are kept.
        board: The board's folder.
        reference: The true clips, where they are not the protocol's own.
        by: The protocol of the same clips that measures; `protocol` where not given.
    """
    note, predictor = ROWS[name]
    folder = work / protocol / slug(name)
    clips = [f"--reference={reference}"] if reference else []
    by, scores = by or protocol, folder / ("scores.json" if by is None else f"scores_{by}.json")
    _renew(folder, predictor)
    print(f"{by}: {name}", flush=True)
    tbd("predict", f"--protocol={protocol}", *clips, f"--predictor={json.dumps(predictor)}", f"--output={folder}", "--quiet")
    tbd("evaluate", f"--protocol={by}", *clips, f"--predictions={folder}", f"--output={scores}", "--quiet")
    samples = [] if reference else [f"--predictions={folder}"]  # faces of real people are not ours to show
    tbd("leaderboard", "add", str(scores), f"--name={name}", f"--note={note}", f"--board={board}", "--replace", *samples)


def _renew(folder: Path, predictor: dict[str, Any]) -> None:
    """Throw away predictions of a model that has been trained anew since."""
    run_file = folder / "run.json"
    if predictor["class_path"] != _MODEL or not run_file.is_file():
        return
    from tbd.evaluation.predictors import ModelPredictor

    if json.loads(run_file.read_text())["weights"] != ModelPredictor().weights():
        shutil.rmtree(folder)


def rows(
    only: str | None = None,
    clips: Path | None = None,
    work: Path = Path("runs/rows"),
    board: Path = Path("benchmarks/leaderboard"),
    pixels: bool = False,
    portraits: bool = False,
) -> None:
    """Fill the board.

    Args:
        only: a row's name; all where not given.
        clips: a folder of real clips, for clips-v1 beside procedural-v1.
        work: where predictions are kept.
        board: the board's folder.
        pixels: for procedural-pixels-v1 beside procedural-v1.
        portraits: for portraits-v1, and nothing else.
    """
    if only is not None and only not in ROWS:
        raise InputError(f"There is no row {only}; there are {', '.join(ROWS)}.")
    for name in ROWS if only is None else (only,):
        if portraits:
            if name != TRUTH:
                fill("portraits-v1", name, work, board, None)
            continue
        fill("procedural-v1", name, work, board, None)
        if pixels:
            fill("procedural-v1", name, work, board, None, "procedural-pixels-v1")
        if clips is not None:
            fill("clips-v1", name, work, board, clips)
    tbd("leaderboard", "build", f"--board={board}")


if __name__ == "__main__":
    run(rows, many=None)
