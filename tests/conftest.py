"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real clips, portraits and speech on the developers' machines; the project must stand without them."""
    path = Path(os.environ.get("TBD_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"development material is not here ({path}); set TBD_SHARED to the folder that has it")
    return path
