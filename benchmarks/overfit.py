"""Does what `tbd preprocess` prepares train a model?

Protocol ``overfit-1``. `configs/experiment/motion_mini.yaml` is fitted to one real clip alone, in small batches, for a few hundred
steps; the clip's own sound and plan are then drawn, and the drawn jaw is compared with the tracked one. That the correlation is high
says that sound, motion and plan arrive at the model together; it says nothing about new clips.

    python -m benchmarks.overfit clip.mp4 ... --output out.json
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.common import environment, run, table, write_results
from tbd.errors import InputError
from tbd.face.motion import Motion
from tbd.media import read_audio

EXPERIMENT = Path(__file__).resolve().parents[1] / "configs/experiment/motion_mini.yaml"
CHANNELS = ("jawOpen", "mouthPucker", "mouthSmileLeft", "browInnerUp")
PARTS = 10
"""Of the training, whose mean loss is reported."""


def overfit(clips: Sequence[str], steps: int = 400, batch_size: int = 4, output: Path | None = None) -> None:
    """Fit a model to each clip.

    Args:
        clips: videos of a person who talks.
        steps: of training.
        batch_size: windows of a step.
        output: a .json file for the results; a table goes beside it as .md.
    """
    import torch

    torch.set_num_threads(1)
    if not clips:
        raise InputError("Name a clip to learn by heart.")
    results: dict[str, Any] = {"protocol": "overfit-1", "environment": environment(), "steps": steps, "batch_size": batch_size}
    with tempfile.TemporaryDirectory() as folder:
        results["clips"] = {Path(clip).stem: learn(Path(clip), Path(folder) / Path(clip).stem, steps, batch_size) for clip in clips}
    rows = [[name, r["loss"][0], r["loss"][-1], *(r["correlation"][c] for c in CHANNELS)] for name, r in results["clips"].items()]
    title = f"## {results['protocol']}\n\n`motion_mini`, {steps} steps of {batch_size} windows of one clip; the drawn clip against it."
    header = ["clip", "loss, first tenth", "loss, last tenth", *CHANNELS]
    place = results["environment"]
    where = f"{place['cpu']}, {place['cores']} cores, load {place['load']}; commit {place['commit']}, {place['date']}."
    write_results(output, results, "\n\n".join([title, table(header, rows), where]))


def learn(clip: Path, folder: Path, steps: int, batch_size: int) -> dict[str, Any]:
    """Losses over the training, and the correlation of each channel with the clip's."""
    from lightning import Callback

    from tbd.data.preprocess.runner import preprocess
    from tbd.data.sources.folder import FolderSource
    from tbd.training.main import lightning_cli

    class Losses(Callback):
        """The loss of every step."""

        def __init__(self) -> None:
            self.values: list[float] = []

        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            self.values.append(float(outputs["loss"]))

    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / clip.name).symlink_to(clip.resolve())
    labels = folder / "labels.csv"
    labels.write_text(f"clip,emotion\n{clip.stem},{_label(clip.stem)}\n")
    cache = preprocess(FolderSource(str(folder / "raw")), folder / "cache", 1, (64,), labels=str(labels), console=Console(quiet=True))
    options = {
        "data.init_args.root": cache.root,
        "data.init_args.batch_size": batch_size,
        "data.init_args.passes": steps * batch_size,
        "model.init_args.warmup_steps": 20,
        "model.init_args.learning_rate": 5e-4,
        "trainer.max_steps": steps,
        "trainer.accelerator": "cpu",
        "trainer.callbacks": "null",
        "trainer.logger": "false",
        "trainer.enable_checkpointing": "false",
        "trainer.enable_progress_bar": "false",
        "trainer.limit_val_batches": 0,
    }
    cli = lightning_cli(
        [
            "--config",
            str(EXPERIMENT),
            "--data=tbd.data.datamodules.folder.FolderDataModule",
            *(f"--{name}={value}" for name, value in options.items()),
        ],
        run=False,
    )
    losses, start = Losses(), time.perf_counter()
    cli.trainer.callbacks.append(losses)
    cli.trainer.fit(cli.model, cli.datamodule)
    took = time.perf_counter() - start
    (record,) = cache.records()
    truth = Motion.load(cache.path(record.file("motions", "face_mesh")))
    plan = cli.datamodule.clips()[0].plan
    drawn = np.concatenate([part.values for part in cli.model.eval().generate(read_audio(cache.path(record.audio)), plan)])
    correlation = {c: float(np.corrcoef(Motion(drawn)[c], truth[c])[0, 1]) for c in CHANNELS}
    parts = [float(np.mean(part)) for part in np.array_split(losses.values, PARTS)]
    return {"frames": record.frames, "loss": parts, "correlation": correlation, "seconds a step": took / steps}


def _label(name: str) -> str:
    """MEAD's label where the name has it, neutral elsewhere."""
    from tbd.data.sources.naming import mead_name

    parts = mead_name(name)
    return parts.emotion if parts else "neutral"


if __name__ == "__main__":
    run(overfit, many="clips", default=())
