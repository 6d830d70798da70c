"""The camera of a till process: cards go the way of scans, and a lost camera, or a fault of ours, is told and survived."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from drivers.ports import CardRead, ViewPicture
from drivers.symbology import Scan
from pos_loyalty.config import CardConfig
from pos_loyalty.errors import DeviceGoneError
from pos_loyalty.till import watch
from pos_loyalty.till.devices import TillDevices
from tests.shop import CARD

READ = CardRead(card=CARD, symbology="ean13", source="camera", device="counter", confidence="verified")
PATIENCE_S = 60


class Scripted:
    """Implements Watcher: each run is a list of answers, or an error that ends it."""

    device = "counter"

    def __init__(self, *runs: list[CardRead | Exception | None]) -> None:
        self.runs = list(runs)

    def watch(self) -> Iterator[CardRead | None]:
        for each in self.runs.pop(0):
            if isinstance(each, Exception):
                raise each
            yield each

    def picture(self, after: int) -> ViewPicture | None:
        return None

    def close(self) -> None:
        return


class Hurried(threading.Event):
    """A stop that is never set and never waits; it notes the pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0)
        return False


def watched(*runs: list[CardRead | Exception | None]) -> tuple[list[CardRead], dict[str, str], list[float]]:
    told: list[CardRead] = []
    gone: dict[str, str] = {}
    stop = Hurried()
    watch.watch_always(Scripted(*runs), told.append, gone, stop)
    return told, gone, stop.pauses


LOST = DeviceGoneError("counter", "the cable is loose")


def test_a_card_goes_the_way_of_a_scan() -> None:
    assert watched([None, READ, None]) == ([READ], {}, [])


def test_a_lost_camera_is_waited_for_ever_more_patiently_and_is_back_with_its_first_frame() -> None:
    told, gone, pauses = watched([READ, LOST], [LOST], [LOST], [None, LOST], [READ])
    assert (len(told), gone) == (2, {})
    assert pauses == [0.25, 0.5, 1.0, 0.25]


def test_while_it_is_lost_its_sentence_stands_and_the_pause_has_an_end() -> None:
    _, gone, pauses = watched(*[[LOST]] * 8, [])
    assert gone == {"counter": "counter: the cable is loose"}
    assert max(pauses) == watch.PAUSE_MAX_S


def test_a_fault_of_ours_is_survived_and_told_in_a_sentence() -> None:
    told, gone, _ = watched([ZeroDivisionError("x")], [READ])
    assert len(told) == 1
    _, gone, _ = watched([ZeroDivisionError("x")], [])
    assert gone["counter"].startswith("counter: the camera stopped by a fault of the program")


def test_the_till_hands_on_what_its_camera_reads_and_tells_that_it_is_lost() -> None:
    heard, done = [], threading.Event()

    def publish(scan: Scan, device: str) -> None:
        heard.append((scan, device))
        done.set()

    devices = TillDevices(None, [], (CardConfig(prefix="22", length=13),), Scripted([READ, LOST], *[[LOST]] * 50))
    devices.start(publish)
    assert done.wait(PATIENCE_S)
    waited = threading.Event()
    for _ in range(PATIENCE_S * 20):
        if devices.problems():
            break
        waited.wait(0.05)
    assert devices.problems() == ("counter: the cable is loose",)
    devices.close()
    assert [(scan.kind, scan.text, scan.symbology, device) for scan, device in heard] == [("card", CARD, "ean13", "counter")]
