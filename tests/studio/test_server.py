"""Starting the studio: what is missing or taken is one sentence."""

import builtins
import socket

import pytest

from tbd.errors import InputError
from tbd.studio.server import require_gradio, serve


def test_without_gradio_the_command_that_brings_it_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == "gradio":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'tbd\[studio\]'"):
        require_gradio()


def test_a_port_that_is_taken(pipeline, tmp_path, monkeypatch):
    pytest.importorskip("gradio", reason="Gradio is not installed (pip install 'tbd[studio]')")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("gradio.routes.DEFAULT_TEMP_DIR", str(tmp_path / "gradio"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1"), serve(pipeline, port=port):
            pytest.fail("it listens")
    assert not list(tmp_path.iterdir())
