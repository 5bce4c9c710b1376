"""SyncNet: cepstra against python_speech_features, the network window by window, distances and scores as the release's loop has
them, and a network that knows a little, on sound that is shifted."""

import numpy as np
import pytest
import python_speech_features
import torch
from torch import nn

from tbd.errors import InputError
from tbd.metrics import SyncNetConfidence, SyncNetDistance, SyncNetOffset, Unmeasurable, WeightsNotFoundError
from tbd.metrics.lip_sync import embed, score, shift_distances
from tbd.metrics.mfcc import mfcc
from tbd.metrics.networks.syncnet import SyncNet, audio_windows, load_syncnet


@pytest.mark.parametrize("length", [100, 400, 401, 560, 16000, 23456])
def test_cepstra_are_those_of_python_speech_features(length):
    rng = np.random.default_rng(length)
    audio = (rng.standard_normal(length) * 10 ** rng.uniform(0, 4)).astype(np.int16)
    assert mfcc(torch.from_numpy(audio)).numpy() == pytest.approx(python_speech_features.mfcc(audio, 16000), abs=1e-9)


def test_cepstra_of_silence_and_of_a_batch():
    silence = np.zeros(2000, np.int16)
    assert mfcc(torch.from_numpy(silence)).numpy() == pytest.approx(python_speech_features.mfcc(silence, 16000), abs=1e-9)
    batch = torch.randn(3, 4000) * 1000
    assert torch.allclose(mfcc(batch)[1], mfcc(batch[1]))


SHAPES = {
    "netcnnaud.0.weight": (64, 1, 3, 3), "netcnnaud.4.weight": (192, 64, 3, 3), "netcnnaud.8.weight": (384, 192, 3, 3),
    "netcnnaud.11.weight": (256, 384, 3, 3), "netcnnaud.14.weight": (256, 256, 3, 3), "netcnnaud.18.weight": (512, 256, 5, 4),
    "netcnnlip.0.weight": (96, 3, 5, 7, 7), "netcnnlip.4.weight": (256, 96, 1, 5, 5), "netcnnlip.8.weight": (256, 256, 1, 3, 3),
    "netcnnlip.11.weight": (256, 256, 1, 3, 3), "netcnnlip.14.weight": (256, 256, 1, 3, 3),
    "netcnnlip.18.weight": (512, 256, 1, 6, 6), "netfcaud.0.weight": (512, 512), "netfcaud.3.weight": (1024, 512),
    "netfclip.0.weight": (512, 512), "netfclip.3.weight": (1024, 512),
}  # fmt: skip
"""Convolutions and linear layers of the release's SyncNetModel.py; each convolution is followed by its normalisation."""


def test_layers_have_the_names_and_shapes_of_the_release():
    state = SyncNet().state_dict()
    weights = {key: tuple(value.shape) for key, value in state.items() if key.endswith("weight") and value.ndim > 1}
    assert weights == SHAPES
    norms = {key.rsplit(".", 1)[0] for key in state if key.endswith("running_mean")}
    assert norms == {
        *(f"{key.split('.')[0]}.{int(key.split('.')[1]) + 1}" for key in SHAPES if "cnn" in key),
        "netfcaud.1",
        "netfclip.1",
    }


@pytest.fixture(scope="module")
def network(stand_in):
    return load_syncnet(stand_in("syncnet")).eval()


def test_a_clip_at_once_is_the_releases_loop_over_windows(network):
    rng = np.random.default_rng(0)
    frames = torch.from_numpy(rng.integers(0, 256, (11, 3, 224, 224), np.uint8))
    samples = rng.integers(-3000, 3000, 11 * 640).astype(np.int16)
    with torch.inference_mode():
        mouths, voices = embed(network, frames, torch.from_numpy(samples / 32768), batch_size=4)
        # As SyncNetInstance.py: windows of five BGR frames and of twenty cepstra, one after the other.
        bgr = frames.flip(1).float().transpose(0, 1)[None]
        cepstra = torch.from_numpy(python_speech_features.mfcc(samples, 16000).T[None, None]).float()
        for i in range(11 - 5):
            lip = network.netfclip(network.netcnnlip(bgr[:, :, i : i + 5]).flatten(1))
            sound = network.netfcaud(network.netcnnaud(cepstra[..., 4 * i : 4 * i + 20]).flatten(1))
            assert mouths[i].numpy() == pytest.approx(lip[0].numpy(), abs=1e-4)
            assert voices[i].numpy() == pytest.approx(sound[0].numpy(), abs=1e-4)
    assert len(mouths) == len(voices) == 6 and float(mouths.std()) > 0.1


def test_distances_are_the_releases_padding_and_epsilon_included():
    video, audio = torch.randn(70, 1024), torch.randn(70, 1024)
    padded = nn.functional.pad(audio, (0, 0, 15, 15))
    rows = [nn.functional.pairwise_distance(video[[i]].repeat(31, 1), padded[i : i + 31]) for i in range(70)]
    assert shift_distances(video, audio).numpy() == pytest.approx(torch.stack(rows).numpy(), abs=1e-4)
    mean = torch.stack(rows, 1).mean(1)
    found = score(shift_distances(video, audio))
    assert found["confidence"] == pytest.approx(float(mean.median() - mean.min()), abs=1e-5)
    assert found["distance"] == pytest.approx(float(mean.min()), abs=1e-5)
    assert found["offset"] == 15 - int(mean.argmin())


