"""EAN-13 and Code 128 that no threshold can part: what the bars are is known from a barcode library, the blur from cv2."""

from __future__ import annotations

from dataclasses import replace

import barcode
import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import code128, ean13
from drivers.blurred_bars import clean_picture
from drivers.decode import Cascade
from tests.emulators.camera import Kind, Shot, draw_card, photograph

FINE = 24
ENLARGED = 3.0
QUIET_MODULES = 12
CARDS = {"code128": "LC9876543210", "ean13": "2900000001237"}
TEXTS = [("code128", "LC0000000123"), ("code128", "Card No 7!"), ("ean13", "2900000001237"), ("ean13", "0012546619592")]


def modules_of(kind, text):
    """By python-barcode."""
    return [int(sign) for sign in barcode.get_barcode_class(kind)(text).build()[0]]


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


def read(line, module=2.2):
    """What zxing reads off the clean picture."""
    clean = clean_picture(line, ENLARGED, QUIET_MODULES * module * ENLARGED, list(CARDS))
    if clean is None:
        return None
    found = zxingcpp.read_barcodes(clean, formats=(zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.EAN13))
    return [each.text for each in found]


def test_every_sign_is_eleven_modules_of_three_bars_and_three_spaces_and_no_two_are_equal():
    assert len(set(code128.WIDTHS)) == 106
    for widths in code128.WIDTHS:
        assert len(widths) == 6
        assert sum(map(int, widths)) == 11
        assert sum(map(int, widths[::2])) % 2 == 0
    assert sum(map(int, code128.STOP)) == 13


def test_every_digit_is_seven_modules_of_two_bars_and_two_spaces_and_no_two_are_equal():
    digits = [*ean13.LEFT, *ean13.RIGHT]
    assert len(set(digits)) == 30
    for form in digits:
        assert len(form) == 7
        assert len(form.replace("0", " ").split()) == 2


@pytest.mark.parametrize(("kind", "text"), TEXTS)
@pytest.mark.parametrize(
    "how",
    [
        {"defocus": 0.5}, {"defocus": 1.0}, {"stroke": 2.0}, {"stroke": 3.2}, {"module": 0.95}, {"module": 4.0, "defocus": 0.5},
        {"defocus": 0.5, "noise": 3.0}, {"stroke": 2.0, "noise": 2.0}, {"defocus": 0.6, "tilt": 0.25},
    ],
    ids=str,
)  # fmt: skip
def test_blurred_and_fine_bars_are_read_either_way_round(kind, text, how):
    line = line_of(modules_of(kind, text), **how)
    assert read(line, how.get("module", 2.2)) == [text]
    assert read(line[::-1].copy(), how.get("module", 2.2)) == [text]


@given(st.text("0123456789ABCXYZ", min_size=4, max_size=14), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_however_bad_the_line_nothing_else_is_read(text, is_ean13, seed):
    random = np.random.default_rng(seed)
    if is_ean13:
        text = barcode.get_barcode_class("ean13")(f"{random.integers(0, 10**12):012d}").get_fullcode()
    module = random.uniform(0.7, 3.0)
    how = {"module": module, "defocus": random.uniform(0, 1.8), "stroke": random.choice([0, random.uniform(1, 7)])}
    modules = modules_of("ean13" if is_ean13 else "code128", text)
    line = line_of(modules, **how, noise=random.uniform(0, 20), seed=seed, tilt=random.uniform(-0.4, 0.4))
    assert read(line, module) in (None, [text])


@pytest.mark.parametrize("place", range(9))
def test_one_wrong_sign_is_told_by_the_check(place):
    """Sharp bars of which one sign was printed wrong: they fit closely and are nothing."""
    modules = modules_of("code128", CARDS["code128"])
    other = code128.modules(code128.WIDTHS[17 + place])
    begin = 11 * (place + 1)
    assert read(line_of(modules, defocus=0.5)) == [CARDS["code128"]]
    modules[begin : begin + 11] = [int(module) for module in other]
    assert read(line_of(modules, defocus=0.5)) is None


@pytest.mark.parametrize("place", range(6))
def test_one_wrong_digit_is_told_by_the_check(place):
    modules = modules_of("ean13", CARDS["ean13"])
    begin = 50 + 7 * place
    digit = ean13.RIGHT.index("".join(map(str, modules[begin : begin + 7])))
    modules[begin : begin + 7] = [int(module) for module in ean13.RIGHT[(digit + 3) % 10]]
    assert read(line_of(modules, defocus=0.5)) is None


@pytest.mark.parametrize("seed", range(6))
def test_other_bars_and_no_bars_are_nothing(seed):
    random = np.random.default_rng(seed)
    others = [
        [int(sign) for sign in barcode.get_barcode_class("ean8")(f"{seed:07d}").build()[0]],
        [int(sign) for sign in barcode.get_barcode_class("code39")(f"C{seed:05d}", add_checksum=False).build()[0]],
        [int(each) for each in np.repeat(random.integers(0, 2, 60), random.integers(1, 4, 60))],
    ]
    for modules in others:
        for how in ({}, {"defocus": 0.7}, {"stroke": 2.5}):
            assert read(line_of(modules, **how)) is None
    for size in (1, 7, 59, 200, 1100):
        assert read(random.uniform(0, 255, size).astype(np.float32)) is None
        assert read(np.full(size, 20.0 * seed, np.float32)) is None


BEYOND_A_THRESHOLD = [Shot(defocus=2.1, noise=3), Shot(motion=7, noise=3), Shot(scale=0.6, noise=3)]


@pytest.mark.parametrize("shot", BEYOND_A_THRESHOLD, ids=["defocus", "motion", "small"])
@pytest.mark.parametrize("kind", ["code128", "ean13"])
def test_a_card_that_a_camera_hardly_sees_is_read(shot, kind: Kind):
    scale = shot.scale * (0.7 if kind == "code128" else 0.55)
    shown = photograph(draw_card(CARDS[kind], kind), 3, replace(shot, scale=scale, turn=4.0))
    gray = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_GRAYSCALE)
    found = Cascade((kind,), lambda: 0).look(gray, 1, lambda symbol: True)
    assert [symbol.text for symbol in found] == [CARDS[kind]]
