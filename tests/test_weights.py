"""The registry of third-party weights: fetched whole and checked, or not at all; read without running code."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from tbd import weights
from tbd.cli.main import main
from tbd.errors import InputError, TBDError
from tbd.weights import Weights, WeightsNotFoundError

CONTENT = b"weights" * 100_000
SUM = hashlib.sha256(CONTENT).hexdigest()


class _Server(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path == "/whole" else CONTENT[:1000])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def register(monkeypatch, tmp_path, server):
    """Puts one entry into an otherwise empty registry."""
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path / "weights"))

    def register(sha256=SUM, path="/whole", url=None) -> Weights:
        entry = Weights("net", "net.pth", server + path if url is None else url, sha256, "MIT", "anyone.", ("Metric",), "Ask for it.")
        monkeypatch.setattr(weights, "registry", lambda: {"net": entry})
        monkeypatch.setattr(weights, "weight_sets", dict)
        return entry

    return register


def test_the_registry_that_ships_is_whole():
    weights.registry.cache_clear()
    registry = weights.registry()
    assert {"syncnet_v2", "inception-fid", "alexnet-imagenet", "emotion-fan-mead"} <= set(registry)
    for entry in registry.values():
        assert entry.url.startswith(("https://", "http://")) or (entry.url == "" and entry.note)
        assert entry.sha256 is None or (len(entry.sha256) in (8, 64) and int(entry.sha256, 16) >= 0)
        assert entry.licence and entry.use and entry.needed_by
        assert len(entry.sha256 or "") != 8 or entry.sha256 in entry.file, "PyTorch's names carry the digits"
    from tbd import metrics
    from tbd.draw.conditioning import recording_encoder, sentence_encoder
    from tbd.draw.video import autoencoder
    from tbd.draw.video.hallo import denoiser
    from tbd.face import tracker
    from tbd.metrics.networks import onnx_embedder
    from tbd.think.coding import expressive_tracker

    places = (metrics, tracker, recording_encoder, sentence_encoder, autoencoder, denoiser, onnx_embedder, expressive_tracker)
    for name in {part for entry in registry.values() for part in entry.needed_by}:
        assert any(hasattr(place, name) for place in places), name


def test_the_sets_that_ship_are_whole():
    """Each file is registered, and each is in a set of its own name's folder or shared."""
    weights.weight_sets.cache_clear()
    assert list(weights.weight_sets()) == ["hallo", "emocast"]
    for chosen in weights.weight_sets().values():
        assert len(set(chosen.files)) == len(chosen.files) and all(file in weights.registry() for file in chosen.files)
        assert any(weights.find_weights(file).file == f"{chosen.name}/net.pth" for file in chosen.files)
    assert [entry.name for entry in weights.expand_sets(["glintr100", "hallo"])][:2] == ["glintr100", "hallo-net"]


def test_a_set_says_what_it_is_before_it_is_fetched_from_copies(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path / "weights"))
    pair = weights.WeightSet("pair", "draws two", ("one", "two"), "Ask the authors.")
    entries = {name: Weights(name, f"{name}/net.pth", "", SUM, "none stated", "nobody.", ("Metric",), "Ask.") for name in ("one", "two")}
    monkeypatch.setattr(weights, "registry", lambda: entries)
    monkeypatch.setattr(weights, "weight_sets", lambda: {"pair": pair})
    with pytest.raises(WeightsNotFoundError, match=r"lack 2 of 2 files: .*one/net\.pth.*; `tbd weights fetch pair` fetches them"):
        weights.resolve_set("pair")
    for name in ("one", "two"):
        (tmp_path / "copies/deep" / name).mkdir(parents=True)
        (tmp_path / "copies/deep" / name / "net.pth").write_bytes(CONTENT)
    assert not main(["weights", "fetch", "pair", "--from", str(tmp_path / "copies")])
    out = capsys.readouterr().out
    assert out.index("pair: draws two; 2 files") < out.index("Ask the authors.") < out.index("verified: as published")
    assert "one/net.pth: size unknown, sha256" in out and set(weights.resolve_set("pair")) == {"one", "two"}
    (tmp_path / "copies/deep/two/net.pth").unlink()
    assert main(["weights", "fetch", "pair", "--from", str(tmp_path / "copies")]) == 2
    assert "no file that could be two/net.pth" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("known", [SUM, SUM[:8]])
