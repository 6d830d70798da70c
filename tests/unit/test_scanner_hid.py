"""A keyboard scanner by its key events: no layout, no repeat, no half codes; unplugged and plugged in again."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.hid_events import EVENT, KeyReader
from drivers.scanner_hid import HidScanner
from pos_loyalty.config import ScannerConfig
from pos_loyalty.errors import DeviceGoneError
from tests.emulators.hid import ALT, CAPS, SHIFT, TAB, US_CODES, PipeKeyboard, key, press, strokes

ALL = "".join(chr(sign) for sign in range(0x20, 0x7F))
LONG_S = 60.0


def test_an_event_is_24_bytes() -> None:
    assert EVENT.size == 24


def test_all_95_signs_are_read_from_their_keys() -> None:
    assert KeyReader().feed(strokes(ALL)) == [ALL]
    assert set(ALL) <= set(US_CODES)


@given(st.lists(st.text(ALL + "\x1d", min_size=1, max_size=20), max_size=6), st.sampled_from(["ctrl", "alt"]), st.data())
def test_codes_come_out_as_they_went_in_however_the_events_are_cut(codes, gs, data) -> None:
    stream = b"".join(strokes(code, gs=gs, keypad=data.draw(st.booleans())) for code in codes)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8))), len(stream)]
    reader = KeyReader()
    got = [code for begin, end in itertools.pairwise(cuts) for code in reader.feed(stream[begin:end])]
    assert got == codes and reader.refused == 0


def test_caps_lock_turns_letters_and_nothing_else() -> None:
    assert KeyReader().feed(press(CAPS) + strokes("ab1;")) == ["AB1;"]
    assert KeyReader().feed(press(CAPS) + key(SHIFT, 1) + press(US_CODES["a"][0]) + key(SHIFT, 0) + press(TAB)) == ["a"]


def test_a_held_key_does_not_repeat_and_key_up_is_no_key() -> None:
    code = US_CODES["7"][0]
    assert KeyReader().feed(key(code, 1) + key(code, 2) + key(code, 2) + key(code, 0) + strokes("1")) == ["71"]


def test_alt_codes_spell_signs() -> None:
    pad = {"0": 82, "6": 77, "5": 76}
    assert KeyReader().feed(key(ALT, 1) + b"".join(press(pad[digit]) for digit in "0065") + key(ALT, 0) + strokes("1")) == ["A1"]


def test_a_code_with_lost_events_is_refused_whole_and_the_next_is_read() -> None:
    reader = KeyReader()
    lost = EVENT.pack(0, 0, 0, 3, 0)
    assert reader.feed(strokes("29", end=None) + lost + strokes("0001") + strokes("GOOD")) == ["GOOD"]
    assert reader.refused == 1


@pytest.mark.parametrize("at", ["mid", "end"])
def test_capitals_that_were_locked_before_a_loss_are_not_believed(at: str) -> None:
    reader = KeyReader()
    lost = EVENT.pack(0, 0, 0, 3, 0) + EVENT.pack(0, 0, 0, 0, 0)
    assert reader.feed(press(CAPS) + strokes("ab", end=None) + (lost if at == "mid" else b"")) == []
    reader.feed(press(CAPS) + press(TAB) if at == "mid" else lost + press(TAB))
    assert reader.refused == 1
    assert reader.feed(strokes("LC4417") + strokes("lc4417")) == ["LC4417", "lc4417"]


def test_what_comes_between_a_loss_and_the_next_report_is_not_read() -> None:
    reader = KeyReader()
    lost = EVENT.pack(0, 0, 0, 3, 0)
    assert reader.feed(strokes("1", end=None) + lost + EVENT.pack(0, 0, 1, TAB, 1) + EVENT.pack(0, 0, 0, 0, 0)) == []
    assert reader.feed(key(SHIFT, 1) + lost + key(SHIFT, 0) + strokes("2") + strokes("a3")) == ["a3"]
    assert reader.refused == 1


def test_more_than_a_code_can_hold_is_refused() -> None:
    reader = KeyReader()
    assert reader.feed(strokes("9" * 5000) + strokes("GOOD")) == ["GOOD"]
    assert reader.refused == 1


def test_pulled_out_in_mid_code_half_of_it_is_forgotten(tmp_path) -> None:
    with PipeKeyboard(tmp_path / "keys") as keyboard:
        scanner = HidScanner(ScannerConfig(path=str(keyboard.path), kind="hid"))
        assert scanner.read(0) is None
        keyboard.send(strokes("2900", end=None))
        assert scanner.read(0.05) is None
        keyboard.unplug()
        with pytest.raises(DeviceGoneError, match="pulled out"):
            scanner.read(LONG_S)
        with pytest.raises(DeviceGoneError, match="no scanner at"):
            scanner.read(LONG_S)
        keyboard.plug()
        assert scanner.read(0.1) is None
        keyboard.scan("GOOD")
        assert scanner.read(LONG_S) == "GOOD"
        assert scanner.refused == 1
        scanner.close()


def test_without_a_suffix_silence_ends_a_code(tmp_path) -> None:
    with PipeKeyboard(tmp_path / "keys") as keyboard:
        scanner = HidScanner(ScannerConfig(path=str(keyboard.path), kind="hid", suffix="none", gap_ms=50))
        assert scanner.read(0) is None
        keyboard.send(strokes("290000", end=None))
        assert scanner.read(LONG_S) == "290000"
        scanner.close()


def test_a_device_that_is_no_keyboard_is_one_sentence(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceGoneError, match=r"^scanner: .+"):
        HidScanner(ScannerConfig(path=str(tmp_path / "file"), kind="hid")).read(0)
