"""Text encoders: what a region says stays there, what is frozen stays out of checkpoints, what is absent is named."""

import copy
import io
import shutil

import pytest
import torch

from tbd.draw.conditioning.captions import NEUTRAL, caption_regions, caption_segment
from tbd.draw.conditioning.plan_tensors import PlanTensors
from tbd.draw.conditioning.text_plan_encoder import TextPlanEncoder
from tbd.errors import InputError
from tbd.media.rates import FPS
from tbd.think.plan import MuscleAction, MusclePlan, Segment
from tests.draw.conditioning.tiny_text import WIDTH, text_model_folder, tiny_text_encoder

TIMES = torch.arange(25) / FPS
PLAN = MusclePlan(
    emotions={"happy": 1.0},
    intensity=0.8,
    actions=(MuscleAction(unit=1, intensity=0.5), MuscleAction(unit=12, intensity=0.5)),
    description="a happy face",
    regions={"upper": "the brows rise", "lower": "the lip corners are drawn back", "head": "the head lifts"},
)


def encoded(encoder: TextPlanEncoder, plan: MusclePlan = PLAN):
    return encoder(PlanTensors.collate([plan]), TIMES)


@pytest.mark.parametrize("kind", ["clip", "t5"])
def test_a_regions_text_changes_that_region_only(kind):
    encoder = tiny_text_encoder(kind)
    edited = PLAN.model_copy(update={"regions": PLAN.regions | {"lower": "the chin boss bunches and pushes"}})  # as many words
    before, after = encoded(encoder), encoded(encoder, edited)
    changed = (before.local_tokens != after.local_tokens).any(-1)[0, 1:].unflatten(0, (5, -1)).any(-1)
    assert changed.tolist() == [False, False, False, True, False]
    assert torch.equal(before.global_tokens, after.global_tokens) and torch.equal(before.local_presence, after.local_presence)


def test_a_long_text_weighs_no_more_than_a_short_one():
    embeds = encoded(tiny_text_encoder("t5"))
    shares = embeds.local_presence[0, 1:].unflatten(0, (5, -1)).sum(1)
    assert torch.allclose(shares, torch.tensor([0.5, 0, 0, 0.5, 0])[:, None].expand(-1, 25))
    assert torch.allclose(embeds.global_presence.sum(1), torch.tensor(0.8))


def test_a_whole_clip_reads_with_its_text_half():
    assert type(tiny_text_encoder("clip-whole", trained=True).text_model).__name__ == "CLIPTextModel"
    assert type(tiny_text_encoder("t5", trained=True).text_model).__name__ == "T5EncoderModel"


def test_frozen_texts_are_read_once(monkeypatch):
    encoder = tiny_text_encoder("clip", cache_size=2)
    read = []
    monkeypatch.setattr(encoder.reader, "_read", lambda texts, device: read.extend(texts) or [torch.ones(3, WIDTH) for _ in texts])
    neutral, happy = MusclePlan(), MusclePlan(emotions={"happy": 1.0}, intensity=1.0)
    for plan in (neutral, happy, neutral, happy):
        encoded(encoder, plan)
    assert read == [NEUTRAL, "an utterly happy face"]
    encoded(encoder)  # three more texts than the cache holds
    assert len(encoder.reader._cache) == 2


def test_features_read_in_validation_serve_in_training():
    encoder = tiny_text_encoder("clip")
    with torch.inference_mode():
        encoded(encoder)
    kept = [*encoder.reader.load()[0].parameters(), *encoder.reader._cache.values()]
    assert kept and not any(tensor.is_inference() for tensor in kept)
    encoded(encoder).local_tokens.sum().backward()
    assert encoder.project[1].weight.grad.abs().sum() > 0


def test_frozen_weights_stay_out_of_checkpoints():
    encoder = tiny_text_encoder("clip")
    before = encoded(encoder).local_tokens
    assert {name.split(".")[0] for name in encoder.state_dict()} == {"project", "region", "muscles_given"}
    assert all(p.requires_grad for p in encoder.parameters())
    fresh = tiny_text_encoder("clip")
    torch.nn.init.zeros_(fresh.region.weight)
    fresh.load_state_dict(encoder.state_dict())
    assert torch.equal(encoded(fresh).local_tokens, before)
    file = io.BytesIO()
    torch.save(encoder, file)  # as the hyperparameters of a checkpoint
    loaded = torch.load(io.BytesIO(file.getvalue()), weights_only=False)
    assert loaded.reader._parts is None and not loaded.reader._cache
    assert torch.equal(encoded(loaded).local_tokens, before) and torch.equal(encoded(copy.deepcopy(encoder)).local_tokens, before)


def test_trained_weights_are_saved_and_learn():
    encoder = tiny_text_encoder("t5", trained=True)
    encoded(encoder).global_tokens.sum().backward()
    assert any(name.startswith("text_model.") for name in encoder.state_dict())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.text_model.parameters())
    twin = copy.deepcopy(encoder)
    assert twin.reader.load()[0] is twin.text_model is not encoder.text_model


def test_an_absent_text_model_is_named_when_first_read(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    encoder = TextPlanEncoder(16, str(tmp_path / "nothing"))
    with pytest.raises(InputError, match=r"There is no (text model|folder or file) .*nothing"):
        encoded(encoder)
    with pytest.raises(InputError, match="holds no text model with configuration, weights and tokenizer"):
        encoded(TextPlanEncoder(16, str(tmp_path)))


def test_a_pipelines_root_serves_its_text_model(tmp_path):
    shutil.copytree(text_model_folder("clip"), tmp_path / "text_encoder")
    (tmp_path / "tokenizer").mkdir()
    for file in (tmp_path / "text_encoder").glob("*token*"):
        file.rename(tmp_path / "tokenizer" / file.name)
    whole, part = TextPlanEncoder(16, str(tmp_path), WIDTH), tiny_text_encoder("clip")
    part.load_state_dict(whole.state_dict())
    assert torch.equal(encoded(whole).local_tokens, encoded(part).local_tokens)


def test_another_width_is_refused():
    with pytest.raises(InputError, match=f"width {WIDTH}, not 512"):
        encoded(TextPlanEncoder(16, str(text_model_folder("clip"))))


def test_captions_say_what_the_plan_leaves_unsaid():
    assert caption_segment(Segment(emotions={"neutral": 1.0}, intensity=0.0, description="nothing shows")) == NEUTRAL
    assert caption_segment(Segment(emotions={"angry": 1.0}, intensity=1.0)) == "an utterly angry face"
    assert caption_regions(PLAN) == {"upper": "the brows rise", "lower": "the lip corners are drawn back"}  # the head is at rest
