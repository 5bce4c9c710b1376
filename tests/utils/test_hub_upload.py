"""Uploads to the hub, with a hub that is made up: what is sent, and what a refusal says."""

import shutil
from types import SimpleNamespace

import huggingface_hub
import pytest
import yaml
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

from tbd.errors import InputError, TBDError
from tbd.pipeline import TalkingHeadPipeline
from tbd.utils import hub_upload


class FakeHub:
    """Keeps what is uploaded."""

    def __init__(self, kept) -> None:
        self.kept, self.made, self.fails = kept, {}, None

    def __call__(self, **options):
        self.options = options
        return self

    def create_repo(self, repo_id, private, exist_ok):
        if self.fails is not None:
            raise self.fails
        self.made = {"repo_id": repo_id, "private": private, "exist_ok": exist_ok}
        return SimpleNamespace(repo_id=repo_id)

    def upload_folder(self, repo_id, folder_path, revision, commit_message):
        shutil.copytree(folder_path, self.kept)
        return f"hub/{repo_id}/commit/1"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    hub = FakeHub(tmp_path / "kept")
    monkeypatch.setattr(huggingface_hub, "HfApi", hub)
    monkeypatch.setattr(hub_upload, "reachable", lambda: True)
    return hub


def test_a_pipeline_is_uploaded_with_its_card_and_loads_again(hub):
    pipeline = TalkingHeadPipeline()
    assert pipeline.push_to_hub("me/face", private=True) == "hub/me/face/commit/1"
    assert hub.made == {"repo_id": "me/face", "private": True, "exist_ok": True}
    card = (hub.kept / "README.md").read_text(encoding="utf-8")
    _, metadata, text = card.split("---\n", 2)
    assert yaml.safe_load(metadata)["library_name"] == "tbd" and 'from_pretrained("me/face")' in text and "$" not in text
    assert "| planner | `tbd.think.situations.planner.SituationPlanner` |" in text and "MotionSampler" in text
    again = TalkingHeadPipeline.from_pretrained(hub.kept)
    assert type(again.planner) is type(pipeline.planner) and again.motion_model.guidance.scales() == pipeline.motion_model.guidance.scales()
    (hub.kept / "README.md").write_text("mine")
    again.save_pretrained(hub.kept)
    assert (hub.kept / "README.md").read_text() == "mine"


def refusal(status: int) -> HfHubHTTPError:
    """As the hub's client raises it, whichever library it speaks HTTP with."""
    error = HfHubHTTPError.__new__(HfHubHTTPError)
    error.args, error.response = ("no",), SimpleNamespace(status_code=status)
    return error


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (HFValidationError("no spaces"), InputError, "can have the name"),
        (LocalTokenNotFoundError("none"), InputError, "hf auth login"),
        (refusal(403), InputError, "refuses the token"),
        (refusal(500), TBDError, "was not uploaded"),
    ],
)
def test_a_refusal_is_one_sentence(hub, tmp_path, error, kind, says):
    hub.fails = error
    with pytest.raises(kind, match=says):
        hub_upload.upload_to_hub(tmp_path, "me/face", None, None, None, "m")


def test_without_a_network_the_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_upload, "reachable", lambda: False)
    with pytest.raises(InputError, match="save_pretrained"):
        hub_upload.upload_to_hub(tmp_path, "me/face", None, None, None, "m")
