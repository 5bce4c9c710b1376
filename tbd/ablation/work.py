"""Does one process's part of a sweep, a training or some runs of a trained model: ``python -m tbd.ablation.work JOB.json``."""

import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import yaml
from pydantic import BaseModel, Field

from tbd.ablation.resolve import CHECKPOINT
from tbd.ablation.runs import TRUTH, Result, Task
from tbd.evaluation.environment import environment
from tbd.evaluation.protocol import Protocol
from tbd.utils.atomic import atomic_output
from tbd.utils.checksum import checksum_of_names
from tbd.utils.jobs.monitor import Job

if TYPE_CHECKING:
    from tbd.ablation.measuring import Truth
    from tbd.draw.motion.batched import ClipRequest

PACKAGES = ("diffusers", "jsonargparse", "lightning", "numpy", "scipy", "torch", "torchmetrics")


class TrainingSpec(BaseModel):
    """A training to be done: `tbd.ablation.runs.Training` as plain values.

    Args:
        key: The same for variants that share the training.
        seed: Seed of the training.
        config: The whole configuration.
        folder: Where the trained model is written.
    """

    key: str
    seed: int
    config: dict[str, Any]
    folder: str


class SweepJob(Job):
    """What one process of a sweep does, in order.

    Args:
        training: The training to do first, unless it is done.
        tasks: The runs; those that are done are left out.
        protocol: What measures the runs.
        reference: Where the true clips are.
        clips: How many of them to use; all by default.
        batch_size: How many clips are drawn at once.
    """

    module: ClassVar[str] = "tbd.ablation.work"

    training: TrainingSpec | None = None
    tasks: list[Task] = Field(default_factory=list)
    protocol: Protocol
    reference: str | None
    clips: int | None = None
    batch_size: int


def run_job(job: SweepJob) -> None:
    """Do a job. A run that fails writes down its reason and does not end the others; a training that fails ends the job."""
    if job.training is not None:
        train(job.training)
    wanted = [task for task in job.tasks if not task.done()]
    if not wanted:
        return
    from tbd.ablation.measuring import Truth, true_clips

    truths = [Truth(clip) for clip in true_clips(job.protocol, job.reference, job.clips)]
    for task in wanted:
        try:
            _run(task, job, truths)
            task.failure.unlink(missing_ok=True)
        except Exception as error:
            write_failure(task, f"{type(error).__name__}: {error}\n\n{traceback.format_exc()}")


def write_failure(task: Task, reason: str) -> None:
    """Write down why a run failed, in the place of its result.

    Args:
        task: The run.
        reason: What went wrong; its first line is shown.
    """
    with atomic_output(task.failure) as temporary:
        temporary.write_text(reason, encoding="utf-8")


