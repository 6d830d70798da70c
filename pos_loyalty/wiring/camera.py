"""The camera of a till, as the config names it, and what the shop says of the codes that it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pos_loyalty.config import Config, Secrets

if TYPE_CHECKING:
    from drivers.camera import PictureReader
    from drivers.ports import Judged, Symbology
    from drivers.watching import CameraWatch, Judge
    from pos_loyalty.wiring.files import Settings


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
    """A member card by its number, or shown as a QR that proves itself. A fixed QR with a wrong signature is nothing."""
    from drivers.ports import Judged
    from drivers.symbology import member_card
    from pos_loyalty.till import card_qr

    key = card_qr.key_of(keys.master_key)

    def judge(text: str, symbology: Symbology | None) -> Judged | None:
        shown = card_qr.parsed(text)
        if shown is None:
            card = member_card(text, symbology, config.card)
            return None if card is None else Judged(card, card, is_signed=False)
        if member_card(shown.card, None, config.card) is None:
            return None
        if shown.kind == card_qr.ROTATING:
            return Judged(shown.card, text, is_signed=False)
        return Judged(shown.card, shown.card, is_signed=True) if card_qr.is_signed(shown, key) else None

    return judge


def _symbologies(config: Config) -> tuple[str, ...]:
    """Those of the cards, QR for app cards, and what the camera is told to look for besides."""
    more = () if config.camera is None else config.camera.formats
    ours = (symbology for card in config.card for symbology in card.symbologies)
    return tuple(dict.fromkeys((*ours, "qr", *more)))
