"""Frames of a camera over a counter, 1280x720: member cards at the module sizes of a till, under twelve degradations at three
severities. Harsher than the pictures of the tests, so that a better decoder shows; nothing in the drivers knows these values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from drivers.symbology import gtin_holds
from tests.emulators.camera import Kind, Shot, draw_card, photograph
from tests.emulators.frames import gray_of

SCALES: dict[Kind, float] = {"ean13": 0.55, "code128": 0.70, "qr": 0.61}
"""A module is then 2.6 pixels of an EAN-13, 2.2 of a Code 128, 5 of a QR."""
SEVERITIES = 3
FRAMES: dict[str, tuple[Shot, Shot, Shot]] = {
    "plain": (Shot(noise=3), Shot(noise=5), Shot(noise=7)),
    "turned": (Shot(turn=10, noise=4), Shot(turn=35, noise=4), Shot(turn=75, noise=4)),
    "askew": (Shot(askew=0.1, noise=4), Shot(askew=0.18, noise=4), Shot(askew=0.28, noise=4)),
    "defocus": (Shot(defocus=0.9, noise=3), Shot(defocus=1.5, noise=3), Shot(defocus=2.1, noise=3)),
    "motion": (Shot(motion=4, noise=3), Shot(motion=7, noise=3), Shot(motion=10, noise=3)),
    "noise": (Shot(noise=16), Shot(noise=32), Shot(noise=55)),
    "dark": (Shot(dark=0.75, noise=6), Shot(dark=0.88, noise=8), Shot(dark=0.93, noise=8)),
    "glare": (Shot(glare=0.6, noise=4), Shot(glare=0.9, noise=4), Shot(glare=1.2, noise=4)),
    "shade": (Shot(shade=0.5, noise=4), Shot(shade=0.75, noise=4), Shot(shade=0.92, noise=4)),
    "small": (Shot(scale=0.7, noise=3), Shot(scale=0.52, noise=3), Shot(scale=0.42, noise=3)),
    "jpeg": (Shot(jpeg=35, noise=3), Shot(jpeg=18, noise=3), Shot(jpeg=9, noise=3)),
    "mixture": (
        Shot(turn=12, defocus=0.6, noise=10, shade=0.3),
        Shot(turn=25, askew=0.1, defocus=0.9, noise=18, shade=0.5, jpeg=60),
        Shot(turn=35, askew=0.15, defocus=1.2, noise=26, shade=0.6, jpeg=40),
    ),
}


def frame(kind: Kind, name: str, level: int, seed: int) -> tuple[str, bytes]:
    """The number on the card, and a JPEG of it. The same arguments give the same bytes."""
    shot = FRAMES[name][level]
    turn = shot.turn + float(np.random.default_rng(seed + 7).uniform(-6, 6))
    number = number_of(kind, seed)
    return number, photograph(draw_card(number, kind), seed, replace(shot, turn=turn, scale=shot.scale * SCALES[kind]))


def frames_of(kind: Kind, name: str, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` frames at each severity, mildest first, each of another card."""
    base = seed + 1_000_000 * list(SCALES).index(kind) + 10_000 * list(FRAMES).index(name)
    for level in range(SEVERITIES):
        for each in range(count):
            yield frame(kind, name, level, base + 1_000 * level + each)


SEQUENCE_FRAMES = 24
CROP = (640, 480)


def sequence(kind: Kind, number: int, seed: int) -> tuple[str, list[Any]]:
    """The number on a card, and frames of it in a hand that shakes: a harsher shot; blur, noise and light on the move."""
    names = [name for name in FRAMES if name != "plain"]
    name, level = names[number // len(SCALES) % len(names)], 1 + number // (len(SCALES) * len(names)) % 2
    truth, picture = frame(kind, name, level, seed + 7_919 * number)
    gray = gray_of(picture)
    random = np.random.default_rng(seed + number)
    left, top = (gray.shape[1] - CROP[0]) / 2, (gray.shape[0] - CROP[1]) / 2
    frames = []
    for _ in range(SEQUENCE_FRAMES):
        angle, stretch = np.deg2rad(random.uniform(-2, 2)), random.uniform(0.93, 1.07)
        cos, sin = stretch * np.cos(angle), stretch * np.sin(angle)
        dx, dy = random.uniform(-12, 12, 2)
        x, y = gray.shape[1] / 2, gray.shape[0] / 2
        shake = np.array([[cos, -sin, x - cos * x + sin * y - left + dx], [sin, cos, y - sin * x - cos * y - top + dy]])
        moved = cv2.warpAffine(gray, shake, CROP, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        blurred = cv2.GaussianBlur(moved, (0, 0), random.uniform(0.3, 1.1)).astype(np.float32)
        lit = blurred * random.uniform(0.85, 1.1) + random.normal(0, random.uniform(1, 8), blurred.shape)
        frames.append(np.clip(lit, 0, 255).astype(np.uint8))
    return truth, frames


def number_of(kind: Kind, seed: int) -> str:
    """A card number of the shop, told by the seed."""
    if kind != "ean13":
        return f"LC{seed * 7_919 % 10**10:010d}"
    digits = f"2{seed * 104_729 % 10**11:011d}"
    check = -sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits))) % 10
    return f"{digits}{check}"


def nomenclature(text: str) -> bool:
    """The shop's cards, wide on purpose: a narrower nomenclature refuses more misreads."""
    return (len(text) == 13 and text.startswith("2") and gtin_holds(text)) or (len(text) == 12 and text.startswith("LC"))
