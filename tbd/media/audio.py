"""Read audio from any container and codec that FFmpeg decodes, in sync with the same file's frames."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.container import (
    Damage,
    Segment,
    decode_packets,
    decode_stream,
    first_decodable,
    missing_seconds,
    open_container,
    require_file,
    start_time,
    video_streams,
)
from tbd.media.downmix import to_mono
from tbd.media.integrity.duration import declared_duration
from tbd.media.integrity.elementary_streams import find_packets
from tbd.media.integrity.truncation import first_page_offset, is_truncated
from tbd.media.rates import SAMPLE_RATE
from tbd.media.timeline import place_segments
from tbd.utils.user_warnings import warn

_MIN_PEAK = 1e-3
"""A recording whose loudest sample stays below this (−60 dB of full scale) holds no speech."""
_MIN_SECONDS = 0.1
"""A shorter recording cannot hold a phone."""
_LOWEST_RATE = 2000
"""Samples a second; telephones have 8000, and a header that says less is a mistake: its seconds would become hours."""
_AAC_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Samples per second that AAC encodes and every player plays."""
_DEFAULT_AAC_RATE = 48_000
"""What audio of any other rate is resampled to."""
_MAX_CLIPPED = 0.01
"""Share of samples that may exceed full scale without a warning."""
_MAX_GAP = 0.02
"""Seconds of silence that may be filled in without a warning."""
_MAX_MISSING = 0.25
"""Seconds that may be missing at a file's end without a warning."""


@dataclass(frozen=True)
class Sound:
    """A recording with its channels.

    Args:
        samples: (C, N) float32 in −1..1 with one or two channels.
        sample_rate: Samples per second.

    Example:
        >>> Sound(np.zeros((2, 24_000), np.float32), 48_000).duration
        0.5
    """

    samples: np.ndarray
    sample_rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.samples.shape[1] / self.sample_rate


