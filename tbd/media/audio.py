"""Reading sound: any container and codec that FFmpeg reads, in time with the same file's pictures."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tbd.errors import InputError
from tbd.media.container import Damage, Piece, broken_off, decoded_pieces, existing, films, opened, reframed_pieces, start_of
from tbd.media.downmix import mono
from tbd.media.endings import breaks_off, first_page
from tbd.media.framing import packets_of
from tbd.media.promised import promised_seconds
from tbd.media.rates import SAMPLE_RATE
from tbd.media.timeline import placed
from tbd.utils.notes import note

_SILENCE = 1e-3
"""A recording whose loudest sample stays below this (−60 dB of full scale) holds no speech."""
_SHORTEST = 0.1
"""Seconds: a recording shorter than this cannot hold a sound of speech."""
_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Samples a second that AAC codes and every player plays."""
_BEST_RATE = 48_000
"""What sound of any other rate is converted to."""
_CLIPPED = 0.01
"""The part of samples that may lie beyond full scale without a note."""
_GAP = 0.02
"""Seconds of silence that may be filled in without a note."""
_CUT = 0.25
"""Seconds that may be missing at a file's end before a note says so."""


@dataclass(frozen=True)
class Sound:
    """A recording with its channels.

    Args:
        samples: (C, N) float32 in −1..1, one channel or two.
        sample_rate: Samples a second.
    """

    samples: np.ndarray
    sample_rate: int

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples.shape[1] / self.sample_rate


