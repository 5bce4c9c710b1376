"""Lip sync by SyncNet: confidence (LSE-C), distance (LSE-D) and offset."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tbd.media.rates import SAMPLES_PER_FRAME
from tbd.metrics.base import Array, ClipMean, FrozenModule, Unmeasurable, full_precision, tensor
from tbd.metrics.faces.crops import CropProtocol, crop_mouths
from tbd.metrics.mfcc import mfcc
from tbd.metrics.networks.syncnet import WINDOW, SyncNet, audio_windows, load_syncnet
from tbd.utils.input_checks import require_at_least

MAX_SHIFT = 15
"""Frames by which the sound is moved either way."""
SHORTEST = MAX_SHIFT + WINDOW + 1
"""Frames of a track from which every shift has a window that is compared with a voice; in shorter ones some shifts are compared with
nothing but the zero vectors beyond the ends, and one window alone has a confidence of 0."""


def shift_distances(video: Tensor, audio: Tensor, max_shift: int = MAX_SHIFT) -> Tensor:
    """Measure the distance between mouths and voices when the voices are shifted in time.

    Args:
        video: (T, D) embeddings of the same windows.
        audio: (T, D) embeddings of the same windows.
        max_shift: Frames either way; beyond the ends a voice is the zero vector, as in the release.

    Returns:
        (T, 2 · max_shift + 1) Euclidean distances (with the release's 10⁻⁶ added to every difference); column j compares
        window i with the voice of window i + j − max_shift.
    """
    padded = torch.nn.functional.pad(audio, (0, 0, max_shift, max_shift))
    moved = padded.unfold(0, 2 * max_shift + 1, 1).mT  # (T, 2·max_shift + 1, D), a view
    rows = [(video[i : i + 64, None] - moved[i : i + 64] + 1e-6).norm(dim=-1) for i in range(0, len(video), 64)]
    return torch.cat(rows)


def score(distances: Tensor) -> dict[str, float]:
    """Compute the three numbers of one track.

    ``confidence`` (LSE-C) is the median less the minimum over shifts of the distance averaged over windows, ``distance``
    (LSE-D) that minimum, ``offset`` the shift where it lies, in frames, positive where the sound comes too early.

    Args:
        distances: (T, 2 · max_shift + 1), as `shift_distances` gives them.

    Returns:
        ``confidence``, ``distance`` and ``offset``.

    Example:
        >>> distances = torch.full((4, 31), 10.0)
        >>> distances[:, 12] = 6.0
        >>> score(distances)
        {'confidence': 4.0, 'distance': 6.0, 'offset': 3.0}
    """
    mean = distances.double().mean(0)
    least, at = mean.min(0)
    offset = (distances.shape[1] - 1) // 2 - int(at)
    return {"confidence": float(mean.median() - least), "distance": float(least), "offset": float(offset)}


def join_tracks(tracks: Sequence[tuple[int, Mapping[str, float]]]) -> dict[str, float]:
    """Compute a clip's numbers out of those of its tracks.

    Args:
        tracks: Number of frames and `score` of each, one at least.

    Returns:
        Confidence and distance averaged over frames; the offset of the longest track (the first of equal ones), since offsets that
        differ have no mean that says anything, and its absolute value.

    Example:
        >>> long, short = {"confidence": 5.0, "distance": 8.0, "offset": 5.0}, {"confidence": 1.0, "distance": 12.0, "offset": -5.0}
        >>> join_tracks([(90, long), (30, short)])
        {'confidence': 4.0, 'distance': 9.0, 'offset': 5.0, 'absolute_offset': 5.0}
    """
    frames = sum(length for length, _ in tracks)
    mean = {name: sum(length * found[name] for length, found in tracks) / frames for name in ("confidence", "distance")}
    offset = max(tracks, key=lambda track: track[0])[1]["offset"]
    return {**mean, "offset": offset, "absolute_offset": abs(offset)}


def embed(network: SyncNet, frames: Tensor, audio: Tensor, batch_size: int) -> tuple[Tensor, Tensor]:
    """Embed mouths and voices of one track, window by window.

    As in the release, the number of windows is that of whole frames of both picture and sound, less 5.

    Args:
        network: SyncNet, on the device to use.
        frames: (T, 3, 224, 224) uint8 RGB, any device.
        audio: (N,) float in −1..1 at 16 kHz, beginning with the first frame.
        batch_size: Number of windows at a time.

    Returns:
        (n, 1024) float32 each.

    Raises:
        Unmeasurable: If there are fewer than 6 frames of picture and sound.
    """
    device = next(network.parameters()).device
    count = min(len(frames), len(audio) // SAMPLES_PER_FRAME) - WINDOW
    if count < 1:
        raise Unmeasurable(f"SyncNet needs more than {WINDOW} frames of picture and sound.")
    samples = (tensor(audio).to(device) * 32768).round().clamp(-32768, 32767)
    voices = audio_windows(mfcc(samples).float(), count)
    video, sound = [], []
    for start in range(0, count, batch_size):
        end = min(start + batch_size, count)
        pixels = frames[start : end + WINDOW - 1].to(device, non_blocking=True).flip(1).float()  # BGR
        video.append(network.embed_video(pixels))
        sound.append(network.embed_audio(voices[start:end]))
    return torch.cat(video), torch.cat(sound)


class LipSync(ClipMean):
    """Base class of `SyncNetConfidence`, `SyncNetDistance` and `SyncNetOffset`: one pass gives all three numbers.

    Metrics of equal `group` give the same `measure`, so that one may measure and all may `add`. In a
    `torchmetrics.MetricCollection` they form one compute group of themselves.

    Args:
        protocol: How the mouth is cropped, see `tbd.metrics.faces.crops.crop_mouths`. Numbers of two protocols are not comparable.
        weights: SyncNet's weights: a registered name or a file.
        batch_size: Number of windows at a time; changes the speed and the memory, not the numbers.
        kwargs: Options of `torchmetrics.Metric`.

    Raises:
        WeightsNotFoundError: If the weights are not on this machine.
    """

    reads = ("preds.frames", "preds.audio", "preds.points")
    names = ("confidence", "distance", "offset", "absolute_offset")

    def __init__(
        self, protocol: CropProtocol = "official-short", weights: str | os.PathLike = "syncnet_v2", batch_size: int = 32, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        require_at_least(1, batch_size=batch_size)
        self.protocol, self.batch_size = protocol, batch_size
        self.share(("syncnet", protocol, os.fspath(weights)))
        self._network = FrozenModule(load_syncnet(weights))

    def measure(self, frames: Array, audio: Array, points: Array | None = None) -> dict[str, float]:
        """One clip's numbers; see `join_tracks` for several tracks. Those that are too short, or digitally silent, are left out.

        Args:
            frames: (T, 3, H, W) uint8 RGB at 25 a second.
            audio: (N,) float in −1..1 at 16 kHz.
            points: (T, 478, 3) pixels; not needed by the protocol ``wav2lip``.

        Returns:
            ``confidence``, ``distance``, ``offset`` and ``absolute_offset``.

        Raises:
            Unmeasurable: If no face is seen for long enough, the clip is too short, or its sound is digital silence.
        """
        sound = tensor(audio)
        if not bool(sound.any()):
            raise Unmeasurable("The clip's sound is silent.")
        found: list[tuple[int, dict[str, float]]] = []
        longest = 0
        with full_precision(self.device):
            network = self._network.on(self.device)
            for crop in crop_mouths(frames, points, self.protocol):
                begin, end = (frame * SAMPLES_PER_FRAME for frame in (crop.start, crop.start + len(crop.frames)))
                voice = sound[begin:end]
                length = min(len(crop.frames), len(voice) // SAMPLES_PER_FRAME) if bool(voice.any()) else 0
                longest = max(longest, length)
                if length >= SHORTEST:
                    embeds = embed(network, crop.frames, voice, self.batch_size)
                    found.append((length, score(shift_distances(*embeds))))
        if not found:
            raise Unmeasurable(f"SyncNet needs {SHORTEST} frames of a face with its sound; the longest track has {longest}.")
        return join_tracks(found)


class SyncNetConfidence(LipSync):
    """LSE-C: lead of the best alignment of voice and mouth over the usual one; higher is better.

    ``median − min`` over shifts of −15..15 frames of the mean distance between the embeddings of the mouth and the voice
    (Chung & Zisserman 2016; Prajwal et al. 2020). Real talking heads reach about 6 to 9 under ``official``. It does not
    show *where* the best alignment is: compare `SyncNetOffset`.

    Example:
        >>> SyncNetConfidence.reads, SyncNetConfidence.higher_is_better
        (('preds.frames', 'preds.audio', 'preds.points'), True)
        >>> metric = SyncNetConfidence("official-short")  # doctest: +SKIP
    """

    reported = "confidence"
    unit = ""
    higher_is_better = True


class SyncNetDistance(LipSync):
    """LSE-D: the mean distance of voice and mouth at their best alignment; lower is better, real clips have about 6 to 8.

    Example:
        >>> SyncNetDistance.reported, SyncNetDistance.higher_is_better
        ('distance', False)
    """

    reported = "distance"
    unit = ""
    higher_is_better = False
    plot_lower_bound = 0.0


class SyncNetOffset(LipSync):
    """Offset of the sound in frames, the mean over clips of its absolute value; 0 is best, within ±1 is in sync.

    `means` also gives the signed mean as ``offset``, positive where the sound comes too early.

    Example:
        >>> SyncNetOffset.reported, SyncNetOffset.unit
        ('absolute_offset', 'frames')
    """

    reported = "absolute_offset"
    unit = "frames"
    higher_is_better = False
    plot_lower_bound = 0.0