def read_audio(path: str | os.PathLike, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Read a recording as mono at one sample rate.

    Samples lie where the file's time stamps place them: missing or damaged packets become silence. Channels that cancel
    each other (one is inverted) are not averaged: the louder one is taken, with a warning.

    Args:
        path: File of any container and codec that FFmpeg decodes; of a video, its audio track is read.
        sample_rate: Samples per second of the result.

    Returns:
        (N,) float32 in −1..1, mono.

    Raises:
        InputError: If the file is missing, unreadable, mostly damaged, without audio, too short, silent, or holds NaN.

    Example:
        >>> read_audio("voice.m4a").shape  # doctest: +SKIP
        (48000,)
    """
    path = require_file(path, "sound")
    samples = _read(path, sample_rate)
    _check_samples(samples, path, sample_rate)
    mixed, cancels = to_mono(samples, sample_rate)
    if cancels:
        warn(f"The channels of the sound in {path} cancel each other (one is inverted); the louder one alone is used.")
    clipped = float((np.abs(mixed) > 1).mean())
    if clipped > _MAX_CLIPPED:
        warn(f"The sound in {path} is beyond full scale in {clipped:.0%} of its samples, which are clipped; record it at a lower level.")
    if np.abs(mixed).max() < _MIN_PEAK:
        raise InputError(f"The sound in {path} is silent; give a recording in which someone speaks.")
    return np.clip(mixed, -1, 1)


def read_sound(path: str | os.PathLike) -> Sound:
    """Read a recording for playback: at its own sample rate, and in stereo where it is; more channels become one.

    Args:
        path: As for `read_audio`, with the same timing.

    Returns:
        One or two channels, at the file's rate where AAC encodes it (16 to 48 kHz), otherwise at 48 kHz.

    Raises:
        InputError: As `read_audio`, except that silence is allowed.
    """
    path = require_file(path, "sound")
    with open_container(path, "sound") as container:
        rate = _audio_stream(container, path).rate
    rate = rate if rate in _AAC_RATES else _DEFAULT_AAC_RATE
    samples = _read(path, rate)
    _check_samples(samples, path, rate)
    if len(samples) > 2:
        samples = to_mono(samples, rate)[0][None]
    return Sound(np.clip(samples, -1, 1), rate)


def _audio_stream(container: Any, path: Path) -> Any:
    if not container.streams.audio:
        raise InputError(f"{path} has no sound in it; give a recording of speech.")
    stream = first_decodable(container.streams.audio, path, "sound")
    if 0 < stream.rate < _LOWEST_RATE:
        raise InputError(f"{path} says that it has {stream.rate} samples of sound a second; its header is wrong, or it is no speech.")
    if stream.codec_context.name in _CHECKSUMMED_CODECS:
        stream.codec_context.options = {"err_detect": "crccheck+explode"}  # else a damaged packet is played as noise
    return stream


def _read(path: Path, sample_rate: int) -> np.ndarray:
    """Decode to (C, N) float32: one or two channels, or all of them where the layout is unknown."""
    damage = Damage()
    with open_container(path, "sound") as container:
        stream = _audio_stream(container, path)
        if len(container.streams.audio) > 1:
            warn(f"{path} holds {len(container.streams.audio)} tracks of sound; the first one is taken.")
        # alone, a file of sound begins with its first sample, whatever time its clock starts from
        zero = start_time(container) if video_streams(container) else None
        codec, packets = stream.codec_context.name, find_packets(path, container.format.name)
        if packets is not None and packets.lossy:
            zero, segments = 0.0, decode_packets(packets, codec, damage)
        else:
            if zero is None and _starts_damaged(path, container.format.name):
                zero, damage.unreadable = 0.0, 1
            segments = decode_stream(container, stream, damage)
        segments = _drop_bursts(segments, codec, damage)
        begin = float(stream.start_time * stream.time_base) if stream.start_time is not None else None
        runs = list(_resample_runs(place_segments(segments, zero, begin), sample_rate))
        length = float(stream.duration * stream.time_base) if stream.duration else 0.0
        declared = declared_duration(container, stream, path, has_video=bool(video_streams(container)))
        unread = missing_seconds(container, damage)
    if packets is not None:
        declared, broken = packets.declared, packets.truncated
    else:
        broken = is_truncated(path) or unread > _MAX_MISSING
    damage.report(path, "sound", "silence stands in their place")
    samples = _join(runs, round(length * sample_rate), round(_MIN_SECONDS * sample_rate))
    _warn_of_gaps(runs, damage, path, sample_rate)
    _check_complete(samples.shape[1] / sample_rate, declared, broken, path)
    return samples


def _starts_damaged(path: Path, format_name: str) -> bool:
    """Whether the first pages of an Ogg file are unreadable, so that the first decoded sample is not the first recorded one."""
    if format_name != "ogg":
        return False
    with open_container(path, "sound") as container:
        packet = next(container.demux(audio=0))
        return (packet.pos or 0) > first_page_offset(path) and float((packet.pts or 0) * packet.time_base) < _MAX_DAMAGED_START


def _warn_of_gaps(runs: list["_Run"], damage: Damage, path: Path, sample_rate: int) -> None:
    """Warn of silence that was filled in, beyond that for damaged packets, which `Damage` reports."""
    ends = [run.start + run.samples().shape[1] for run in runs]
    gaps = sum(max(run.start - end, 0) for run, end in zip(runs[1:], ends)) / sample_rate - damage.seconds
    if gaps > _MAX_GAP:
        warn(f"The time stamps of the sound in {path} leave gaps of {gaps:.2f} s in all; silence stands there.")


def _check_complete(seconds: float, declared: float, broken: bool, path: Path) -> None:
    missing = declared - seconds
    if missing > max(declared / 2, _MAX_MISSING):
        raise InputError(f"{path} is damaged: it holds {seconds:.1f} of its {declared:.1f} seconds of sound; give a whole file.")
    if missing > _MAX_MISSING:
        warn(f"The sound in {path} is broken off: {missing:.1f} of its {declared:.1f} seconds are missing.")
    elif broken:
        warn(f"The sound in {path} is broken off after {seconds:.1f} seconds; the file does not say how much is missing.")


def _drop_bursts(segments: Iterable[Segment], codec: str, damage: Damage) -> Iterator[Segment]:
    """Drop blocks that a damaged packet decodes to: noise many times as loud as full scale."""
    exact = codec.startswith(_LOSSLESS_CODECS)
    for segment in segments:
        frame = segment.frame
        if frame is None or exact or not frame.format.name.startswith("flt") or np.abs(frame.to_ndarray()).max() < _MAX_LEVEL:
            yield segment
            continue
        damage.damaged, damage.seconds = damage.damaged + 1, damage.seconds + segment.seconds
        yield Segment(segment.time, segment.seconds)


_LOSSLESS_CODECS = ("pcm", "flac", "alac", "wavpack", "tta")
"""Codecs that reproduce what was recorded, whatever its level."""
_MAX_LEVEL = 4.0
"""Multiple of full scale. Lossy codecs overshoot by a few tenths; a damaged packet gives thousands."""
_CHECKSUMMED_CODECS = ("flac", "tta", "wavpack", "ac3", "eac3")
"""Codecs whose packets carry a checksum."""
_MAX_DAMAGED_START = 60.0
"""Seconds; a recording that is damaged at its start for longer is taken to start with the first sample that is left."""


@dataclass
class _Run:
    """Consecutive blocks of one format.

    Args:
        start: Index of the first sample.
        format: Sample format, layout and rate of what is added.
        resampler: PyAV's, fresh.
        blocks: (C, n) float32 each.
    """

    start: int
    format: tuple[str, str, int]
    resampler: Any
    blocks: list[np.ndarray] = field(default_factory=list)

    def accepts(self, frame: Any) -> bool:
        return _format(frame) == self.format

    def add(self, frame: Any) -> None:
        self.blocks += [block.to_ndarray() for block in self.resampler.resample(frame)]

    def finished(self) -> "_Run":
        """The run with what its resampler held back."""
        if self.blocks:
            self.add(None)
        return self

    def samples(self) -> np.ndarray:
        return np.concatenate(self.blocks, 1) if self.blocks else np.zeros((1, 0), np.float32)


def _resample_runs(segments: Iterator[tuple[float, Segment]], sample_rate: int) -> Iterator[_Run]:
    """Resample consecutive blocks in one go; a gap, or blocks of another format, start a new run."""
    run: _Run | None = None
    expected = 0.0
    for time, segment in segments:
        frame = segment.frame
        if run is not None and (frame is None or time != expected or not run.accepts(frame)):
            yield run.finished()
            run = None
        expected = time + segment.seconds
        if frame is None:
            continue
        if run is None:
            run = _Run(round(time * sample_rate), _format(frame), _resampler(frame, sample_rate))
        run.add(frame)
    if run is not None:
        yield run.finished()


def _format(frame: Any) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _resampler(frame: Any, sample_rate: int) -> Any:
    import av

    channels = frame.layout.nb_channels
    # FFmpeg mixes stereo to mono at −3 dB, which overflows; the mean of two channels does not. It cannot mix channels of
    # which nobody says what they are ("4 channels").
    layout = "mono" if channels == 1 else frame.layout if frame.layout.name.endswith("channels") else "stereo"
    return av.AudioResampler(format="fltp", layout=layout, rate=sample_rate)


def _join(runs: list[_Run], length: int, slack: int) -> np.ndarray:
    """Join runs with silence between them.

    Args:
        runs: In order; what overlaps an earlier one is cut.
        length: Samples that the file declares; 0 where it does not.
        slack: Samples by which codecs of fixed block size may pad the last block; they are cut.

    Returns:
        (C, N) float32.
    """
    parts = [run.samples() for run in runs]
    channels, at, out = max((len(part) for part in parts), default=1), 0, []
    for run, part in zip(runs, parts):
        if run.start > at:
            out.append(np.zeros((channels, run.start - at), np.float32))
        part = part[:, max(at - run.start, 0) :]
        out.append(part if len(part) == channels else np.repeat(part[:1], channels, 0))
        at += out[-1].shape[1] + max(run.start - at, 0)
    joined = np.concatenate([np.zeros((channels, 0), np.float32), *out], 1)
    end = max(runs[0].start, 0) + length if runs else 0
    return joined[:, :end] if length and 0 < joined.shape[1] - end < slack else joined


def _check_samples(samples: np.ndarray, path: Path, sample_rate: int) -> None:
    length = samples.shape[1]
    if length < _MIN_SECONDS * sample_rate:
        raise InputError(f"The sound in {path} lasts {length / sample_rate:.3f} seconds; give at least {_MIN_SECONDS} seconds of speech.")
    bad = int((~np.isfinite(samples)).any(0).sum())
    if bad:
        raise InputError(f"The sound in {path} holds {bad} samples that are not numbers; save the recording again.")
