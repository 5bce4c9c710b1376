"""`tbd predict`: predict every clip of a protocol once, on any number of devices; finished clips are kept."""

import json
import logging
import shutil
import sys
import time
import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.strategies import DDPStrategy, Strategy
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch.utils.data import DataLoader
from typing_extensions import override

from tbd.draw.randomness import clip_seed
from tbd.errors import InputError, TBDError
from tbd.evaluation.environment import environment, peak_memory
from tbd.evaluation.predictions import INPUTS, RUN, Row, read_row
from tbd.evaluation.predictors import FinishedVideo, Outcome, PredictionError, Predictor
from tbd.evaluation.protocol import Protocol
from tbd.evaluation.references.base import ReferenceClip
from tbd.face.motion import Motion
from tbd.media import VideoWriter, provenance
from tbd.media.rates import SAMPLE_RATE
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names
from tbd.utils.jobs.shards import Shard


class ClipWriter(L.LightningModule):
    """A predictor as a LightningModule: one step predicts and writes one clip.

    Args:
        predictor: Predicts the clips.
        clips: All clips; a step gets the number of one.
        folder: Folder of videos, motions and rows.
        size: Pixels of the square frames.
        seed: Seed of the run; together with a clip's id it determines that clip's noise.
    """

    def __init__(self, predictor: Predictor, clips: Sequence[ReferenceClip], folder: Path, size: int, seed: int) -> None:
        super().__init__()
        self.predictor, self.clips, self.folder, self.size, self.seed = predictor, clips, folder, size, seed
        self.failed: list[str] = []

    @override
    def on_predict_start(self) -> None:
        self.predictor.to(str(self.device))

    @override
    def predict_step(self, index: int) -> None:
        clip = self.clips[index]
        # checked here and not before: all processes must agree on the list of clips, whatever was done in the meantime
        done = read_row(self.folder, clip.id)
        if done is not None and (done.seed, done.size) == (clip_seed(self.seed, clip.id), self.size):
            return
        try:
            write_clip(self.predictor, clip, self.folder, self.size, clip_seed(self.seed, clip.id), self.device)
        except InputError as error:
            # one clip that cannot be had must not end the others; the evaluation counts it as missing
            self.failed.append(f"{clip.id}: {error}{_keep_log(error, self.folder / f'{clip.id}.log')}")
            print(f"left out: {self.failed[-1]}", file=sys.stderr)


def write_clip(predictor: Predictor, clip: ReferenceClip, folder: Path, size: int, seed: int, device: torch.device) -> Row:
    """Predict one clip and write its video, its motion and, last, its row.

    Args:
        predictor: Predicts the clip.
        clip: The inputs.
        folder: Folder of the files.
        size: Pixels of the square frames.
        seed: Seed of this clip.
        device: Device that the predictor is on, whose memory is recorded.

    Returns:
        The row.
    """
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    start, sound = time.perf_counter(), clip.audio()
    outcome = predictor.predict(clip, size, seed)
    if isinstance(outcome, FinishedVideo):
        _keep_video(outcome.path, folder, clip.id)
        frames, motion = outcome.frames, None
        seconds, memory, gpu_memory = outcome.seconds, outcome.memory, outcome.gpu_memory  # the other program's
    else:
        frames, motion = _write_frames(outcome, sound, folder, clip.id, type(predictor).__name__), outcome.motion
        seconds, memory = time.perf_counter() - start, peak_memory()
        gpu_memory = torch.cuda.max_memory_allocated(device) / 2**20 if on_gpu else 0.0
    row = Row(
        clip=clip.id,
        frames=frames,
        size=size,
        seed=seed,
        seconds=round(seconds, 3),
        memory=round(memory, 1),
        gpu_memory=round(gpu_memory, 1),
        motion=motion is not None,
    )
    row.save(folder)
    (folder / f"{clip.id}.log").unlink(missing_ok=True)  # of a time when it failed
    return row


def _write_frames(outcome: Outcome, sound: np.ndarray, folder: Path, clip: str, predictor: str) -> int:
    """Code a clip's frames and write its motion; returns the number of frames."""
    with VideoWriter(folder / f"{clip}.mp4", sound, SAMPLE_RATE, metadata=provenance(clip=clip, predictor=predictor)) as writer:
        for frame in outcome.frames:
            writer.write(frame)
    if outcome.motion is not None:
        Motion(outcome.motion.values, {**outcome.motion.metadata, "seams": list(outcome.seams)}).save(folder / f"{clip}.npz")
    return writer.frames


