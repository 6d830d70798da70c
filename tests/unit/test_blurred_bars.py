"""Code 128 that no threshold can part any more: what the bars are is known from a barcode library, the blur from cv2."""

from __future__ import annotations

import barcode
import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.blurred_bars import signs_of
from drivers.code128 import STOP, WIDTHS, check_holds, clean_picture
from drivers.decode import Cascade
from tests.emulators.camera import Kind, Shot, draw_card, photograph

FINE = 24
ENLARGED = 3.0
QUIET_MODULES = 12
NUMBERS = ["LC0000000123", "LC9876543210", "LC4080717931"]


def symbol(text):
    """The signs of a text and its modules, by python-barcode."""
    kind = barcode.get_barcode_class("code128")
    modules = [int(sign) for sign in kind(text).build()[0]]
    start, *others = [int(sign) for sign in kind(text)._build()]
    check = (start + sum(place * sign for place, sign in enumerate(others, 1))) % 103
    return [start, *others, check], modules


def line_of(modules, *, module=2.2, defocus=0.0, stroke=0.0, noise=0.0, seed=0, tilt=0.0):
    """A line across the bars on grey card with a white plate; lengths in modules, but ``module`` in pixels of the camera."""
    about = [0.2] * 4 + [0.0] * QUIET_MODULES
    fine = np.repeat(np.array(about + modules + about[::-1], np.float32), FINE).reshape(1, -1)
    if defocus:
        fine = cv2.GaussianBlur(fine, (0, 0), defocus * FINE)
    if stroke:
        fine = cv2.blur(fine, (int(stroke * FINE) | 1, 1))
    fine = cv2.blur(fine, (max(1, round(FINE / module)), 1)).ravel()
    points = round(fine.size / FINE * module * ENLARGED)
    line = 230 - 190 * np.interp((np.arange(points) + 0.5) * fine.size / points, np.arange(fine.size) + 0.5, fine)
    line *= 1 + tilt * np.linspace(-1, 1, points)
    line += np.random.default_rng(seed).normal(0, noise, points)
    return np.clip(line, 0, 255).astype(np.float32)


def signs(line, module=2.2):
    return signs_of(line, ENLARGED, QUIET_MODULES * module * ENLARGED)


def test_every_sign_is_eleven_modules_of_three_bars_and_three_spaces_and_no_two_are_equal():
    assert len(set(WIDTHS)) == 106
    for widths in WIDTHS:
        assert len(widths) == 6
        assert sum(map(int, widths)) == 11
        assert sum(map(int, widths[::2])) % 2 == 0
    assert sum(map(int, STOP)) == 13


@pytest.mark.parametrize("text", [*NUMBERS, "Card No 7!", "abcdefgh", "12345678"])
def test_a_clean_picture_is_the_text_again(text):
    found = zxingcpp.read_barcodes(clean_picture(symbol(text)[0]), formats=zxingcpp.BarcodeFormat.Code128)
    assert [each.text for each in found] == [text]


@pytest.mark.parametrize("text", [*NUMBERS, "Card No 7!"])
@pytest.mark.parametrize(
    "how",
    [
        {"defocus": 0.5}, {"defocus": 1.0}, {"stroke": 2.0}, {"stroke": 3.2}, {"module": 0.95}, {"module": 4.0, "defocus": 0.5},
        {"defocus": 0.5, "noise": 3.0}, {"stroke": 2.0, "noise": 2.0}, {"defocus": 0.6, "tilt": 0.25},
    ],
    ids=str,
)  # fmt: skip
def test_blurred_and_fine_bars_are_read_either_way_round(text, how):
    truth, modules = symbol(text)
    line = line_of(modules, **how)
    assert signs(line, how.get("module", 2.2)) == truth
    assert signs(line[::-1].copy(), how.get("module", 2.2)) == truth


@given(st.text("0123456789ABCXYZ", min_size=4, max_size=14), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_however_bad_the_line_no_other_signs_are_read(text, seed):
    truth, modules = symbol(text)
    random = np.random.default_rng(seed)
    module = random.uniform(0.7, 3.0)
    how = {"module": module, "defocus": random.uniform(0, 1.8), "stroke": random.choice([0, random.uniform(1, 7)])}
    line = line_of(modules, **how, noise=random.uniform(0, 20), seed=seed, tilt=random.uniform(-0.4, 0.4))
    assert signs(line, module) in (None, truth)


@pytest.mark.parametrize("place", range(1, 10))
def test_one_wrong_sign_is_told_by_the_check(place):
    """Sharp bars of which one sign was printed wrong: they fit closely and are nothing."""
    truth, _ = symbol(NUMBERS[0])
    wrong = truth.copy()
    wrong[place] = (wrong[place] + 7) % 100
    assert check_holds(truth)
    assert not check_holds(wrong)
    widths = "".join(WIDTHS[sign] for sign in wrong) + STOP
    modules = [1 - number % 2 for number, width in enumerate(widths) for _ in range(int(width))]
    assert signs(line_of(modules, defocus=0.5)) is None


@pytest.mark.parametrize("seed", range(6))
def test_other_bars_and_no_bars_are_nothing(seed):
    random = np.random.default_rng(seed)
    digits = f"2{seed:011d}"
    others = [
        [int(sign) for sign in barcode.get_barcode_class("ean13")(digits).build()[0]],
        [int(sign) for sign in barcode.get_barcode_class("code39")(digits[:6], add_checksum=False).build()[0]],
        list(np.repeat(random.integers(0, 2, 60), random.integers(1, 4, 60))),
    ]
    for modules in others:
        for how in ({}, {"defocus": 0.7}, {"stroke": 2.5}):
            assert signs(line_of([int(each) for each in modules], **how)) is None
    for size in (1, 7, 59, 200, 1100):
        assert signs(random.uniform(0, 255, size).astype(np.float32)) is None
        assert signs(np.full(size, 20.0 * seed, np.float32)) is None


BEYOND_A_THRESHOLD = [Shot(defocus=2.1, noise=3), Shot(motion=7, noise=3), Shot(scale=0.6, noise=3)]


@pytest.mark.parametrize("shot", BEYOND_A_THRESHOLD, ids=["defocus", "motion", "small"])
@pytest.mark.parametrize("seed", [3, 4])
def test_a_card_that_a_camera_hardly_sees_is_read(shot, seed):
    kind: Kind = "code128"
    shown = photograph(draw_card(NUMBERS[0], kind), seed, Shot(**{**vars(shot), "scale": 0.7 * shot.scale, "turn": 4.0}))
    gray = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = Cascade((kind,), lambda: 0).look(gray, 1, lambda symbol: True)
    assert [symbol.text for symbol in found] == [NUMBERS[0]]