def test_a_file_is_fetched_checked_and_found(register, known):
    entry = register(known)
    with pytest.raises(WeightsNotFoundError, match="tbd weights fetch net") as error:
        weights.resolve_weights("net")
    assert error.value.exit_code == 2 and error.value.command == "tbd weights fetch net"
    seen = []
    assert weights.fetch("net", progress=lambda done, total: seen.append((done, total))) == ("verified", SUM)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert weights.resolve_weights("net") == entry.path and entry.path.read_bytes() == CONTENT
    assert weights.fetch("net", offline=True) == ("verified", SUM), "what is there needs no network"


def test_another_file_is_not_kept(register, tmp_path):
    entry = register("0" * 64)
    with pytest.raises(InputError, match=f"its sha256 is {SUM}, {'0' * 64} is right"):
        weights.fetch("net")
    assert not list(entry.path.parent.iterdir())


def test_without_a_published_checksum_the_first_fetch_is_noted(register):
    entry = register(None)
    assert weights.fetch("net") == ("as fetched", SUM)
    assert json.loads((weights.folder() / "checksums.json").read_text()) == {"net": SUM}
    entry.path.write_bytes(b"changed")
    assert weights.verify(entry)[0] == "wrong"
    with pytest.raises(InputError, match="sha256 differs"):
        weights.resolve_weights("net")
    (weights.folder() / "checksums.json").unlink()
    assert weights.verify(entry)[0] == "unknown" and weights.resolve_weights("net") == entry.path


def test_a_copy_serves_machines_without_internet(register, tmp_path):
    register(url="")
    with pytest.raises(InputError, match=r"no direct link. Ask for it. Then: tbd weights fetch net --from FILE"):
        weights.fetch("net")
    copy = tmp_path / "copy"
    copy.write_bytes(CONTENT)
    assert weights.fetch("net", copy, offline=True) == ("verified", SUM)
    with pytest.raises(InputError, match="no file"):
        weights.fetch("net", tmp_path / "nowhere")


def test_offline_never_asks(register, monkeypatch):
    register()
    monkeypatch.setattr(weights, "_download", lambda *_: pytest.fail("the network was used"))
    with pytest.raises(WeightsNotFoundError, match="--offline forbids"):
        weights.fetch("net", offline=True)


@pytest.mark.parametrize(("path", "message"), [("/missing", "failed"), ("/broken", "broke off|failed")])
def test_downloads_that_fail_leave_nothing(register, path, message):
    entry = register(path=path)
    with pytest.raises(TBDError, match=message):
        weights.fetch("net")
    assert not list(entry.path.parent.iterdir())


def test_state_dicts_are_opened_and_code_is_not_run(tmp_path):
    state = {"layer.weight": torch.ones(2)}
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "checkpoint")
    torch.save(state, tmp_path / "old", _use_new_zipfile_serialization=False)
    for name in ("checkpoint", "old"):
        assert torch.equal(weights.load_state(tmp_path / name)["layer.weight"], state["layer.weight"])
    from safetensors.torch import save_file

    save_file(state, tmp_path / "safe.safetensors")
    assert list(weights.load_state(tmp_path / "safe.safetensors")) == ["layer.weight"]
    torch.save(_Harmful(tmp_path / "harm"), tmp_path / "bad")
    with pytest.raises(InputError, match="without running code"):
        weights.load_state(tmp_path / "bad")
    assert not (tmp_path / "harm").exists()
    (tmp_path / "text").write_text("no weights")
    with pytest.raises(InputError, match="cannot be read"):
        weights.load_state(tmp_path / "text")
    torch.save([1, 2], tmp_path / "list")
    with pytest.raises(InputError, match="holds no state dict"):
        weights.load_state(tmp_path / "list")
    with pytest.raises(InputError, match="no registered weights"):
        weights.load_state("nowhere")


class _Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_the_command_lists_fetches_and_verifies(register, capsys):
    entry = register(None)
    assert main(["weights", "list"]) == 0
    assert "absent" in capsys.readouterr().out
    assert main(["weights", "fetch", "net"]) == 0
    printed = capsys.readouterr().out
    assert "MIT" in printed and SUM in printed and "plain connection" in printed
    assert main(["weights", "verify", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert (row["name"], row["condition"], row["found_sha256"]) == ("net", "as fetched", SUM)
    entry.path.write_bytes(b"changed")
    assert main(["weights", "verify"]) == 2
    assert "net.pth" in capsys.readouterr().err
    assert main(["weights", "fetch"]) == 2 and main(["weights", "list", "nett"]) == 2


def test_listing_needs_no_torch():
    import subprocess
    import sys

    code = "import sys; from tbd.cli.main import main; main(['weights', 'list']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
