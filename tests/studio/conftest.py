"""One pipeline, a portrait and two seconds of speech for all tests of the studio."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from scipy.io import wavfile

from tbd.pipeline import TalkingHeadPipeline
from tbd.studio.drawing import Drawer
from tbd.studio.handlers import Handlers
from tbd.studio.session import SessionStore
from tbd.utils.sample_inputs import VOICE, write_samples


@pytest.fixture(scope="session")
def pipeline() -> TalkingHeadPipeline:
    return TalkingHeadPipeline()


@pytest.fixture(scope="session")
def given(tmp_path_factory) -> dict[str, str]:
    """Files of a user: a portrait, two seconds of speech, and what is neither."""
    folder = tmp_path_factory.mktemp("given")
    portrait, _ = write_samples(folder)
    rate, sound = wavfile.read(VOICE)
    wavfile.write(folder / "my voice.wav", rate, sound[: 2 * rate])
    Image.new("RGB", (200, 200), "teal").save(folder / "nobody.png")
    (folder / "words.txt").write_text("these are words")
    names = {"portrait": portrait.name, "voice": "my voice.wav", "nobody": "nobody.png", "words": "words.txt"}
    return {kind: str(folder / name) for kind, name in names.items()}


@pytest.fixture
def store(tmp_path) -> Iterator[SessionStore]:
    folder = tmp_path / "sessions"
    folder.mkdir()
    store = SessionStore(folder)
    yield store
    store.close_all()
    assert not list(folder.iterdir())


@pytest.fixture
def handlers(pipeline, store) -> Handlers:
    return Handlers(Drawer(pipeline), store)


@pytest.fixture
def upload(tmp_path, given):
    """Copy a user's file to where Gradio would keep it, which is deleted with its tab."""

    def copy(kind: str) -> str:
        source = Path(given[kind])
        target = tmp_path / "uploads" / kind / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        return str(target)

    return copy
