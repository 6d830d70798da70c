"""Cards from pictures: the vote, drawn cards under every degradation, and bytes that are no picture."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.camera import PICTURE_BYTES_MAX, PictureReader
from drivers.decode import Cascade, Symbol, vote
from pos_loyalty.config import CardConfig
from pos_loyalty.errors import InputError
from tests.emulators.camera import DEGRADATIONS, Shot, card_picture, draw_card, photograph, severity

CARDS = (
    CardConfig(prefix="29", length=13, check="gtin", symbologies=("ean13",)),
    CardConfig(prefix="LC", length=12, check="none", symbologies=("code128", "qr")),
)
NUMBERS = {"ean13": "2900000001237", "code128": "LC0000000123", "qr": "LC0000000123"}
PATIENT_S = 20.0
"""So that a busy machine changes nothing."""


@pytest.fixture
def reader():
    return PictureReader(CARDS, budget_s=PATIENT_S)


def symbol(text, rendering, is_corrected=False):
    return Symbol(text=text, symbology="qr" if is_corrected else "ean13", rendering=rendering, is_corrected=is_corrected)


def itself(found):
    return found.text if found.text != "foreign" else None


@pytest.mark.parametrize(
    ("batches", "believed"),
    [
        ([], None),
        ([[symbol("A", "plain")]], None),
        ([[symbol("A", "plain")], [symbol("A", "soft")]], "A"),
        ([[symbol("A", "plain"), symbol("A", "plain")]], None),
        ([[symbol("A", "plain", True)]], "A"),
        ([[symbol("A", "plain", True), symbol("B", "plain", True)]], None),
        ([[symbol("A", "plain")], [symbol("B", "soft")], [symbol("A", "half")]], None),
        ([[symbol("foreign", "plain", True), symbol("A", "plain")], [], [symbol("A", "coarse 0 raw")]], "A"),
        ([[symbol("foreign", "plain")], [symbol("foreign", "soft")]], None),
        ([[symbol("", "plain", True)]], None),
    ],
)
def test_the_vote(batches, believed):
    assert vote([tuple(batch) for batch in batches], itself) == believed


@given(st.lists(st.lists(st.sampled_from("AB"), max_size=2), max_size=6))
def test_what_is_believed_was_read_twice_and_never_contradicted_before(batches):
    seen = [tuple(symbol(text, f"rendering {place}") for text in batch) for place, batch in enumerate(batches)]
    believed = vote(seen, itself)
    if believed is not None:
        counts, texts = 0, set()
        for batch in batches:
            texts |= set(batch)
            counts += believed in batch
            if counts == 2:
                break
        assert counts == 2
        assert texts == {believed}


@pytest.mark.parametrize("kind", ["ean13", "code128", "qr"])
def test_an_ordinary_photograph_gives_its_card(reader, kind):
    for seed in range(5):
        read = reader.read(card_picture(NUMBERS[kind], seed, kind))
        assert read is not None, f"seed {seed}"
        assert (read.card, read.symbology, read.source, read.device) == (NUMBERS[kind], kind, "camera", "camera")


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
def test_the_mildest_of_each_degradation_is_read(reader, name):
    for kind, number in NUMBERS.items():
        read = reader.read(photograph(draw_card(number, kind), 11, severity(name, 0, 11)))
        assert read is not None, kind
        assert read.card == number


@pytest.mark.parametrize("turn", [0, 90, 180, 270, 45, 133])
def test_a_card_may_lie_any_way_round(reader, turn):
    for kind, number in NUMBERS.items():
        read = reader.read(photograph(draw_card(number, kind), 5, Shot(turn=turn, scale=0.8)))
        assert read is not None, kind
        assert read.card == number


def test_bars_in_heavy_noise_need_the_averaging_along_them(reader):
    number = NUMBERS["ean13"]
    pictures = [photograph(draw_card(number), seed, Shot(turn=10, noise=60)) for seed in range(4)]
    assert [read.card if (read := reader.read(picture)) else None for picture in pictures] == [number] * 4


def test_a_product_or_a_card_with_a_wrong_check_digit_is_no_card(reader):
    product = photograph(draw_card("4601234567893"), 1, Shot())
    assert reader.read(product) is None
    assert reader.read(photograph(draw_card("XX0000000123", "code128"), 1, Shot())) is None


def test_two_cards_on_one_picture_are_nobodys(reader):
    both = Image.new("L", (2100, 700), 120)
    both.paste(draw_card("2900000001237"), (20, 30))
    both.paste(draw_card("2900000000001"), (1070, 30))
    file = io.BytesIO()
    both.save(file, "PNG")
    assert reader.read(file.getvalue()) is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_holds_no_card(reader, level):
    assert reader.read(jpeg(np.full((480, 640), level, np.uint8))) is None


def test_noise_and_stripes_hold_no_card(reader):
    random = np.random.default_rng(4)
    noise = random.integers(0, 255, (480, 640), np.uint8)
    stripes = np.repeat(random.integers(0, 2, 160, np.uint8) * 255, 4)[None, :].repeat(480, 0)
    assert [reader.read(jpeg(pixels)) for pixels in (noise, stripes)] == [None, None]


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3)])
def test_a_sliver_is_no_card_and_no_fault(reader, size):
    file = io.BytesIO()
    Image.new("L", size, 255).save(file, "PNG")
    assert reader.read(file.getvalue()) is None


def test_without_a_nomenclature_no_card_is_known():
    assert PictureReader(()).read(card_picture(NUMBERS["ean13"], 1)) is None


def huge_png(side):
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "broken",
    [
        *(b"", b"hello", b"%PDF-1.7", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
        *(b"\xff\xd8\xff" + b"x" * 200, b"\x89PNG\r\n\x1a\n", b"\x00" * 5000),
    ],
)
def test_bytes_that_are_no_picture_are_one_clear_sentence(reader, broken):
    with pytest.raises(InputError, match="picture: is not a whole JPEG, PNG or WebP picture; take it again"):
        reader.read(broken)


@pytest.mark.parametrize("side", [7_200, 12_000, 15_000])
def test_a_huge_picture_is_refused_before_it_is_unpacked(reader, side):
    with pytest.raises(InputError, match="picture: is larger than 12 MB"):
        reader.read(b"\xff\xd8\xff" + bytes(PICTURE_BYTES_MAX))
    with pytest.raises(InputError, match="picture: holds more than 50 million pixels"):
        reader.read(huge_png(side))


def test_a_picture_cut_anywhere_gives_the_card_or_a_sentence_and_never_another_card(reader):
    picture = card_picture(NUMBERS["ean13"], 3)
    for share in range(0, 100, 9):
        try:
            read = reader.read(picture[: len(picture) * share // 100])
        except InputError:
            continue
        assert read is None or read.card == NUMBERS["ean13"]


def test_the_budget_ends_the_search():
    noise = jpeg(np.random.default_rng(1).integers(0, 255, (720, 1280), np.uint8))
    assert PictureReader(CARDS, budget_s=0.0).read(noise) is None


def jpeg(pixels):
    done, data = cv2.imencode(".jpg", pixels)
    assert done
    return data.tobytes()


def test_a_card_that_needs_its_patch_is_read_however_often_time_ran_out_before():
    now_ns = 0

    def clock_ns():
        nonlocal now_ns
        now_ns += 1
        return now_ns

    cascade = Cascade(["ean13"], clock_ns)
    nothing = np.random.default_rng(2).integers(0, 255, (720, 1280), np.uint8)
    for looks in (1, 2, 3, 4, 5, 30):
        cascade.look(nothing, now_ns + looks, lambda symbol: True)
    noisy = cv2.imdecode(np.frombuffer(photograph(draw_card(NUMBERS["ean13"]), 1, Shot(turn=10, noise=60)), np.uint8), 0)
    read = cascade.look(noisy, now_ns + 40, lambda symbol: True)
    assert [symbol.text for symbol in read] == [NUMBERS["ean13"]]
