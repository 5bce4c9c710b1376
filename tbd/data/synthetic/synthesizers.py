"""Flite and Festival: speech whose phones are known to the millisecond, from the programs that Debian packages.

Flite prints the end time of every phone, Festival keeps them in its utterance. Only numpy and scipy are needed, and either may be absent.
That the times fit the sound is tested in `tests/data/synthetic/test_engines.py`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.io import wavfile
from typing_extensions import override

from tbd.data.synthetic.speech import Delivery, Engine, Speech, Voice, as_speech
from tbd.errors import TBDError
from tbd.speech.phones import Phone, from_arpabet

_SECONDS = 60
"""A program that takes longer for a few sentences hangs."""


class Flite(Engine):
    """CMU Flite (Black and Lenzo 2001). Its voices are built from recordings of real speakers."""

    name = "flite"
    _PITCH: ClassVar[dict[str, float]] = {
        "slt": 172.0,
        "rms": 96.0,
        "awb": 128.0,
        "kal": 105.0,
        "kal16": 105.0,
    }  # hertz, measured on their own speech

    @override
    def voices(self) -> tuple[Voice, ...]:
        if not shutil.which("flite"):
            return ()
        listed = _call(["flite", "-lv"]).stdout.partition(":")[2].split()
        return tuple(Voice(self.name, v) for v in self._PITCH if v in listed)

    @override
    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        return [self._sentence(text, voice, delivery) for text in sentences]

    def _sentence(self, text: str, voice: Voice, delivery: Delivery) -> Speech:
        # `tract` changes the speed by resampling, so what the engine speaks is faster and lower by as much.
        pitch = self._PITCH[voice.name] * 2 ** (delivery.pitch / 12) * delivery.tract
        with tempfile.TemporaryDirectory(prefix="tbd-speech-") as folder:
            wav = f"{folder}/speech.wav"
            settings = {"int_f0_target_mean": pitch, "int_f0_target_stddev": 0.12 * pitch * delivery.melody,
                        "duration_stretch": 1 / (delivery.rate * delivery.tract)}  # fmt: skip
            options = [o for k, v in settings.items() for o in ("--setf", f"{k}={v:.4f}")]
            printed = _call(["flite", "-voice", voice.name, *options, "-psdur", "-t", text, "-o", wav]).stdout
            audio, rate = _read_wav(wav)
        phones, start = [], 0.0
        for entry in printed.split():
            name, _, end = entry.rpartition(":")
            phones.append(Phone(start, float(end), *from_arpabet(name)))
            start = float(end)
        return as_speech(audio, rate, phones, delivery.tract)


class Festival(Engine):
    """Festival (Black, Taylor and Caley): an HMM voice and diphone voices of American English."""

    name = "festival"
    # The name, and the mean and deviation of its pitch in hertz. The HMM voice has no such setting.
    _VOICES: ClassVar[dict[str, tuple[float, float] | None]] = {
        "cmu_us_slt_arctic_hts": None,
        "kal_diphone": (105, 14),
        "ked_diphone": (110, 14),
    }
    _SCRIPT = """(voice_{voice}){prosody}
(define (speak text name)
  (let ((utt (utt.synth (eval (list 'Utterance 'Text text)))))
    (utt.save.wave utt (string-append name ".wav") 'riff)
    (let ((file (fopen (string-append name ".txt") "w")))
      (mapcar (lambda (s) (format file "%s %f\\n" (item.name s) (item.feat s "end"))) (utt.relation.items utt 'Segment))
      (fclose file))))
"""

    @override
    def voices(self) -> tuple[Voice, ...]:
        if not shutil.which("festival"):
            return ()
        # festival's own list costs a start; the folders say the same.
        roots = [Path(p) for p in ("/usr/share/festival/voices", os.environ.get("FESTIVAL_VOICES", "")) if p]
        installed = {p.name for root in roots if root.is_dir() for p in root.glob("*/*")}
        return tuple(Voice(self.name, v) for v in self._VOICES if v in installed)

    @override
    def speak(self, sentences: Sequence[str], voice: Voice, delivery: Delivery) -> list[Speech]:
        with tempfile.TemporaryDirectory(prefix="tbd-speech-") as folder:
            lines = [self._SCRIPT.format(voice=voice.name, prosody=self._prosody(voice, delivery))]
            for i, text in enumerate(sentences):
                quoted = text.replace("\\", "").replace('"', "")
                lines.append(f'(speak "{quoted}" "{folder}/{i}")')
            script = Path(folder, "speak.scm")
            script.write_text("\n".join(lines), encoding="utf-8")
            _call(["festival", "-b", str(script)])
            return [self._read(Path(folder, str(i)), delivery) for i in range(len(sentences))]

    def _prosody(self, voice: Voice, delivery: Delivery) -> str:
        stretch = 1 / (delivery.rate * delivery.tract)
        pitch = self._VOICES[voice.name]
        if pitch is None:
            return ""  # the HMM decides; rate comes from `_read`
        mean, deviation = pitch
        mean *= 2 ** (delivery.pitch / 12) * delivery.tract
        return (f"(Parameter.set 'Duration_Stretch {stretch:.4f})"
                f"(set! int_lr_params '((target_f0_mean {mean:.2f}) (target_f0_std {deviation * delivery.melody:.2f})"
                " (model_f0_mean 170) (model_f0_std 34)))")  # fmt: skip

    def _read(self, stem: Path, delivery: Delivery) -> Speech:
        audio, rate = _read_wav(f"{stem}.wav")
        phones, start = [], 0.0
        for line in Path(f"{stem}.txt").read_text().splitlines():
            name, end = line.split()
            phones.append(Phone(start, float(end), *from_arpabet(name)))
            start = float(end)
        return as_speech(audio, rate, phones, delivery.tract)


def _call(command: list[str]) -> subprocess.CompletedProcess:
    """Run a program; its output is text."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TBDError(f"{command[0]} did not run: {error}") from error
    if done.returncode:
        raise TBDError(f"{command[0]} failed: {done.stderr.strip()[-300:] or f'exit code {done.returncode}'}")
    return done


def _read_wav(path: str) -> tuple[np.ndarray, int]:
    """(N,) float32 and the sample rate of an engine's 16-bit file."""
    try:
        rate, audio = wavfile.read(path)
    except (OSError, ValueError) as error:
        raise TBDError(f"The synthesizer wrote no sound ({error}).") from error
    return audio.astype(np.float32) / 32768, rate
