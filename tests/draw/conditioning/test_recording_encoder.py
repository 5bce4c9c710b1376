"""A recording's features are those that Hallo's program makes with the same wav2vec 2.0."""

import json

import numpy as np
import torch

from tbd.draw.conditioning.recording_encoder import RecordingEncoder
from tbd.draw.sampling import AudioWindows
from tests.draw.video.hallo.peer import FIXTURES, Peer, apart, state

CONFIG = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}


def peers_encoder() -> RecordingEncoder:
    """With the weights that the peer had, under the names of its version of transformers."""
    encoder = RecordingEncoder(CONFIG).eval()
    theirs = state(json.loads((FIXTURES / "audio_keys.json").read_text()), "wav2vec.")
    own = encoder.model.state_dict()
    renamed = {name.replace("weight_g", "parametrizations.weight.original0"): value for name, value in theirs.items()}
    renamed = {name.replace("weight_v", "parametrizations.weight.original1"): value for name, value in renamed.items()}
    encoder.model.load_state_dict({name: renamed.get(name, theirs.get(name)) for name in own})
    return encoder


def test_features_and_windows_are_the_peers():
    peer, encoder = Peer("audio"), peers_encoder()
    speech = peer["speech"].astype(np.float32) / 32768
    features = encoder.encode_recording(speech)
    assert features.shape == (32, 72) and peer["frames"].tolist() == [27, 32]  # silence up to whole windows
    assert apart(features.unflatten(1, (3, 24))[..., :6], peer["features"]) < 1e-4
    windows = encoder.cut_window(features, 0, 32)[peer["rows"]]
    assert apart(windows.unflatten(1, (5, 3, 24)), peer["windows"]) < 1e-4


def test_a_window_before_the_recording_repeats_its_first_frame():
    encoder, audio = RecordingEncoder(CONFIG, block=4).eval(), np.random.default_rng(0).normal(size=6400).astype(np.float32)
    windows = AudioWindows(audio, encoder)
    first, later = windows.embeds(-2, 6), windows.embeds(0, 6)
    assert first.shape == (1, 6, encoder.dim) and torch.equal(first[:, 2:], later[:, :4]) and torch.equal(first[:, 0], later[:, 0])


def test_windows_of_training_are_read_by_themselves():
    encoder = RecordingEncoder(CONFIG, context=3).train()
    sound = torch.randn(2, (5 + 6) * 640)
    both = encoder(sound)
    assert both.shape == (2, 5, encoder.dim) and torch.allclose(both[1:], encoder(sound[1:]), atol=1e-5)
    assert not any(p.requires_grad for p in encoder.parameters()) and not encoder.model.training
