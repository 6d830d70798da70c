"""The emulators as programs: they destroy nothing that is not theirs, and say in a sentence what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from subprocess import PIPE

import pytest

NAMED = {
    "printer": ["--serial", "{}"],
    "scanner": ["--path", "{}"],
    "display": ["--path", "{}", "--kind", "epson"],
    "hid": ["--path", "{}"],
}
START = "import runpy, sys; from tests.emulators import {0}; sys.argv = sys.argv[1:]; {0}.main()"


def started(name, *arguments):
    """Ctrl-C ends it, also where the tests run in the background of a shell, which ignores it for all that it starts there."""
    start = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {START}"
    command = [sys.executable, "-c", start.format(name), name, *arguments]
    return subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=subprocess.STDOUT, text=True)


def ended(name, *arguments, typed=""):
    with started(name, *arguments) as program:
        try:
            said = program.communicate(typed, timeout=60)[0]
        except subprocess.TimeoutExpired:
            program.kill()
            raise
    assert "Traceback" not in said, said
    return program.returncode, said


def at(name, path):
    return [each.format(path) for each in NAMED[name]]


@pytest.mark.parametrize("name", NAMED)
def test_what_is_no_emulated_device_is_left_as_it_is(name, tmp_path):
    treasure, elsewhere = tmp_path / "treasure", tmp_path / "link"
    treasure.write_text("important")
    elsewhere.symlink_to(treasure)
    for path in (treasure, elsewhere):
        status, said = ended(name, *at(name, path))
        assert status == 2 and str(path) in said
    assert treasure.read_text() == "important" and elsewhere.readlink() == treasure


@pytest.mark.parametrize("name", ["printer", "scanner", "display"])
def test_a_file_beside_the_link_is_left_as_it_is(name, tmp_path):
    beside = tmp_path / "device.new"
    beside.write_text("important")
    assert ended(name, *at(name, tmp_path / "device"))[0] == 2
    assert beside.read_text() == "important"


def made(path):
    """Which thing stands at the path; a new one often gets the number (inode) of the one before it, never its time."""
    with suppress(FileNotFoundError):
        found = os.stat(path, follow_symlinks=False)
        return found.st_ino, found.st_ctime_ns
    return None


@pytest.mark.parametrize("name", NAMED)
def test_ctrl_c_is_an_end_like_any_other_and_a_link_left_by_a_kill_is_taken_over(name, tmp_path):
    path = tmp_path / "device"
    for end in (signal.SIGKILL, signal.SIGINT):
        before = made(path)
        with started(name, *at(name, path)) as program:
            while made(path) in (None, before):
                assert program.poll() is None, program.communicate()[0]
                time.sleep(0.01)
            if end is signal.SIGINT:
                os.set_blocking(program.stdin.fileno(), True)
                program.stdin.write("\n")
                program.stdin.flush()
            program.send_signal(end)
            said = program.stdout.read()
        assert "Traceback" not in said and "Fatal" not in said, said
    assert program.returncode == 0


@pytest.mark.parametrize("name", NAMED)
def test_a_folder_that_is_not_there_is_a_sentence(name, tmp_path):
    status, said = ended(name, *at(name, tmp_path / "nowhere" / "device"))
    assert status == 2 and "nowhere" in said


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("printer", ["--port", "80000"]),
        ("printer", ["--port", "-1"]),
        ("printer", ["--port", "0", "--slot", "abc"]),
        ("printer", ["--port", "0", "--slot", "17=foo"]),
        ("printer", ["--port", "0", "--slot", "=cp866"]),
        ("printer", ["--port", "0", "--slot", "256=cp866"]),
        ("printer", ["--port", "0", "--columns", "0"]),
        ("printer", ["--port", "0", "--columns", "-5"]),
        ("printer", ["--port", "0", "--out", "/dev/null/slips"]),
        ("display", ["--path", "unused", "--slot", "abc"]),
        ("display", ["--path", "unused", "--slot", "17=foo"]),
        ("scanner", ["--path", "unused", "--burst", "-1"]),
    ],
)
def test_a_wrong_argument_is_a_sentence(name, arguments):
    status, said = ended(name, *arguments)
    assert status == 2 and said.count("error:") == 1


@pytest.mark.parametrize("name", ["scanner", "hid"])
def test_a_scanner_is_pulled_out_and_plugged_in_by_a_word(name, tmp_path):
    path = tmp_path / "device"
    with started(name, *at(name, path)) as program:
        for word, is_there in (("", True), ("!unplug", False), ("!unplug", False), ("123", False), ("!plug", True)):
            program.stdin.write(f"{word}\n" if word else "")
            program.stdin.flush()
            while (made(path) is not None) is not is_there:
                assert program.poll() is None, program.communicate()[0]
                time.sleep(0.01)
        said = program.communicate("!plug\n456\n", timeout=60)[0]
    assert program.returncode == 0 and said == ""


def test_a_sign_that_no_key_has_is_told_and_the_next_code_is_typed(tmp_path):
    status, said = ended("hid", "--path", str(tmp_path / "keys"), typed="Ж\n123\n")
    assert status == 0 and "Ж" in said
