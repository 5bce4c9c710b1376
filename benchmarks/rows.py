"""Fills the leaderboard's own rows: predicts each, measures a table's in one pass (so that they are verified), and builds the page.

    python -m benchmarks.rows                                   # procedural-v2; about two minutes a row on two idle cores
    python -m benchmarks.rows --only "Think-Before-Draw"        # one row again, for a model that was trained anew
    python -m benchmarks.rows --clips ../shared/data/clips      # and clips-v2 on a folder of real clips
    python -m benchmarks.rows --pixels true                     # and procedural-pixels-v2 on the same videos; several minutes a row
    python -m benchmarks.rows --portraits true                  # portraits-v1 alone, rows that need no true clips

Predictions are kept in ``runs/rows`` and taken up again; a model that was trained anew is drawn anew.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from benchmarks.common import run
from tbd import MOTION_MODEL
from tbd.errors import InputError, TBDError
from tbd.evaluation.leaderboard.clips import COUNT
from tbd.evaluation.leaderboard.entry import slug
from tbd.evaluation.leaderboard.measure import Submission

_PREDICTORS = "tbd.evaluation.predictors"
_MODEL = f"{_PREDICTORS}.ModelPredictor"
_GUIDANCE = "tbd.draw.guidance"
PROCEDURAL, PIXELS, CLIPS = "procedural-v2", "procedural-pixels-v2", "clips-v2"
TRUTH = "Ground truth"
"""The row that a protocol without true clips does not have."""


def _without_progression() -> dict[str, Any]:
    """The packaged model's own guidance, but for its schedule. Read without the model, whose imports take seconds."""
    content = yaml.safe_load(files("tbd").joinpath("assets", MOTION_MODEL, "config.yaml").read_text(encoding="utf-8"))
    guidance = content["model"]["init_args"]["guidance"]
    return {**guidance, "init_args": {**guidance["init_args"], "emotion_floor": 1.0, "muscle_floor": 1.0}}


ROWS: dict[str, tuple[str, dict[str, Any] | None]] = {
    TRUTH: ("The true clips, coded as predictions are: the ceiling.", None),
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
"""Name → what it is, and its predictor; None for the true clips, which the board codes itself."""


def tbd(*arguments: str) -> None:
    """Run a `tbd` command in a process of its own, so that its memory is its own."""
    done = subprocess.run([sys.executable, "-m", "tbd", *arguments])
    if done.returncode:
        raise TBDError(f"`tbd {' '.join(arguments)}` failed.")


def predict(protocol: str, name: str, work: Path, reference: Path | None) -> Submission:
    """Predict one row, or what is missing of it; the true clips are coded by the board.

    Args:
        protocol: Predicted for, and kept under.
        name: Of the row.
        work: Where predictions are kept.
        reference: The true clips, where they are not the protocol's own.

    Returns:
        The row, for the board to measure.
    """
    note, predictor = ROWS[name]
    if predictor is None:
        return Submission(name, None, note)
    folder = work / protocol / slug(name)
    clips = [f"--reference={reference}"] if reference else []
    _renew(folder, predictor)
    print(f"{protocol}: {name}", flush=True)
    tbd("predict", f"--protocol={protocol}", *clips, f"--predictor={json.dumps(predictor)}", f"--output={folder}", "--quiet")
    return Submission(name, folder, note)


def fill(protocol: str, submissions: Sequence[Submission], board: Path, reference: Path | None = None) -> None:
    """Measure rows in one pass over the true clips, and put them on the board.

    Args:
        protocol: Measures them.
        submissions: The rows.
        board: The board's folder.
        reference: The true clips, where they are not the protocol's own; their faces are not shown, since they are not ours to show.
    """
    from tbd.evaluation.leaderboard.measure import measure
    from tbd.evaluation.protocol import load_protocol
    from tbd.evaluation.references.base import build_reference

    print(f"{protocol}: measuring {len(submissions)} rows", flush=True)
    recipe = load_protocol(protocol)
    truth = build_reference(recipe.reference, None if reference is None else str(reference))
    # the table of pixels is of the same videos as the one beside it
    measure(board, recipe, truth, submissions, replace=True, clips=None if reference or protocol == PIXELS else COUNT)


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
        clips: a folder of real clips, for clips-v2 beside procedural-v2.
        work: where predictions are kept.
        board: the board's folder.
        pixels: for procedural-pixels-v2 beside procedural-v2.
        portraits: for portraits-v1, and nothing else.
    """
    if only is not None and only not in ROWS:
        raise InputError(f"There is no row {only}; there are {', '.join(ROWS)}.")
    names = list(ROWS) if only is None else [only]
    if portraits:
        fill("portraits-v1", [predict("portraits-v1", name, work, None) for name in names if name != TRUTH], board)
    else:
        ours = [predict(PROCEDURAL, name, work, None) for name in names]
        fill(PROCEDURAL, ours, board)
        if pixels:
            fill(PIXELS, ours, board)
        if clips is not None:
            fill(CLIPS, [predict(CLIPS, name, work, clips) for name in names], board, clips)
    tbd("leaderboard", "build", f"--board={board}")


if __name__ == "__main__":
    run(rows, many=None)
