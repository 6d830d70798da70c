"""What the till may expect of every camera, real or fake."""

from __future__ import annotations

import pytest

from drivers.camera import PictureReader
from drivers.fakes import FailingCamera, WorkingCamera
from pos_loyalty.config import CardConfig
from pos_loyalty.errors import DeviceError, InputError
from tests.emulators.camera import Shot, card_picture, draw_card, photograph

CARDS = (CardConfig(prefix="29", length=13),)
NUMBERS = ("2900000000001", "2900000001237")
PICTURES = {card_picture(number, seed): number for seed, number in enumerate(NUMBERS)}
PRODUCT = photograph(draw_card("4601234567893"), 1, Shot())


@pytest.fixture(params=["pictures", "fake"])
def camera(request):
    if request.param == "fake":
        return WorkingCamera(PICTURES, "counter")
    return PictureReader(CARDS, device="counter", budget_s=20.0)


class TestACameraThatWorks:
    def test_a_card_is_read_from_its_picture(self, camera):
        for picture, number in PICTURES.items():
            read = camera.read(picture)
            assert read is not None
            assert (read.card, read.source, read.device, read.confidence) == (number, "camera", "counter", "verified")

    def test_what_is_no_card_is_none(self, camera):
        assert camera.read(PRODUCT) is None

    @pytest.mark.parametrize("broken", [b"", b"hello", bytes(1000), b"\xff\xd8\xff" + bytes(13_000_000)])
    def test_what_is_no_picture_is_an_input_error_with_its_place(self, camera, broken):
        with pytest.raises(InputError) as caught:
            camera.read(broken)
        assert caught.value.place == "picture"
        assert "\n" not in str(caught.value)

    def test_it_has_the_name_that_it_was_given(self, camera):
        assert camera.device == "counter"


class TestACameraThatFails:
    def test_it_says_why_in_a_sentence_that_names_it(self):
        with pytest.raises(DeviceError, match=r"^counter: .+"):
            FailingCamera("counter").read(PRODUCT)

    def test_without_its_packages_the_real_one_fails_alike(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "zxingcpp", None)
        with pytest.raises(DeviceError, match=r"counter: pictures cannot be read here: install pos-loyalty\[camera\]"):
            PictureReader(CARDS, device="counter").read(PRODUCT)
