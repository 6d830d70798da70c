"""What the till may expect of every display, by either command table on a real line, or a fake."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from itertools import pairwise

import pytest

from drivers.display import SerialDisplay
from drivers.display_commands import frame_of, opening_of
from drivers.fakes import FailingDisplay, WorkingDisplay
from pos_loyalty.config_display import DisplayConfig
from tests.emulators.display import PtyDisplay
from tests.emulators.panel import UNKNOWN, Panel

KINDS = ("epson", "cd5220")
NS = 1_000_000_000
HELLO = ("Добрый день", "К оплате  1 120,00")


def config(kind, path="/nowhere", **more):
    return DisplayConfig(kind=kind, path=str(path), baud=115_200, **more)


class Fake:
    """A fake behind the same questions as an emulator."""

    def __init__(self, display):
        self.display = display

    def wait_for(self, wanted, timeout_s=0):
        return wanted(self.display.shown[-1] if self.display.shown else ("", ""))


@contextmanager
def working(kind, folder):
    """A display that works, and what is seen on it."""
    if kind == "fake":
        display = WorkingDisplay()
        yield display, Fake(display)
        return
    with PtyDisplay(folder / "display", kind) as emulator:
        display = SerialDisplay(config(kind, emulator.path), wait=lambda _: None)
        yield display, emulator
        display.close()
        assert emulator.panel.faults == []


def failing(kind, folder):
    return FailingDisplay() if kind == "fake" else SerialDisplay(config(kind, folder / "none"))


def until_seen(display, seen, wanted):
    """Refresh as the till does until it is seen."""
    pause = threading.Event()
    for _ in range(400):
        wait_s = display.refresh()
        if seen.wait_for(lambda lines: lines == wanted, min(wait_s, 0.05)):
            return
        pause.wait(min(wait_s, 0.05))
    raise AssertionError(f"{wanted} is not seen")


@pytest.mark.parametrize("kind", [*KINDS, "fake"])
def test_both_lines_are_seen_and_cleared(kind, tmp_path):
    with working(kind, tmp_path) as (display, seen):
        assert display.device == "display"
        display.show(*HELLO)
        until_seen(display, seen, HELLO)
        assert display.problem is None
        display.show("№ 7 — «Ёж»" if kind == "fake" else "№ 7 Ёж", "")
        display.clear()
        until_seen(display, seen, ("", ""))


@pytest.mark.parametrize("kind", [*KINDS, "fake"])
def test_one_that_is_not_there_says_so_and_raises_nothing(kind, tmp_path):
    display = failing(kind, tmp_path)
    display.show(*HELLO)
    assert display.refresh() > 0
    assert display.problem is not None and len(display.problem.split()) > 3
    display.clear()
    assert display.refresh() > 0
    display.close()
    display.close()


@pytest.mark.parametrize("kind", KINDS)
def test_who_lets_go_leaves_nothing_to_be_read(kind, tmp_path):
    with PtyDisplay(tmp_path / "display", kind) as emulator:
        display = SerialDisplay(config(kind, emulator.path), wait=lambda _: None)
        display.show(*HELLO)
        until_seen(display, emulator, HELLO)
        display.close()
        assert emulator.wait_for(lambda lines: lines == ("", ""))


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_was_pulled_out_shows_the_newest_again(kind, tmp_path):
    with working(kind, tmp_path) as (display, emulator):
        display.show(*HELLO)
        until_seen(display, emulator, HELLO)
        emulator.unplug()
        display.show("while it", "was away")
        pause = threading.Event()
        for _ in range(200):
            if display.problem is not None:
                break
            pause.wait(min(display.refresh(), 0.05))
        assert display.problem is not None
        emulator.plug()
        until_seen(display, emulator, ("while it", "was away"))
        assert display.problem is None


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_does_not_read_is_told_of_and_comes_back(kind, tmp_path):
    with PtyDisplay(tmp_path / "display", kind) as emulator:
        emulator.mode = "slow"
        display = Stepped(kind, emulator)
        for number in range(4000):
            display.turn(f"line {number}", "x" * 20)
            if display.display.problem is not None:
                break
        assert display.display.problem is not None
        emulator.mode = "ok"
        display.display.show(*HELLO)
        for _ in range(100):
            display.now += NS
            display.display.refresh()
            if emulator.wait_for(lambda lines: lines == HELLO, 0.05):
                break
        assert emulator.lines == HELLO
        assert display.display.problem is None


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_shows_nothing_harms_nothing(kind, tmp_path):
    with PtyDisplay(tmp_path / "display", kind) as emulator:
        emulator.mode = "silent"
        display = Stepped(kind, emulator)
        display.turn(*HELLO)
        assert emulator.lines == ("", "")
        emulator.mode = "ok"
        for _ in range(70):
            display.turn(*HELLO)
        assert emulator.wait_for(lambda lines: lines == HELLO)


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_was_switched_off_and_on_is_right_again_by_itself(kind, tmp_path):
    with PtyDisplay(tmp_path / "display", kind) as emulator:
        display = Stepped(kind, emulator)
        display.turn(*HELLO)
        assert emulator.wait_for(lambda lines: lines == HELLO)
        emulator.power_cycle()
        for _ in range(70):
            display.turn(*HELLO)
        assert emulator.wait_for(lambda lines: lines == HELLO)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_slot_is_seen_to_be_wrong(kind, tmp_path):
    with PtyDisplay(tmp_path / "display", kind, slots={0: "cp437", 1: "cp866"}) as emulator:
        display = Stepped(kind, emulator)
        display.turn(*HELLO)
        assert emulator.wait_for(lambda lines: lines != ("", ""))
        assert emulator.lines[0] != HELLO[0] and UNKNOWN in emulator.lines[0]
        assert emulator.panel.faults[0].startswith("no page in slot")


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_frame_torn_at_any_byte_the_next_opening_is_right(kind):
    settings = config(kind)
    whole = opening_of(settings) + frame_of(settings, "torn апреля", "Итого 7")
    for at in range(len(whole) + 1):
        panel = Panel(kind)
        panel.feed(whole[:at])
        begun = panel.resets
        panel.feed(opening_of(settings) + frame_of(settings, *HELLO))
        assert tuple(line.rstrip() for line in panel.lines) == HELLO, at
        assert not panel.cursor_on
        assert panel.resets > begun


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_a_command_and_nothing_is_a_question_mark(kind):
    settings = config(kind)
    nasty = "\x1b@\x0c日本€ab\x1fC\x01\r\n\x18"
    panel = Panel(kind)
    panel.feed(opening_of(settings) + frame_of(settings, nasty, nasty * 9))
    assert panel.faults == []
    assert "?" not in "".join(panel.lines)
    assert panel.lines[0].split() == ["@", "ab", "C"]
    assert not panel.cursor_on


@pytest.mark.parametrize("columns", [16, 20])
@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_fills_its_columns_exactly(kind, columns):
    settings = config(kind, columns=columns)
    for text in ("", "a", "я" * columns, "щ" * 99):
        panel = Panel(kind, columns=columns)
        panel.feed(opening_of(settings) + frame_of(settings, "x" * 99, "y" * 99) + frame_of(settings, text, text))
        assert panel.lines == (text[:columns].ljust(columns),) * 2


class Stepped:
    """A real display on its line, by a clock that only goes when it is told to."""

    def __init__(self, kind, emulator):
        self.now = 0
        self.display = SerialDisplay(config(kind, emulator.path), now_ns=lambda: self.now, wait=lambda _: None)

    def turn(self, line1, line2):
        self.display.show(line1, line2)
        self.display.refresh()
        self.now += NS


class Wire:
    """A transport that notes when each frame went out, and breaks as a script says."""

    def __init__(self, clock, sent, breaks):
        self.clock, self.sent, self.breaks = clock, sent, breaks

    def write(self, data, deadline_ns):
        self.sent.append((self.clock(), data))
        return len(data) // 2 if self.breaks() else len(data)

    def finish(self, deadline_ns):
        return True

    def close(self):
        pass


@pytest.mark.parametrize("baud", [1200, 9600, 115_200])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_never_more_than_five_frames_in_any_second_and_the_last_arrives(seed, kind, baud):
    chance = random.Random(seed)
    now, sent = [chance.randrange(10**12)], []
    faulty = chance.random() < 0.5
    settings = DisplayConfig(kind=kind, path="/x", baud=baud)

    def breaks():
        return faulty and chance.random() < 0.2

    def waited(seconds):
        now[0] += round(seconds * NS)

    display = SerialDisplay(settings, now_ns=lambda: now[0], open_port=lambda: Wire(lambda: now[0], sent, breaks), wait=waited)
    for number in range(3000):
        if chance.random() < 0.6:
            display.show(f"{seed} {number}", str(number))
        wait_s = display.refresh()
        assert wait_s > 0
        pace = chance.choice((0.0, 0.0001, 0.03, 0.199, wait_s, 1.0 if number % 97 == 0 else 0.01))
        now[0] += round(pace * NS)
    faulty = False
    display.show("the last", "one")
    for _ in range(50):
        now[0] += round(display.refresh() * NS) + 1
    assert sent[-1][1].endswith(frame_of(settings, "the last", "one"))
    now[0] += NS
    display.show("and", "gone")
    display.refresh()
    display.close()
    assert [data for _, data in sent[-2:]] == [frame_of(settings, "and", "gone"), frame_of(settings, "", "")]
    instants = [at for at, _ in sent]
    assert all(b - a >= NS // 5 for a, b in pairwise(instants))
    assert all(later - at > NS for at, later in zip(instants, instants[5:], strict=False))
    carry_ns = [len(data) * 10 * NS // baud for _, data in sent]
    assert all(b - a >= carried for a, b, carried in zip(instants, instants[1:], carry_ns, strict=False))


def test_the_newest_wins():
    now, sent = [0], []
    settings = config("epson")
    display = SerialDisplay(settings, now_ns=lambda: now[0], open_port=lambda: Wire(lambda: now[0], sent, lambda: False))
    for number in range(100):
        display.show(str(number), "")
        display.refresh()
    assert len(sent) == 1
    now[0] += NS
    display.refresh()
    assert len(sent) == 2 and sent[1][1] == frame_of(settings, "99", "")
