"""Framing: any chunking gives the same codes; what is broken is refused whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.frames import CODE_BYTES_MAX, GS, LineFramer

CODE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
SUFFIXES = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n"}


@given(st.lists(CODE, max_size=8), st.sampled_from(["cr", "lf", "crlf"]), st.sampled_from(["", "\x02"]), st.data())
def test_codes_come_out_as_they_went_in_however_they_are_cut(codes, suffix, prefix, data):
    stream = b"".join(prefix.encode() + code.encode() + SUFFIXES[suffix] for code in codes)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    for mode in {suffix, "any"}:
        framer = LineFramer(prefix, mode)
        edges = [0, *cuts, len(stream)]
        got = [code for begin, end in pairwise(edges) for code in framer.feed(stream[begin:end])]
        assert got == codes
        assert framer.refused == 0


@given(st.binary(max_size=200), st.sampled_from(["cr", "lf", "crlf", "any"]), st.data())
def test_garbage_gives_the_same_in_one_piece_and_byte_by_byte(stream, suffix, data):
    whole, bytewise = LineFramer("", suffix), LineFramer("", suffix)
    got = whole.feed(stream)
    assert got == [code for byte in stream for code in bytewise.feed(bytes([byte]))]
    assert whole.refused == bytewise.refused
    assert all(sign == GS or sign.isprintable() for code in got for sign in code)


def test_the_rest_waits_for_its_end():
    framer = LineFramer()
    assert framer.feed(b"29000\r4600") == ["29000"]
    assert framer.feed(b"12\n") == ["460012"]


def test_half_a_code_is_forgotten_when_the_scanner_goes():
    framer = LineFramer()
    framer.feed(b"29000")
    framer.reset()
    assert framer.feed(b"2900000000001\r") == ["2900000000001"]
    assert framer.refused == 1


@pytest.mark.parametrize("broken", [b"29\x0300", b"\x1b29", b"29\x00", b"29\x7f", b"29\xff\xfe", b"29\x85"])
def test_control_signs_and_broken_text_refuse_the_whole_code(broken):
    framer = LineFramer()
    assert framer.feed(broken + b"\rGOOD\r") == ["GOOD"]
    assert framer.refused == 1


def test_the_group_separator_stays():
    assert LineFramer().feed(b"]C1010460\x1d17\r") == ["]C1010460\x1d17"]


def test_a_code_without_the_prefix_is_refused():
    framer = LineFramer("\x02", "cr")
    assert framer.feed(b"2900\r\x022901\r") == ["2901"]
    assert framer.refused == 1


@pytest.mark.parametrize("chunk", [1, 7, 1000, 10_000])
@pytest.mark.parametrize("suffix", ["cr", "crlf"])
def test_the_longest_code_passes_and_one_sign_more_does_not(chunk, suffix):
    end = SUFFIXES[suffix]
    stream = b"A" * CODE_BYTES_MAX + end + b"B" * (CODE_BYTES_MAX + 1) + end + b"C" * 20_000 + end + b"D" + end
    framer = LineFramer("", suffix)
    got = [code for place in range(0, len(stream), chunk) for code in framer.feed(stream[place : place + chunk])]
    assert got == ["A" * CODE_BYTES_MAX, "D"]
    assert framer.refused == 2


def test_a_stream_without_ends_is_not_kept():
    framer = LineFramer("", "crlf")
    for _ in range(100):
        assert framer.feed(b"x" * 5000) == []
    assert len(framer._buffer) <= CODE_BYTES_MAX + 1
    assert framer.feed(b"\r\nA\r\n") == ["A"]


@given(st.lists(CODE, max_size=8), st.data())
def test_stx_and_etx_alone_frame_codes(codes, data):
    stream = b"".join(b"\x02" + code.encode() + b"\x03" for code in codes)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    for mode in ("etx", "any", "none"):
        framer = LineFramer("", mode)
        edges = [0, *cuts, len(stream)]
        assert [code for begin, end in pairwise(edges) for code in framer.feed(stream[begin:end])] == codes
        assert framer.refused == 0


def test_noise_before_a_frame_costs_that_code_alone():
    framer = LineFramer()
    assert framer.feed(b"x\x02LOST\x03\x02KEPT\x03") == ["KEPT"]
    assert framer.refused == 1


def test_a_frame_without_end_is_refused_and_the_next_is_heard():
    for chunk in (1, 1000, 6000):
        stream = b"\x02" + b"9" * 5000 + b"\x03\x02GOOD\x03"
        framer = LineFramer()
        got = [code for at in range(0, len(stream), chunk) for code in framer.feed(stream[at : at + chunk])]
        assert got == ["GOOD"]
        assert framer.refused == 1


def test_tab_ends_a_code_too():
    assert LineFramer().feed(b"29\t30\t") == ["29", "30"]
    assert LineFramer("", "tab").feed(b"29\t30\t") == ["29", "30"]


def test_without_a_suffix_silence_ends_a_code_and_only_there():
    framer = LineFramer("", "none")
    assert framer.feed(b"29000") == []
    assert framer.feed(b"00000001") == []
    assert framer.silence() == ["2900000000001"]
    assert framer.silence() == []
    told = LineFramer("", "any")
    told.feed(b"29000")
    assert told.silence() == []
    assert told.feed(b"1\r") == ["290001"]
