"""Two seconds of speech, and what `tbd generate` makes of them: once for all tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tbd.cli.main import main
from tbd.utils.sample_inputs import PORTRAIT, VOICE


@pytest.fixture(scope="session")
def speech(tmp_path_factory) -> str:
    """Two seconds of the sample voice."""
    from scipy.io import wavfile

    rate, sound = wavfile.read(VOICE)
    path = tmp_path_factory.mktemp("speech") / "short.wav"
    wavfile.write(path, rate, sound[: 2 * rate])
    return str(path)


@pytest.fixture(scope="session")
def made(tmp_path_factory, speech) -> Path:
    """A folder with everything that `tbd generate` writes."""
    out = tmp_path_factory.mktemp("made")
    flags = [f"--portrait={PORTRAIT}", f"--audio={speech}", "--emotion=furious, then she smiles", "--size=128", "--num-inference-steps=4"]
    assert (
        main(["generate", *flags, f"--output={out / 'a.mp4'}", f"--motion-output={out / 'm.npz'}", f"--plan-output={out / 'p.json'}"]) == 0
    )
    return out


@pytest.fixture
def kept_empty(tmp_path) -> Iterator[Path]:
    """A folder for outputs, in which a command that is refused or interrupted must leave nothing."""
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder
    assert not list(folder.iterdir())