def train(spec: TrainingSpec) -> None:
    """Train a model as `tbd fit` does, from its last checkpoint if it was interrupted, and keep the weights.

    The folder gets ``config.yaml`` (the whole configuration), ``model.safetensors`` and, at the end, ``training.json``.
    """
    from filelock import FileLock

    folder = Path(spec.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(str(folder) + ".lock"):
        if not (folder / "training.json").is_file():
            _train(spec, folder)


def _train(spec: TrainingSpec, folder: Path) -> None:
    from safetensors.torch import save_file

    from tbd.training.main import lightning_cli

    work = folder / "work"
    for path, config in ((folder / "config.yaml", {**spec.config, "seed_everything": spec.seed}), (work / "fit.yaml", _quiet(spec, work))):
        with atomic_output(path) as temporary:
            temporary.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    last = _newest(work / "checkpoints" / "last.ckpt", work / "preempted.ckpt")
    spent = _begin(work, last)
    start = time.perf_counter()
    cli = lightning_cli(["fit", "--config", str(work / "fit.yaml"), *(["--ckpt_path", str(last)] if last.is_file() else [])])
    # averaged weights have been put into the model at the end of the training
    state = {key: value.detach().cpu().contiguous() for key, value in cli.model.state_dict().items()}
    with atomic_output(folder / "model.safetensors") as temporary:
        save_file(state, temporary)
    record = {
        "key": spec.key,
        "seed": spec.seed,
        "seconds": round(spent + time.perf_counter() - start, 2),
        "steps": cli.trainer.global_step,
        "parameters": sum(p.numel() for p in cli.model.parameters()),
        "logged": {key: float(value) for key, value in cli.trainer.callback_metrics.items()},
        "environment": _environment(),
    }
    with atomic_output(folder / "training.json") as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
    shutil.rmtree(work, ignore_errors=True)


def _newest(*paths: Path) -> Path:
    """The file that was written last: Ctrl-C saves another one than a launcher's SIGTERM."""
    return max(paths, key=lambda path: path.stat().st_mtime if path.is_file() else 0.0)


def _begin(work: Path, last: Path) -> float:
    """Note when this process begins, and return the seconds that went into the checkpoint that it continues from, if any."""
    note, spent = work / "began.json", 0.0
    if note.is_file() and last.is_file():
        earlier = json.loads(note.read_text())
        spent = earlier["spent"] + max(0.0, last.stat().st_mtime - earlier["began"])
    with atomic_output(note) as temporary:
        temporary.write_text(json.dumps({"began": time.time(), "spent": spent}))
    return spent


def _quiet(spec: TrainingSpec, work: Path) -> dict[str, Any]:
    """The configuration as it is run: without loggers, and with one checkpoint, the last, saved ten times in all."""
    given = spec.config["trainer"]
    steps = given.get("max_steps") or 0
    checkpoint = {"dirpath": str(work / "checkpoints"), "save_top_k": 0}  # only where; tbd.training.callbacks.LastCheckpoint saves
    last = {"every_n_train_steps": steps // 10 or 1 if steps > 0 else 1000}
    callbacks = [c for c in given.get("callbacks") or [] if c["class_path"] != CHECKPOINT]
    trainer = {
        **spec.config["trainer"],
        "default_root_dir": str(work),
        "logger": False,
        "enable_model_summary": False,
        "callbacks": [*callbacks, {"class_path": CHECKPOINT, "init_args": checkpoint}],
    }
    return {**spec.config, "seed_everything": spec.seed, "trainer": trainer, "last_checkpoint": last}


def _run(task: Task, job: SweepJob, truths: Sequence["Truth"]) -> None:
    import torch

    from tbd.ablation.measuring import measure

    start = time.perf_counter()
    training: dict[str, Any] = {}
    if task.variant == TRUTH:
        drawn = [truth.motion for truth in truths]
    else:
        from tbd.draw.export import build_model
        from tbd.draw.motion.batched import draw_clips
        from tbd.draw.motion.diffusion import MotionDiffusion

        folder = Path(task.training)
        record = folder / "training.json"
        training = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {"key": str(folder)}
        model = build_model(task.config["model"], folder, MotionDiffusion)
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        drawn = draw_clips(model, [_request(truth, task, job.protocol.seed) for truth in truths], job.batch_size)
    middle = time.perf_counter()
    values, by_clip = measure(job.protocol, truths, drawn)
    seconds = {
        "training": training.get("seconds", 0.0),
        "drawing": round(middle - start, 2),
        "measuring": round(time.perf_counter() - middle, 2),
        "motion": sum(len(motion) for motion in drawn) / 25,
    }
    Result(
        **{name: getattr(task, name) for name in ("variant", "seed", "config", "hash", "point")},
        training=f"{training['key']}-{task.seed}" if training.get("seconds") else training.get("key", ""),
        protocol=job.protocol.id,
        protocol_hash=job.protocol.hash,
        split=checksum_of_names(truth.clip.id for truth in truths),
        clips=len(truths),
        values=values,
        by_clip=by_clip,
        seconds=seconds,
        trained_on=training.get("environment", {}),
        drawn_on=_environment(),
    ).save(Path(task.output))


def _request(truth: "Truth", task: Task, seed: int) -> "ClipRequest":
    """What a model is given of a clip: its audio, its plan as complete as the task says, and its noise."""
    from tbd.data.completeness import withhold
    from tbd.draw.motion.batched import ClipRequest
    from tbd.draw.randomness import clip_seed

    own = clip_seed(seed + task.seed, truth.clip.id)
    completeness = task.config.get("drawing", {}).get("completeness", 1.0)
    return ClipRequest(truth.audio, withhold(truth.plan, completeness, own % 2**31), own)


def _environment() -> dict[str, Any]:
    import torch

    accelerator = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {**environment(PACKAGES), "accelerator": accelerator}


def run_file(path: str | os.PathLike) -> None:
    """Do the job that a file describes."""
    run_job(SweepJob.model_validate(json.loads(Path(path).read_text(encoding="utf-8"))))


def main() -> None:
    """Do a job; the exit status is 0 if it was done."""
    try:
        run_file(sys.argv[1])
    except SystemExit as end:
        sys.exit(end.code or 1)  # Lightning ends an interrupted training with 0


if __name__ == "__main__":
    main()
