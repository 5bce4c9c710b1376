"""Hub names are looked for when a configuration is parsed, within seconds."""

import time

import pytest

from tbd.errors import InputError
from tbd.training import weights_check
from tbd.utils import hub

NAME = "someone/some-vae"


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def named(source) -> dict:
    codec = {"class_path": "tbd.draw.video.autoencoder.LatentCodec", "init_args": {"autoencoder": source}}
    return {"model": {"class_path": "tbd.draw.video.diffusion.VideoDiffusion", "init_args": {"autoencoder": codec}}}


def test_without_a_network_it_takes_two_seconds_to_say_what_is_missing_and_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(hub, "_connect", lambda host, port, answered: time.sleep(60))  # a network that swallows everything
    start = time.monotonic()
    with pytest.raises(InputError, match=f"autoencoder: there are no weights of {NAME}.*hf download {NAME}") as refusal:
        weights_check.require_sources(named(NAME))
    assert time.monotonic() - start < 5 and str(tmp_path / "hub") in str(refusal.value)


def test_with_the_hub_forbidden_it_is_not_asked(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(hub, "_connect", lambda *address: pytest.fail("asked"))
    with pytest.raises(InputError, match="HF_HUB_OFFLINE"):
        weights_check.require_sources(named(NAME))


def test_a_path_that_is_not_there_is_no_hub_name():
    with pytest.raises(InputError, match=r"there is no folder or file \./weights"):
        weights_check.require_sources(named("./weights"))


def test_what_is_at_hand_passes(monkeypatch, tmp_path):
    monkeypatch.setattr(weights_check, "reachable", lambda: False)
    snapshot = tmp_path / "hub" / "models--someone--some-vae" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    refs = tmp_path / "hub" / "models--someone--some-vae" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0" * 40)
    with pytest.raises(InputError):
        weights_check.require_sources(named(NAME))
    (snapshot / "config.json").write_text("{}")
    weights_check.require_sources(named(NAME))
    (tmp_path / "folder").mkdir()
    weights_check.require_sources(named(str(tmp_path / "folder")))
    weights_check.require_sources(named({"block_out_channels": [8]}))


def test_a_hub_that_answers_is_left_to_its_client(monkeypatch):
    monkeypatch.setattr(hub, "_connect", lambda host, port, answered: answered.set())
    weights_check.require_sources(named(NAME))