def read_audio(path: str | os.PathLike, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Read a recording as one channel; channels are mixed, the rate is converted, decoding goes block by block.

    Samples lie where the file's time stamps say: there is silence where packets are missing or damaged. Channels that
    cancel each other (one is inverted) are not mixed: the louder one is taken, and a note says so.

    Args:
        path: Any container and codec that FFmpeg reads, the sound of a video included.
        sample_rate: Samples a second of the result.

    Returns:
        (N,) float32 in −1..1, mono.

    Raises:
        InputError: If the file is missing, unreadable, mostly damaged, without sound, too short, silent, or holds NaN.
    """
    path = existing(path, "sound")
    samples = _read(path, sample_rate)
    _require_numbers(samples, path, sample_rate)
    mixed, cancels = mono(samples, sample_rate)
    if cancels:
        note(f"The channels of the sound in {path} cancel each other (one is inverted); the louder one alone is heard.")
    clipped = float((np.abs(mixed) > 1).mean())
    if clipped > _CLIPPED:
        note(f"The sound in {path} is beyond full scale in {clipped:.0%} of its samples, which are clipped; record it at a lower level.")
    if np.abs(mixed).max() < _SILENCE:
        raise InputError(f"The sound in {path} is silent; give a recording in which someone speaks.")
    return np.clip(mixed, -1, 1)


def read_sound(path: str | os.PathLike) -> Sound:
    """Read a recording as people should hear it: in its own rate, in stereo where it is; more channels become two.

    Args:
        path: As of `read_audio`, whose times the samples keep.

    Returns:
        One channel or two, at the file's rate where AAC codes it (16 to 48 kHz), otherwise at 48 kHz.

    Raises:
        InputError: If the file cannot be used; as `read_audio`, but silence is allowed.
    """
    path = existing(path, "sound")
    with opened(path, "sound") as container:
        rate = _stream(container, path).rate
    rate = rate if rate in _RATES else _BEST_RATE
    samples = _read(path, rate)
    _require_numbers(samples, path, rate)
    if len(samples) > 2:
        samples = mono(samples, rate)[0][None]
    return Sound(np.clip(samples, -1, 1), rate)


def _stream(container: Any, path: Path) -> Any:
    if not container.streams.audio:
        raise InputError(f"{path} has no sound in it; give a recording of speech.")
    stream = container.streams.audio[0]
    if stream.codec_context.name in _CHECKED:
        stream.codec_context.options = {"err_detect": "crccheck+explode"}  # else a damaged packet is played as noise
    return stream


def _read(path: Path, sample_rate: int) -> np.ndarray:
    """(C, N) float32: one channel, two, or as many as there are where nobody says which is which."""
    damage = Damage()
    with opened(path, "sound") as container:
        stream = _stream(container, path)
        if len(container.streams.audio) > 1:
            note(f"{path} holds {len(container.streams.audio)} tracks of sound; the first one is taken.")
        # alone, a file of sound begins with its first sample, whatever time its clock starts from
        zero = start_of(container) if films(container) else None
        codec, packets = stream.codec_context.name, packets_of(path, container.format.name)
        if packets is not None and packets.lossy:
            zero, pieces = 0.0, reframed_pieces(packets, codec, damage)
        else:
            if zero is None and _begins_damaged(path, container.format.name):
                zero, damage.unreadable = 0.0, 1
            pieces = decoded_pieces(container, stream, damage)
        pieces = _without_bursts(pieces, codec, damage)
        begin = float(stream.start_time * stream.time_base) if stream.start_time is not None else None
        runs = list(_runs(placed(pieces, zero, begin), sample_rate))
        length = float(stream.duration * stream.time_base) if stream.duration else 0.0
        promised = promised_seconds(container, stream, path)
        unread = broken_off(container, damage)
    if packets is not None:
        promised, broken = packets.promised, packets.broken_off
    else:
        broken = breaks_off(path) or unread > _CUT
    damage.report(path, "sound", "silence stands in their place")
    samples = _join(runs, round(length * sample_rate), round(_SHORTEST * sample_rate))
    _tell_of_gaps(runs, damage, path, sample_rate)
    _require_whole(samples.shape[1] / sample_rate, promised, broken, path)
    return samples


def _begins_damaged(path: Path, format_name: str) -> bool:
    """Whether the first pages of an Ogg file cannot be read, so that its sound does not begin with the first sample found."""
    if format_name != "ogg":
        return False
    with opened(path, "sound") as container:
        packet = next(container.demux(audio=0))
        return (packet.pos or 0) > first_page(path) and float((packet.pts or 0) * packet.time_base) < _LATEST


def _tell_of_gaps(runs: list["_Run"], damage: Damage, path: Path, sample_rate: int) -> None:
    """Issue a note of silence that was filled in, beyond that for damaged packets, of which `Damage` tells."""
    ends = [run.start + run.samples().shape[1] for run in runs]
    gaps = sum(max(run.start - end, 0) for run, end in zip(runs[1:], ends)) / sample_rate - damage.seconds
    if gaps > _GAP:
        note(f"The time stamps of the sound in {path} leave gaps of {gaps:.2f} s in all; silence stands there.")


def _require_whole(seconds: float, promised: float, broken: bool, path: Path) -> None:
    missing = promised - seconds
    if missing > max(promised / 2, _CUT):
        raise InputError(f"{path} is damaged: it holds {seconds:.1f} of its {promised:.1f} seconds of sound; give a whole file.")
    if missing > _CUT:
        note(f"The sound in {path} is broken off: {missing:.1f} of its {promised:.1f} seconds are missing.")
    elif broken:
        note(f"The sound in {path} is broken off after {seconds:.1f} seconds; the file does not say how much is missing.")


def _without_bursts(pieces: Iterable[Piece], codec: str, damage: Damage) -> Iterator[Piece]:
    """Blocks without those that a damaged packet decodes to: noise many times as loud as full scale."""
    exact = codec.startswith(_EXACT)
    for piece in pieces:
        frame = piece.frame
        if frame is None or exact or not frame.format.name.startswith("flt") or np.abs(frame.to_ndarray()).max() < _BURST:
            yield piece
            continue
        damage.damaged, damage.seconds = damage.damaged + 1, damage.seconds + piece.seconds
        yield Piece(piece.time, piece.seconds)


_EXACT = ("pcm", "flac", "alac", "wavpack", "tta")
"""Codecs that give back what was recorded, whatever its level."""
_BURST = 4.0
"""Times full scale. Codecs that approximate overshoot by a few tenths; a damaged packet gives thousands."""
_CHECKED = ("flac", "tta", "wavpack", "ac3", "eac3")
"""Codecs whose packets carry a checksum."""
_LATEST = 60.0
"""Seconds; a recording whose beginning is damaged for longer is taken to begin with the first sample that is left."""


@dataclass
class _Run:
    """Blocks of one kind without a break between them.

    Args:
        start: Sample at which the first one lies.
        blocks: (C, n) float32 each.
    """

    start: int
    blocks: list[np.ndarray] = field(default_factory=list)

    def samples(self) -> np.ndarray:
        return np.concatenate(self.blocks, 1) if self.blocks else np.zeros((1, 0), np.float32)


def _runs(pieces: Iterator[tuple[float, Piece]], sample_rate: int) -> Iterator[_Run]:
    """Convert the rate of blocks that follow one another in one go; a gap, or blocks of another kind, begin a new run."""
    run, kind, resampler, expected = None, None, None, 0.0
    for time, piece in pieces:
        frame = piece.frame
        new = frame is None or (frame.format.name, frame.layout.name, frame.sample_rate) != kind or time != expected
        if new and run is not None:
            run.blocks += [block.to_ndarray() for block in resampler.resample(None)] if run.blocks else []
            yield run
            run = kind = None
        expected = time + piece.seconds
        if frame is None:
            continue
        if run is None:
            run, kind = _Run(round(time * sample_rate)), (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = _resampler(frame, sample_rate)
        run.blocks += [block.to_ndarray() for block in resampler.resample(frame)]
    if run is not None:
        run.blocks += [block.to_ndarray() for block in resampler.resample(None)] if run.blocks else []
        yield run


def _resampler(frame: Any, sample_rate: int) -> Any:
    import av

    channels = frame.layout.nb_channels
    # FFmpeg mixes stereo to mono at −3 dB, which overflows; the mean of two channels does not. It cannot mix channels of
    # which nobody says what they are ("4 channels").
    layout = "mono" if channels == 1 else frame.layout if frame.layout.name.endswith("channels") else "stereo"
    return av.AudioResampler(format="fltp", layout=layout, rate=sample_rate)


def _join(runs: list[_Run], length: int, slack: int) -> np.ndarray:
    """Lay runs where they belong, with silence between them.

    Args:
        runs: In order; what would lie on an earlier one is cut.
        length: Samples that the file promises; 0 where it does not.
        slack: Samples by which codecs of fixed blocks may fill the last one up; they are cut.
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


def _require_numbers(samples: np.ndarray, path: Path, sample_rate: int) -> None:
    length = samples.shape[1]
    if length < _SHORTEST * sample_rate:
        raise InputError(f"The sound in {path} lasts {length / sample_rate:.3f} seconds; give at least {_SHORTEST} seconds of speech.")
    bad = int((~np.isfinite(samples)).any(0).sum())
    if bad:
        raise InputError(f"The sound in {path} holds {bad} samples that are not numbers; save the recording again.")
