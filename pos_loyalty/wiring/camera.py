"""The camera of a till, as the config names it, and what the shop says of the codes that it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pos_loyalty.config import Config, Secrets

if TYPE_CHECKING:
    from drivers.camera import PictureReader
    from drivers.ports import Judged, Symbology
    from drivers.watching import CameraWatch, Judge
    from pos_loyalty.wiring.files import Settings

SHOWN = ("card", "coupon", "gift_card")
"""What people hold up to a camera."""


def watcher(known: Settings, keys: Secrets) -> CameraWatch | None:
    """The camera over the counter; None when there is none in the config. Nothing is opened yet."""
    from msgspec.structs import replace

    from drivers.watching import watcher_of

    config = known.config.camera
    if config is None:
        return None
    if config.kind != "v4l":
        config = replace(config, path=str(known.file(config.path)))
    return watcher_of(config, _symbologies(known.config), judge_of(known.config, keys))


def picture_reader(config: Config, keys: Secrets) -> PictureReader:
    """Cards from single pictures, judged as the camera judges them."""
    from drivers.camera import PictureReader

    return PictureReader(config.card, judge=judge_of(config, keys))


def judge_of(config: Config, keys: Secrets) -> Judge:
    """A member card by its number or as a QR that proves itself, a coupon, a gift card. Goods and receipts that lie on the
    counter are nothing, nor is a fixed QR with a wrong signature."""
    from drivers.ports import Judged
    from drivers.symbology import Code, member_card, scan_of_read
    from pos_loyalty.till import card_qr

    key = card_qr.key_of(keys.master_key)

    def judge(text: str, symbology: Symbology | None) -> Judged | None:
        shown = card_qr.parsed(text)
        if shown is None:
            scan = scan_of_read(Code(text=text, symbology=symbology), config.nomenclature)
            return Judged(scan.text, text, is_signed=False) if scan.kind in SHOWN else None
        if member_card(shown.card, None, config.card) is None:
            return None
        if shown.kind == card_qr.ROTATING:
            return Judged(shown.card, text, is_signed=False)
        return Judged(shown.card, text, is_signed=True) if card_qr.is_signed(shown, key) else None

    return judge


def _symbologies(config: Config) -> tuple[str, ...]:
    """Those of what people hold up, QR for app cards, and what the camera is told to look for besides."""
    more = () if config.camera is None else config.camera.formats
    ours = (symbology for rule in config.nomenclature if rule.kind in SHOWN for symbology in rule.symbologies)
    return tuple(dict.fromkeys((*ours, "qr", *more)))