@pytest.mark.parametrize("early", [-4, 0, 6])
def test_the_offset_is_positive_where_the_sound_comes_early(early):
    voices = torch.randn(60, 64)
    found = score(shift_distances(voices, torch.roll(voices, -early, 0)))
    assert found["offset"] == early and found["confidence"] > 1


def test_audio_windows_begin_with_their_frame():
    cepstra = torch.arange(100.0)[:, None].expand(100, 13)
    windows = audio_windows(cepstra, 7)
    assert windows.shape == (7, 13, 20) and windows[:, 0, 0].tolist() == [0, 4, 8, 12, 16, 20, 24]


def test_one_pass_serves_all_three_numbers(stand_in):
    kinds = (SyncNetConfidence, SyncNetDistance, SyncNetOffset)
    metrics = [kind("wav2lip", stand_in("syncnet")) for kind in kinds]
    assert len({metric.group for metric in metrics}) == 1
    frames, audio = torch.randint(0, 256, (25, 3, 40, 60), dtype=torch.uint8), torch.rand(25 * 640) - 0.5
    values = metrics[0].measure(frames, audio)
    for metric in metrics:
        metric.add(values)
        metric.add(values)
    assert [float(metric.compute()) for metric in metrics] == pytest.approx(
        [values["confidence"], values["distance"], values["absolute_offset"]], abs=1e-8
    )


def test_clips_of_which_it_can_say_nothing(stand_in):
    metric = SyncNetConfidence("wav2lip", stand_in("syncnet"))
    frames, audio = torch.zeros(25, 3, 40, 60, dtype=torch.uint8), torch.rand(25 * 640) - 0.5
    for short in (1, 5, 6, 20):
        with pytest.raises(Unmeasurable, match=f"21 frames of a face with its sound; the longest track has {short}"):
            metric.measure(frames[:short], audio)
        with pytest.raises(Unmeasurable, match="21 frames"):
            metric.measure(frames, audio[: short * 640])
    assert metric.measure(frames[:21], audio)["distance"] > 0
    with pytest.raises(Unmeasurable, match="silent"):
        metric.measure(frames, torch.zeros(9 * 640))
    with pytest.raises(InputError, match="one channel"):
        metric.measure(frames, torch.rand(2, 9 * 640))
    faceless = SyncNetConfidence("official-short", stand_in("syncnet"))
    faceless.update(frames, audio, np.full((25, 478, 3), np.nan))
    assert int(faceless.unmeasured) == 1


def test_tracks_count_by_their_frames_and_the_longest_says_the_offset(stand_in, monkeypatch):
    """The issue's clip: 90 frames at +5 and 7 frames at −5 gave offset 0. A track of 30 frames stands for the one that is long enough."""
    from tbd.metrics import lip_sync
    from tbd.metrics.faces.crops import MouthCrop

    tracks = {90: (5, 2.0), 30: (-5, 6.0), 7: (-9, 60.0)}
    pictures = torch.zeros(127, 3, 4, 4, dtype=torch.uint8)
    crops = [MouthCrop(pictures[:7], 0), MouthCrop(pictures[:90], 7), MouthCrop(pictures[:30], 97)]
    monkeypatch.setattr(lip_sync, "crop_mouths", lambda *_: crops)
    monkeypatch.setattr(lip_sync, "embed", lambda network, frames, audio, size: (len(frames),))
    monkeypatch.setattr(lip_sync, "shift_distances", lambda length: length)
    monkeypatch.setattr(
        lip_sync, "score", lambda n: {"confidence": tracks[n][1], "distance": 10.0 - tracks[n][1], "offset": float(tracks[n][0])}
    )
    found = SyncNetOffset("official-short", stand_in("syncnet")).measure(pictures, torch.ones(127 * 640), np.full((127, 478, 3), np.nan))
    assert found == {"confidence": 3.0, "distance": 7.0, "offset": 5.0, "absolute_offset": 5.0}


def test_a_track_in_digital_silence_says_nothing(stand_in, monkeypatch):
    from tbd.metrics import lip_sync
    from tbd.metrics.faces.crops import MouthCrop

    pictures, nowhere, compared = torch.zeros(70, 3, 4, 4, dtype=torch.uint8), np.full((70, 478, 3), np.nan), []
    monkeypatch.setattr(lip_sync, "crop_mouths", lambda *_: [MouthCrop(pictures[:40], 0), MouthCrop(pictures[40:], 40)])
    monkeypatch.setattr(lip_sync, "embed", lambda network, frames, audio, size: (compared.append((len(frames), len(audio))),))
    monkeypatch.setattr(lip_sync, "shift_distances", lambda found: found)
    monkeypatch.setattr(lip_sync, "score", lambda found: {"confidence": 3.0, "distance": 8.0, "offset": 2.0})
    sound = torch.ones(70 * 640) / 2
    sound[: 40 * 640] = 0
    metric = SyncNetOffset("official-short", stand_in("syncnet"))
    assert metric.measure(pictures, sound, nowhere)["offset"] == 2 and compared == [(30, 30 * 640)]
    sound[40 * 640 :] = 0
    sound[-1] = 0.1
    monkeypatch.setattr(lip_sync, "crop_mouths", lambda *_: [MouthCrop(pictures[:40], 0)])
    with pytest.raises(Unmeasurable, match="the longest track has 0"):
        metric.measure(pictures, sound, nowhere)


def test_absent_and_foreign_weights(stand_in):
    with pytest.raises(WeightsNotFoundError) as error:
        SyncNetConfidence()
    assert error.value.command == "tbd weights fetch syncnet_v2"
    with pytest.raises(InputError, match="does not hold the weights of SyncNet"):
        SyncNetConfidence(weights=stand_in("alexnet"))
