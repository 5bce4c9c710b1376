"""Hub repositories come from the cache, else from the hub; where neither has them, one sentence says so at once."""

import time

import pytest
from diffusers import AutoencoderKL

from tbd.draw.export import load_motion_model
from tbd.draw.pretrained import fingerprint, from_source
from tbd.errors import InputError
from tbd.utils.hub import hub_folder, model_files, weight_file

REVISION = "0" * 40


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """The folder of a cached repository, owner/name, that is still empty; the hub is out of reach."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    root = tmp_path / "models--owner--name"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(REVISION)
    snapshot = root / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    return snapshot


def answered(monkeypatch, files: list[str]) -> None:
    """The hub answers, and says that a repository has these files."""

    class Api:
        def model_info(self, name, timeout):
            return type("Info", (), {"siblings": [type("File", (), {"rfilename": file}) for file in files]})

    monkeypatch.setattr("tbd.utils.hub.reachable", lambda: True)
    monkeypatch.setattr("huggingface_hub.HfApi", Api)


def test_a_repository_without_what_is_wanted_says_what_it_has(repository, monkeypatch):
    answered(monkeypatch, ["README.md", "model.gguf"])
    with pytest.raises(InputError, match=r"repository owner/new holds no AutoencoderKL; it has README.md, model.gguf"):
        from_source(AutoencoderKL, "owner/new")


def test_half_a_cached_motion_model_is_no_model(repository):
    (repository / "config.yaml").write_text("model: {}")
    with pytest.raises(InputError, match="There is no motion model owner/name: not a folder"):
        load_motion_model("owner/name")


@pytest.mark.parametrize("part", ["", "vae"])
def test_a_cached_repository_is_read_without_the_hub(repository, part):
    network = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)
    network.save_pretrained(repository / part)
    assert fingerprint(from_source(AutoencoderKL, "owner/name")) == fingerprint(network)


def test_an_absent_repository_is_one_sentence_at_once(repository):
    start = time.monotonic()
    with pytest.raises(InputError, match=r"There is no AutoencoderKL owner/other: .* `hf download owner/other` fetches"):
        from_source(AutoencoderKL, "owner/other")
    with pytest.raises(InputError, match="owner/name"):
        from_source(AutoencoderKL, "owner/name")  # cached without its weights
    assert time.monotonic() - start < 5


def test_one_set_of_weights_is_fetched():
    paths = [
        "README.md", "model_index.json", "vae/config.json", "vae/diffusion_pytorch_model.bin",
        "vae/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.safetensors", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "v1-5-pruned.ckpt",
    ]  # fmt: skip
    assert model_files(paths, "vae") == ["vae/config.json", "vae/diffusion_pytorch_model.safetensors"]
    shards = [f"diffusion_pytorch_model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    index = "diffusion_pytorch_model.safetensors.index.json"
    assert model_files(["config.json", index, *shards, "diffusion_pytorch_model.bin"], "vae") == ["config.json", index, *shards]
    assert model_files(["README.md"], "vae") == [] and weight_file(["README.md"]) == {}


def test_only_what_is_wanted_is_asked_of_the_hub(repository, monkeypatch):
    asked = {}
    answered(monkeypatch, ["config.json", "model.safetensors", "model.bin"])

    def download(name, allow_patterns=None, local_files_only=False):
        asked[name] = allow_patterns
        if local_files_only:
            raise FileNotFoundError
        return str(repository)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert hub_folder("owner/new", "weights", lambda paths: model_files(paths, None)) == repository
    assert asked == {"owner/new": ["config.json", "model.safetensors"]}
