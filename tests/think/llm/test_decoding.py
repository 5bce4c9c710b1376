"""What the model is spared: the head of a prompt, forced tokens, copies of its memory. None of it changes a word."""

import time

import pytest
import torch
from transformers import DynamicCache

from tbd.think import LanguageModelPlanner
from tbd.think.llm import decoding
from tbd.think.llm.growing_cache import GrowingLayer, make_cache
from tbd.think.llm.planner import Deadline
from tests.think.llm.test_local import SHORT
from tests.think.llm.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def planner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    (folder / "short.md").write_text(SHORT.replace("You plan faces.", "You plan faces. " * 60))
    return LanguageModelPlanner(str(save_tiny_model(folder / "tiny")), folder / "short.md", device="cpu")


def test_the_same_head_is_read_once(planner, monkeypatch):
    read = []
    original = planner.model._pass
    monkeypatch.setattr(planner.model, "_pass", lambda tokens: read.append(len(tokens)) or original(tokens))
    planner.plan("furious")
    first, kept = list(read), len(planner.model._kept)
    read.clear()
    again = planner.plan("sad")
    assert kept >= decoding.CHUNK and read[0] <= decoding.CHUNK and read != first
    monkeypatch.undo()
    planner.model._keep(0)
    assert planner.plan("sad") == again  # read anew, to the last bit the same


def test_forced_tokens_take_no_pass_of_their_own(planner, monkeypatch):
    read = []
    original = planner.model._pass
    monkeypatch.setattr(planner.model, "_pass", lambda tokens: read.append(len(tokens)) or original(tokens))
    planner.model.write(planner.prompt.ask("sad"), '%llguidance {}\nstart: "a" "bcdefghij" "k"', 50, 0, Deadline(60, time.monotonic()))
    assert len(read) <= 1 + -(-len(planner.model._encode(planner.prompt.ask("sad"))) // decoding.CHUNK)


def test_memory_that_grows_holds_what_the_original_holds(planner, monkeypatch):
    monkeypatch.setattr("tbd.think.llm.growing_cache.ROOM", 8)
    model = planner.model.model
    grown, plain = make_cache(model), DynamicCache(config=model.config)
    assert any(isinstance(layer, GrowingLayer) for layer in grown.layers)
    name = planner.model._cache_name
    with torch.inference_mode():
        for piece in (torch.arange(5, 25)[None], torch.tensor([[7]]), torch.arange(9, 14)[None]):
            pair = [model(piece, use_cache=True, **{name: cache}).logits for cache in (grown, plain)]
            assert torch.equal(*pair)
        for cache in (grown, plain):
            cache.crop(-9)
        assert torch.equal(*(model(torch.tensor([[3]]), use_cache=True, **{name: cache}).logits for cache in (grown, plain)))