def _keep_video(video: Path, folder: Path, clip: str) -> None:
    """Move a finished video to its place, under its own ending."""
    with atomic_output(folder / f"{clip}{video.suffix.lower()}") as temporary:
        if video.is_symlink():  # of a program that keeps its videos elsewhere, where they may not stay
            shutil.copyfile(video, temporary)
        else:
            shutil.move(video, temporary)


def _keep_log(error: InputError, path: Path) -> str:
    """Write what a failed program wrote; returns where it lies, for the sentence about the failure."""
    if not isinstance(error, PredictionError) or not error.log:
        return ""
    with atomic_output(path) as temporary:
        temporary.write_text(error.log, encoding="utf-8")
    return f" (its output: {path})"


def predict(
    protocol: Protocol,
    clips: Sequence[ReferenceClip],
    predictor: Predictor,
    folder: Path,
    described: dict[str, Any],
    devices: int | str = 1,
    accelerator: str = "auto",
    num_nodes: int = 1,
    quiet: bool = False,
    shard: Shard | None = None,
) -> None:
    """Write a folder of predictions, or what is missing of it.

    Args:
        protocol: The recipe, which sets size and seed.
        clips: All clips of the reference.
        predictor: Predicts the clips.
        folder: An empty one, or one that the same predictor began.
        described: The predictor as class_path and init_args, for the record.
        devices: Number of devices of a node, or ``auto``, as in `lightning.Trainer`.
        accelerator: As in `lightning.Trainer`.
        num_nodes: Number of machines.
        quiet: Whether to show no progress bar.
        shard: The part of the clips to predict, where several machines share them out; all where not given.

    Raises:
        InputError: If the folder was begun by another predictor or for another protocol, or there are more devices than clips.
        TBDError: If not one clip could be predicted.
    """
    names = checksum_of_names(clip.id for clip in clips)
    if arguments := described.get("init_args"):
        described = {**described, "init_args": {k: v for k, v in arguments.items() if k not in predictor.incidental}}
    _claim(folder, {"protocol": protocol.id, "clips": names, "predictor": described, "weights": predictor.weights()})
    clips = clips if shard is None else shard.of(clips)
    if not clips:
        return
    _hush()
    several = num_nodes > 1 or devices not in (1, "1")
    try:
        trainer = L.Trainer(
            accelerator=accelerator,
            devices=devices,
            num_nodes=num_nodes,
            strategy=_patient() if several else "auto",
            logger=False,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=not quiet,
            inference_mode=True,
        )
    except (MisconfigurationException, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"--devices {devices} with --accelerator {accelerator} cannot be had on this machine.") from error
    if trainer.world_size > len(clips):
        raise InputError(f"{trainer.world_size} devices are more than the {len(clips)} clips; use at most one for each.")
    writer = ClipWriter(predictor, clips, folder, protocol.size, protocol.seed)
    # Lightning shares a loader's items out without repeating any, since this is prediction
    numbers: DataLoader[int] = DataLoader(list(range(len(clips))), batch_size=None)  # type: ignore[arg-type]  # any sequence will do
    trainer.predict(writer, numbers, return_predictions=False)
    if shard is None and len(writer.failed) == len(clips):
        raise TBDError(f"None of the {len(clips)} clips could be predicted; the first: {writer.failed[0]}")
    if writer.failed:
        print(f"{len(writer.failed)} of {len(clips)} clips were left out; the same command tries them again.", file=sys.stderr)


def _hush() -> None:
    """Silence messages of Lightning that are of no use to a user of `tbd predict`."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for message in ("predict returned None", "The 'predict_dataloader' does not have many workers", ".*isinstance.treespec, LeafSpec"):
        warnings.filterwarnings("ignore", message)


def _patient() -> Strategy:
    """Processes wait for the slowest for as long as it takes; nothing is exchanged but the wish to end."""
    return DDPStrategy(timeout=timedelta(days=7))


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Write ``run.json``, unless the folder belongs to another run."""
    path = folder / RUN
    if (folder / INPUTS).is_file():
        raise InputError(f"{folder} holds inputs that --export-inputs wrote; name another folder for predictions.")
    if path.is_file():
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} cannot be read as JSON ({error}); name an empty folder.") from error
        differs = [key for key, value in identity.items() if there.get(key) != value]
        if differs:
            raise InputError(f"{folder} holds predictions with another {' and '.join(differs)}; name an empty folder.")
        return
    with atomic_output(path) as temporary:
        temporary.write_text(json.dumps({**identity, "environment": environment()}, indent=1) + "\n", encoding="utf-8")
