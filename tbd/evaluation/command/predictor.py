"""`CommandPredictor`: anybody's program over a protocol's clips. The program needs neither tbd nor Python."""

import math
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from tbd.errors import InputError, first_line
from tbd.evaluation.clip_decoding import count_frames
from tbd.evaluation.command.process import Finished, run_measured
from tbd.evaluation.command.template import CommandTemplate
from tbd.evaluation.input_files import write_inputs
from tbd.evaluation.predictions import VIDEOS
from tbd.evaluation.predictors import FinishedVideo, PredictionError, Predictor
from tbd.evaluation.references.base import ReferenceClip

_LOG_END = 1 << 16
"""Bytes of a program's output that are kept of a clip that failed."""
_LINE = 200
"""Characters of its last line that are quoted."""


class CommandPredictor(Predictor):
    """A program that makes one video of one portrait and one voice, started anew for each clip.

    Its video is kept as it is, so that nothing is coded twice. Time and memory of the whole process tree, on GPUs too, are recorded,
    starting up included. A clip on which the program fails is named and left out; the same command tries it again.

    Args:
        command: Command line with placeholders, see `tbd.evaluation.command.template.PLACEHOLDERS`.
        cwd: Folder that the program runs in; the current one where not given.
        timeout: Seconds that one clip may take.
        result: Which file below ``{folder}`` is the video, where the program writes several: a pattern such as ``*_audio.mp4``.
        shell: Whether a shell runs the command, for pipes, ``&&`` and variables.

    Raises:
        InputError: If the command cannot be run as it is.
    """

    incidental: ClassVar[frozenset[str]] = frozenset({"timeout"})

    def __init__(
        self, command: str, cwd: str | None = None, timeout: float = 3600.0, result: str | None = None, shell: bool = False
    ) -> None:
        if not (math.isfinite(timeout) and timeout > 0):
            raise InputError(f"timeout is a number of seconds above 0, not {timeout}.")
        if cwd is not None and not Path(cwd).is_dir():
            raise InputError(f"There is no folder {cwd} to run the command in (cwd).")
        self.command, self.cwd, self.timeout, self.result, self.shell = command, cwd, timeout, result, shell
        self._template = CommandTemplate(command, shell)
        self._device = ""
        program = self._template.program
        if program is not None and shutil.which(program) is None and not os.access(Path(cwd or ".") / program, os.X_OK):
            raise InputError(f"There is no program {program} to run{f' in {cwd}' if cwd else ''}; name one that is installed, or its path.")

    @override
    def to(self, device: str) -> "CommandPredictor":
        self._device = device
        return self

    @override
    def predict(self, clip: ReferenceClip, size: int, seed: int) -> FinishedVideo:
        holder = tempfile.TemporaryDirectory(prefix="tbd-predict-", ignore_cleanup_errors=True)
        folder = Path(holder.name).resolve()
        out = folder / "out"
        out.mkdir()
        about = write_inputs(clip, folder, size)
        emotion = about["emotion"] or "neutral"
        values = {
            **{
                key: "" if about[key] is None else str(about[key]) for key in ("clip", "level", "text", "frames", "seconds", "rate", "size")
            },
            "portrait": str(folder / about["portrait"]),
            "audio": str(folder / about["audio"]),
            "plan": str(folder / f"{clip.id}.json"),
            "video": str(out / f"{clip.id}.mp4"),
            "folder": str(out),
            "emotion": emotion,
            "emo": emotion[:3],
            "seed": str(seed),
        }
        log = folder / "log"
        try:
            environment = {**os.environ, **self._devices(), **self._template.environment(values)}
            done = run_measured(self._template.fill(values), log, self.timeout, self.cwd, environment)
        except OSError as error:
            raise PredictionError(f"the command cannot be run: {first_line(error)}") from error
        self._require_success(done, log)
        video, frames = self._video(out, values["video"], log)
        return FinishedVideo(video, frames, done.seconds, done.memory, done.gpu_memory, holder)

    def _devices(self) -> dict[str, str]:
        """Show the program the one GPU that this process was given."""
        kind, _, number = self._device.partition(":")
        if kind != "cuda":
            return {}
        visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
        index = int(number or 0)
        return {"CUDA_VISIBLE_DEVICES": visible[index] if index < len(visible) else str(index)}

    def _require_success(self, done: Finished, log: Path) -> None:
        if done.code is None:
            raise PredictionError(f"the command took longer than {self.timeout:g} s (timeout) and was ended", _end_of(log))
        if done.code:
            how = f"was ended by {signal.Signals(-done.code).name}" if done.code < 0 else f"failed with exit code {done.code}"
            raise PredictionError(f"the command {how}{_quoted(log)}", _end_of(log))

    def _video(self, out: Path, expected: str, log: Path) -> tuple[Path, int]:
        """The video that the program has written, which can be read, and the number of its frames."""
        found = sorted(p for p in out.rglob(self.result or "*") if p.is_file() and p.suffix.lower() in VIDEOS)
        if self.result is None and Path(expected) in found:
            found = [Path(expected)]
        if len(found) != 1:
            what = f"no video{f' {self.result}' if self.result else ''}"
            if found:
                names = ", ".join(str(p.relative_to(out)) for p in found[:3])
                what = f"{len(found)} videos ({names}{', …' if len(found) > 3 else ''}); say which by a pattern (result)"
            raise PredictionError(f"the command ended well and wrote {what}{_quoted(log) if not found else ''}", _end_of(log))
        try:
            frames = count_frames(found[0]).frames
            if not frames:
                raise InputError(f"{found[0].name} has no frames")
        except InputError as error:
            raise PredictionError(
                f"the command wrote a video that cannot be used: {str(error).replace(f'{out}/', '')}", _end_of(log)
            ) from error
        return found[0], frames


def _end_of(log: Path) -> str:
    with open(log, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - _LOG_END, 0))
        return file.read().decode("utf-8", "replace")


def _quoted(log: Path) -> str:
    """The last line of a program's output, for a sentence; empty where it wrote none."""
    lines = [line.strip() for line in _end_of(log).replace("\r", "\n").splitlines() if line.strip()]
    return f": {lines[-1][:_LINE]}" if lines else ""
