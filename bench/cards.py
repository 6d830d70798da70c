"""How many member cards are read from pictures, how fast, and that no wrong one is: ``python -m bench.cards [--images DIR]``.

Drawn cards are degraded by code with fixed seeds. A folder of photographs (``expected.json`` maps each picture's path to its
text, null for none) is measured with the same cascade and vote; any well-formed symbol counts there, not a shop's cards alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from pathlib import Path

from drivers.camera import BUDGET_S, NS_PER_S, PictureReader, gray_picture
from drivers.decode import Symbol, read_symbols, vote
from drivers.symbology import gtin_holds
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import CardConfig
from pos_loyalty.errors import InputError
from tests.emulators.camera import DEGRADATIONS, Kind, draw_card, photograph, severity

CARDS = (
    CardConfig(prefix="2", length=13, check="gtin", symbologies=("ean13",)),
    CardConfig(prefix="LC", length=12, check="none", symbologies=("code128", "qr")),
)
"""Wide on purpose: a narrower nomenclature refuses more misreads."""
KINDS: tuple[Kind, ...] = ("ean13", "code128", "qr")
SETS = {"ean13": "ean13", "upca": "ean13", "ean8": "ean8", "code128": "code128", "qrcode": "qr"}


def main() -> int:
    """Print the tables; exit 1 when a wrong card was accepted from a drawn picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="a folder of photographs with expected.json")
    parser.add_argument("--frames", type=int, default=4, help="drawn frames for each degradation and severity")
    chosen = parser.parse_args()
    wrong = drawn(chosen.frames)
    if chosen.images is not None:
        photographs(chosen.images)
    return 1 if wrong else 0


def drawn(frames: int) -> int:
    """Measure drawn cards; the number of wrong ones accepted."""
    reader = PictureReader(CARDS)
    right, shown, wrong = Counter[tuple[str, str]](), Counter[tuple[str, str]](), 0
    times_ms: list[float] = []
    for kind in KINDS:
        for name in DEGRADATIONS:
            for frame in range(3 * frames):
                seed = 10_000 * (KINDS.index(kind) + 1) + 100 * list(DEGRADATIONS).index(name) + frame
                number = _number(kind, seed)
                picture = photograph(draw_card(number, kind), seed, severity(name, frame % 3, seed))
                begin_ns = monotonic_ns()
                read = reader.read(picture)
                times_ms.append((monotonic_ns() - begin_ns) / 1e6)
                shown[kind, name] += 1
                right[kind, name] += read is not None and read.card == number
                wrong += read is not None and read.card != number
    print(f"drawn cards, 1280x720, read of shown, three severities each\n{'':10}" + "".join(f"{kind:>12}" for kind in KINDS))
    for name in DEGRADATIONS:
        print(f"{name:10}" + "".join(f"{right[kind, name]:>6}/{shown[kind, name]:<5}" for kind in KINDS))
    each = 3 * frames * len(DEGRADATIONS)
    totals = {kind: sum(right[kind, name] for name in DEGRADATIONS) / each for kind in KINDS}
    print(f"{'all':10}" + "".join(f"{totals[kind]:>11.1%} " for kind in KINDS) + f"  wrong accepted: {wrong}")
    _print_times("ms a picture, JPEG to answer", times_ms)
    return wrong


def photographs(folder: Path) -> None:
    """Measure a folder of pictures by its sets, for the symbologies that cards may have."""
    expected: dict[str, str | None] = json.loads((folder / "expected.json").read_text("utf-8"))
    right, shown, wrong = Counter[str](), Counter[str](), Counter[str]()
    times_ms: list[float] = []
    for path, text in expected.items():
        name = path.partition("-")[0]
        if name not in SETS and text is not None:
            continue
        try:
            gray = gray_picture((folder / path).read_bytes())
        except InputError as error:
            print(f"{path}: {error}")
            continue
        begin_ns = monotonic_ns()
        symbologies = [SETS[name]] if text is not None else sorted(set(SETS.values()))
        found = vote(read_symbols(gray, symbologies, begin_ns + int(BUDGET_S * NS_PER_S)), _any_symbol)
        times_ms.append((monotonic_ns() - begin_ns) / 1e6)
        shown[name] += 1
        truth = text.zfill(13) if text is not None and name == "upca" else _one_newline(text)
        right[name] += found == truth
        wrong[name] += found is not None and found != truth
    print("\nphotographs: right of shown, wrong accepted")
    for name, count in shown.items():
        print(f"{name:16}{right[name]:>5}/{count:<5}{right[name] / count:>7.1%}{wrong[name]:>6}")
    _print_times("ms a photograph, decoding alone", times_ms)


def _any_symbol(symbol: Symbol) -> str | None:
    if symbol.symbology in ("ean13", "ean8"):
        return symbol.text if gtin_holds(symbol.text) else None
    return _one_newline(symbol.text)


def _one_newline(text: str | None) -> str | None:
    return None if text is None else text.replace("\r\n", "\n").rstrip("\n")


def _number(kind: Kind, seed: int) -> str:
    if kind != "ean13":
        return f"LC{seed * 7_919 % 10**10:010d}"
    digits = f"2{seed * 104_729 % 10**11:011d}"
    check = -sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits))) % 10
    return f"{digits}{check}"


def _print_times(title: str, times_ms: list[float]) -> None:
    ordered = sorted(times_ms)
    middle, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
    print(f"{title}: median {middle:.1f}, mean {statistics.mean(ordered):.1f}, p95 {p95:.1f}, n = {len(ordered)}")


if __name__ == "__main__":
    sys.exit(main())
