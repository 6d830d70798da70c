"""Member cards drawn by barcode libraries and photographed by code: turned, askew, blurred, noisy, unevenly lit. Seeded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Kind = Literal["ean13", "code128", "qr"]
CARD_SIZE = (1012, 638)
"""A bank-sized card at 300 dots an inch."""
CARD_SHARE = 0.62
"""Width of the card on an untouched photograph."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """How a photograph is taken. All zero: a clean frame. Angles in degrees; the rest in pixels, grey levels or shares."""

    turn: float = 0.0
    askew: float = 0.0
    defocus: float = 0.0
    motion: int = 0
    noise: float = 0.0
    shade: float = 0.0
    glare: float = 0.0
    dark: float = 0.0
    scale: float = 1.0
    jpeg: int = 90


def draw_card(number: str, kind: Kind = "ean13", *, title: str = "LOYALTY CARD") -> Image.Image:
    """A plastic card with its symbol and its number in print."""
    card = Image.new("L", CARD_SIZE, 225)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, CARD_SIZE[0], 150), fill=70)
    pen.text((40, 40), title, fill=240, font=ImageFont.load_default(56))
    symbol = _qr(number) if kind == "qr" else _bars(number, kind)
    plate = Image.new("L", (symbol.width + 40, symbol.height + 40), 255)
    plate.paste(symbol, (20, 20))
    card.paste(plate, ((CARD_SIZE[0] - plate.width) // 2, 175))
    pen.text((CARD_SIZE[0] // 2, 600), " ".join(number), fill=40, anchor="mm", font=ImageFont.load_default(34))
    return card


def photograph(card: Image.Image, seed: int, shot: Shot | None = None, size: tuple[int, int] = (1280, 720)) -> bytes:
    """A JPEG of the card on an uneven table. The same seed and shot give the same bytes."""
    shot = shot or ordinary(seed)
    random = np.random.default_rng(seed)
    frame = _table(random, size)
    frame = _placed(frame, np.asarray(card, np.float32), shot, random)
    frame = _lit(frame, shot, random)
    frame = _blurred(frame, shot, random)
    if shot.noise:
        frame = frame + random.normal(0, shot.noise, frame.shape)
    pixels = np.clip(frame, 0, 255).astype(np.uint8)
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, shot.jpeg])
    assert done
    return data.tobytes()


def card_picture(number: str, seed: int, kind: Kind = "ean13") -> bytes:
    """A JPEG as a hurried cashier takes it: some turn, blur, noise and shade, all from the seed."""
    return photograph(draw_card(number, kind), seed)


def ordinary(seed: int) -> Shot:
    """A moderate mixture of everything."""
    random = np.random.default_rng(seed + 1_000_003)
    return Shot(
        turn=float(random.uniform(-35, 35)) + (180 if random.random() < 0.3 else 0),
        askew=float(random.uniform(0, 0.12)),
        defocus=float(random.uniform(0.0, 1.0)),
        noise=float(random.uniform(2, 14)),
        shade=float(random.uniform(0.1, 0.5)),
        jpeg=int(random.integers(60, 90)),
    )


DEGRADATIONS: dict[str, tuple[Shot, Shot, Shot]] = {
    "clean": (Shot(), Shot(), Shot()),
    "turn": (Shot(turn=15), Shot(turn=40), Shot(turn=75)),
    "askew": (Shot(askew=0.08), Shot(askew=0.16), Shot(askew=0.25)),
    "defocus": (Shot(defocus=0.8), Shot(defocus=1.4), Shot(defocus=2.2)),
    "motion": (Shot(motion=3), Shot(motion=6), Shot(motion=10)),
    "noise": (Shot(noise=12), Shot(noise=28), Shot(noise=50)),
    "shade": (Shot(shade=0.4), Shot(shade=0.65), Shot(shade=0.85)),
    "glare": (Shot(glare=0.4), Shot(glare=0.7), Shot(glare=1.0)),
    "dark": (Shot(dark=0.6, noise=6), Shot(dark=0.8, noise=8), Shot(dark=0.9, noise=8)),
    "small": (Shot(scale=0.75), Shot(scale=0.55), Shot(scale=0.4)),
    "jpeg": (Shot(jpeg=45), Shot(jpeg=25), Shot(jpeg=12)),
    "mixture": (
        Shot(turn=12, defocus=0.6, noise=8, shade=0.3),
        Shot(turn=25, askew=0.1, defocus=0.9, noise=16, shade=0.5, jpeg=60),
        Shot(turn=35, askew=0.15, defocus=1.3, noise=24, shade=0.6, jpeg=40),
    ),
}
"""Each degradation at three severities."""


def severity(name: str, level: int, seed: int) -> Shot:
    """A degradation of the table, its turn varied by the seed so that no two frames are the same."""
    random = np.random.default_rng(seed + 7)
    shot = DEGRADATIONS[name][level]
    return replace(shot, turn=shot.turn + float(random.uniform(-3, 3)))


def _bars(number: str, kind: Kind) -> Image.Image:
    import barcode

    module = 6 if kind == "ean13" else 4
    signs = barcode.get_barcode_class(kind)(number).build()[0]
    quiet = 10 * module
    picture = Image.new("L", (len(signs) * module + 2 * quiet, 330), 255)
    pen = ImageDraw.Draw(picture)
    for place, sign in enumerate(signs):
        if sign == "1":
            left = quiet + place * module
            pen.rectangle((left, 0, left + module - 1, 330), fill=15)
    return picture


def _qr(number: str) -> Image.Image:
    import segno

    rows = [list(row) for row in segno.make_qr(number, error="m").matrix_iter(scale=1, border=4)]
    picture = Image.fromarray(np.where(np.array(rows) > 0, 15, 255).astype(np.uint8))
    return picture.resize((345, 345), Image.Resampling.NEAREST)


def _table(random: np.random.Generator, size: tuple[int, int]) -> Any:
    width, height = size
    coarse = random.uniform(60, 150, (6, 8)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def _placed(frame: Any, card: Any, shot: Shot, random: np.random.Generator) -> Any:
    height, width = frame.shape
    half_w = CARD_SHARE * shot.scale * width / 2
    half_h = half_w * card.shape[0] / card.shape[1]
    angle = math.radians(shot.turn)
    centre = np.array([width / 2, height / 2]) + random.uniform(-0.04, 0.04, 2) * (width, height)
    corners = []
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        near = 1 + shot.askew * sy
        x, y = sx * half_w * near, sy * half_h
        turned = (x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle))
        corners.append(centre + np.array(turned))
    edge = np.array([(0, 0), (card.shape[1], 0), (card.shape[1], card.shape[0]), (0, card.shape[0])], np.float32)
    seen = cv2.getPerspectiveTransform(edge, np.array(corners, np.float32))
    shrunk = cv2.GaussianBlur(card, (0, 0), max(0.3, 0.35 * card.shape[1] / (2 * half_w)))
    warped = cv2.warpPerspective(shrunk, seen, (width, height), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.ones_like(card), seen, (width, height), flags=cv2.INTER_LINEAR)
    return frame * (1 - mask) + warped * mask


def _lit(frame: Any, shot: Shot, random: np.random.Generator) -> Any:
    height, width = frame.shape
    if shot.shade:
        direction = random.uniform(0, 2 * math.pi)
        y, x = np.mgrid[0:height, 0:width]
        ramp = (x / width - 0.5) * math.cos(direction) + (y / height - 0.5) * math.sin(direction) + 0.5
        frame = frame * (1 - shot.shade * np.clip(ramp, 0, 1))
    if shot.glare:
        y, x = np.mgrid[0:height, 0:width]
        cx, cy = width * random.uniform(0.4, 0.6), height * random.uniform(0.4, 0.6)
        frame = frame + 255 * shot.glare * np.exp(-(((x - cx) / (0.09 * width)) ** 2 + ((y - cy) / (0.12 * height)) ** 2))
    return frame * (1 - shot.dark)


def _blurred(frame: Any, shot: Shot, random: np.random.Generator) -> Any:
    if shot.defocus:
        frame = cv2.GaussianBlur(frame, (0, 0), shot.defocus)
    if shot.motion:
        angle = random.uniform(0, math.pi)
        reach = shot.motion / 2
        kernel = np.zeros((shot.motion + 2, shot.motion + 2), np.float32)
        middle = (shot.motion + 1) / 2
        for step in np.linspace(-reach, reach, 4 * shot.motion + 1):
            kernel[round(middle + step * math.sin(angle)), round(middle + step * math.cos(angle))] = 1
        frame = cv2.filter2D(frame, -1, kernel / kernel.sum())
    return frame
