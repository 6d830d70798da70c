"""The units for systemd in docs/ops: sound to systemd, or to a reader of the same rules where it is not installed."""

from __future__ import annotations

import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from pos_loyalty.cli.main import COMMANDS, _parser

UNITS = sorted((Path(__file__).parents[2] / "docs/ops").iterdir())
OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"


def read(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser


def test_there_are_units_for_every_process() -> None:
    assert {path.stem for path in UNITS} == {
        f"pos-loyalty-{name}" for name in ("head-office", "till", "sync", "sync-follow", "hub", "nightly")
    }


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_says_what_it_must(path: Path) -> None:
    unit = read(path)
    assert unit["Unit"]["Description"]
    if path.suffix == ".timer":
        assert unit["Timer"]["Persistent"] == "true", "a machine that was off catches up"
        assert unit["Timer"]["RandomizedDelaySec"], "not all at the same second"
        assert unit["Timer"]["OnCalendar"] and unit["Install"]["WantedBy"] == "timers.target"
        assert path.with_suffix(".service") in UNITS
        return
    service = unit["Service"]
    command = service["ExecStart"].split("pos-loyalty ", 1)[1].split()
    assert COMMANDS and _parser().parse_args(command).run is not None, "the command is one of ours"
    assert service["User"] == "pos-loyalty" and service["UMask"] == "0077"
    is_once = service["Type"] == "oneshot"
    assert is_once == path.with_suffix(".timer").exists()
    assert is_once or (service["Restart"] == "always" and unit["Install"]["WantedBy"] == "multi-user.target")
    assert is_once or unit["Unit"]["StartLimitIntervalSec"] == "0", "it is never given up"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_no_fault(path: Path) -> None:
    systemd = shutil.which("systemd-analyze")
    if systemd is None:
        pytest.skip("systemd is not on this machine; the units were read by the test before")
    done = subprocess.run([systemd, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_is_told_of(path: Path) -> None:
    assert f"`{path.name}`" in OPERATIONS.read_text(encoding="utf-8")


def test_the_windows_commands_are_ours() -> None:
    lines = [line for line in OPERATIONS.read_text(encoding="utf-8").splitlines() if "New-ScheduledTaskAction" in line]
    assert len(lines) == 3
    for line in lines:
        command = line.partition('-Argument "')[2].rstrip('"').replace("\\", "/")
        assert _parser().parse_args(command.split()).run is not None
