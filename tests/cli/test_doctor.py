"""`tbd doctor` finds what is there, names the command for what is not, and fails where tbd cannot work."""

import json

import pytest

from tbd.cli import doctor_checks
from tbd.cli.main import main
from tbd.weights import registry


@pytest.fixture
def found(capsys, monkeypatch, tmp_path):
    def run() -> tuple[int, dict[str, dict[str, str]]]:
        code = main(["doctor", "--json"])
        return code, {check["name"]: check for check in json.loads(capsys.readouterr().out)}

    monkeypatch.setenv("TBD_WEIGHTS", str(tmp_path))
    return run


def test_a_machine_that_works(found, tmp_path):
    name = next(iter(registry()))
    registry()[name].path.write_bytes(b"weights")
    code, checks = found()
    assert code == 0 and not [check for check in checks.values() if check["state"] == "broken"]
    assert checks["torch"]["state"] == checks["motion_base"]["state"] == checks["FFmpeg (written)"]["state"] == "ok"
    assert checks[name]["state"] == "ok"
    weights = [check for check in checks.values() if check["area"] == "Third-party weights"]
    absent = [check for check in weights if check["state"] == "absent"]
    assert len(weights) == len(registry()) and absent and all(check["remedy"] for check in absent)


def test_what_is_missing_is_said_with_the_command_that_brings_it(found, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(doctor_checks, "_has_codec", lambda name, mode: name != "libx264")
    code, checks = found()
    assert code == 1 and checks["FFmpeg (written)"]["state"] == "broken" and "libx264" in checks["FFmpeg (written)"]["found"]
    assert checks["flite"] | {"area": ""} == {
        "area": "", "name": "flite", "state": "absent", "found": "0 voices", "remedy": "apt-get install flite",
    }  # fmt: skip
    assert checks["festival"]["remedy"].startswith("apt-get install festival festvox-")


def test_requirements_are_read_from_the_installed_package(monkeypatch):
    monkeypatch.setattr(doctor_checks, "requires", lambda name: ["numpy>=1", "torch>=999", "none-such; extra == 'x'", "av; extra == 'x'"])
    assert [(name, good) for name, good, _ in doctor_checks._requirements(None)] == [("numpy", True), ("torch", False)]
    assert [(name, good) for name, good, _ in doctor_checks._requirements("x")] == [("none-such", False), ("av", True)]


def test_it_reads_well(capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "Extras" in said and "tbd works here" in said and "[/]" not in said
