"""What tests of commands share: a run that must be refused."""

import pytest

from tbd.cli.main import main


def refused(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    """Run, expect exit code 2 and one sentence on stderr; return it."""
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"tbd {arguments[0]}: ") and "Traceback" not in said and "\n" not in said
    return said
