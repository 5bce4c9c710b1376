import numpy as np
import pytest
import torch

from tbd.draw.conditioning.audio_encoder import LogMel, MelEncoder, PhoneEncoder, Wav2Vec2Encoder, frames_of, mistake_phones
from tbd.errors import InputError
from tbd.speech.alignment import SYMBOLS
from tbd.speech.phones import SILENCE
from tests.speech.humming import Humming

WAV2VEC2 = {
    "model_type": "wav2vec2", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
    "conv_dim": [8] * 7, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


def test_one_feature_per_frame():
    encoder = MelEncoder(dim=32, bins=20, context=4).eval()
    assert encoder(torch.randn(2, (25 + 8) * 640)).shape == (2, 25, 32)


def test_features_follow_their_frame():
    """A click moves the features around its own frame and leaves distant ones alone."""
    encoder = MelEncoder(dim=32, bins=20, context=4).eval()
    quiet = torch.zeros(1, (60 + 8) * 640)
    click = quiet.clone()
    click[0, (4 + 30) * 640 + 320] = 1.0
    change = (encoder(click) - encoder(quiet)).abs().sum(-1)[0]
    assert 28 <= int(change.argmax()) <= 32 and change[:15].max() == 0 == change[45:].max()


@pytest.mark.parametrize("hz", [200, 1000, 4000])
def test_a_tone_lights_its_mel_band(hz):
    mel = LogMel(80)
    loudest = mel(torch.sin(2 * np.pi * hz * torch.arange(16000) / 16000)[None])[0].mean(-1).argmax()
    lit = torch.linspace(0, 8000, 257)[mel.filters[loudest] > 0]
    assert lit.min() - 40 <= hz <= lit.max() + 40


def test_hundred_columns_a_second():
    assert LogMel(80)(torch.zeros(1, 32000)).shape == (1, 80, 200)


def test_frames_cover_all_samples():
    assert [frames_of(n) for n in (1, 640, 641, 1280)] == [1, 1, 2, 2]


def test_wav2vec2_hears_frame_by_frame_and_stays_frozen():
    torch.manual_seed(0)
    encoder = Wav2Vec2Encoder(WAV2VEC2, dim=24, context=4).train()
    audio = torch.randn(2, (25 + 8) * 640)
    embeds = encoder(audio)
    assert embeds.shape == (2, 25, 24) and torch.equal(embeds, encoder(audio))  # nothing is dropped in training
    embeds.sum().backward()
    assert {name for name, p in encoder.named_parameters() if p.grad is not None} == {"project.weight", "project.bias"}
    louder = encoder(audio * 3 + 1)
    assert torch.allclose(embeds, louder, atol=1e-3) and not torch.allclose(embeds, encoder(audio.flip(1)), atol=1e-2)


def test_wav2vec2_is_described_and_read_from_a_folder(tmp_path):
    encoder = Wav2Vec2Encoder(WAV2VEC2, dim=24, context=4)
    again = Wav2Vec2Encoder(**encoder.describe({}))
    again.load_state_dict(encoder.state_dict())
    encoder.model.save_pretrained(tmp_path)
    read = Wav2Vec2Encoder(str(tmp_path), dim=24, context=4)
    audio = torch.randn(1, (10 + 8) * 640)
    assert torch.allclose(encoder.eval()(audio), again.eval()(audio), atol=1e-5)
    assert all(torch.equal(a, b) for a, b in zip(encoder.model.parameters(), read.model.parameters()))
    with pytest.raises(InputError, match="does not hold the configuration"):
        Wav2Vec2Encoder(str(tmp_path / ".."), dim=24)


def phone_encoder():
    return PhoneEncoder(Humming(), dim=32, bins=8, context=4).eval()


def test_phones_move_the_features_of_their_frame():
    encoder = phone_encoder()
    audio, silence = torch.zeros(1, (60 + 8) * 640), torch.zeros(1, (60 + 8) * 4, dtype=torch.uint8)
    closed = silence.clone()
    closed[0, (4 + 30) * 4 : (4 + 31) * 4] = SYMBOLS.index("m")
    change = (encoder(audio, closed) - encoder(audio, silence)).abs().sum(-1)[0]
    assert 29 <= int(change.argmax()) <= 31 and change[:25].max() == 0 == change[36:].max()


def test_phones_come_beside_the_sound():
    encoder = phone_encoder()
    audio, phones = torch.randn(2, (25 + 8) * 640), torch.randint(len(SYMBOLS), (2, (25 + 8) * 4))
    both = encoder(audio, phones)
    assert both.shape == (2, 25, 32)
    assert not torch.allclose(both, encoder(audio * 0.1, phones), atol=1e-3)


def test_noise_makes_the_sound_less_sure_in_training_alone():
    encoder = PhoneEncoder(Humming(), dim=32, bins=8, context=4, dropout=0.0, noise=0.5)
    inputs = torch.randn(2, (25 + 8) * 640), torch.randint(len(SYMBOLS), (2, (25 + 8) * 4))
    assert not torch.equal(encoder.train()(*inputs), encoder(*inputs))
    assert torch.equal(encoder.eval()(*inputs), encoder(*inputs))


def test_phones_are_mistaken_in_training_alone():
    encoder = PhoneEncoder(Humming(), dim=32, bins=8, context=4, dropout=0.0, phone_errors=0.5)
    inputs = torch.randn(8, (25 + 8) * 640), torch.randint(len(SYMBOLS), (8, (25 + 8) * 4))
    assert not torch.equal(encoder.train()(*inputs), encoder(*inputs))
    assert torch.equal(encoder.eval()(*inputs), encoder(*inputs))


@pytest.mark.parametrize("most", [0.2, 0.6])
def test_samples_differ_in_how_many_phones_are_mistaken(most):
    torch.manual_seed(0)
    phones = torch.arange(1, 721).repeat(400, 1)  # all different
    mistaken = mistake_phones(phones, most)
    share = (mistaken != phones).float().mean(1)
    assert share.max() < most + 0.15 and share.min() < 0.05 and share.mean() == pytest.approx(0.4 * most, rel=0.1)
    silent = (mistaken == 0).sum() / (mistaken != phones).sum()
    assert 0.2 < silent < 0.3
    changes = (mistaken != phones)[:, 1:] != (mistaken != phones)[:, :-1]
    assert (mistaken != phones).sum() / (changes.sum() / 2) > 8  # whole phones, not single columns


def test_a_share_of_mistakes_is_a_share():
    with pytest.raises(InputError, match="share from 0 to 1"):
        PhoneEncoder(Humming(), phone_errors=1.5)


def test_listening_gives_four_phones_a_frame():
    track = phone_encoder().listen(np.ones(16000 + 1, np.float32))
    assert track.shape == (26 * 4,) and SYMBOLS[track[0]] == SILENCE and SYMBOLS[track[50]] == "m"
    assert MelEncoder().listen(np.ones(16000, np.float32)) is None


def test_missing_phones_are_told():
    with pytest.raises(ValueError, match="give the DataModule a recognizer"):
        phone_encoder()(torch.zeros(1, 10 * 640))
