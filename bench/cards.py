"""How many member cards are read from frames, how fast, and that no wrong one is: ``python -m bench.cards [--images DIR]``.

Beside ours stand the libraries alone, raw. Times are CPU time of this process on one core. Drawn cards are degraded by code from
a printed seed. A folder of photographs (``expected.json`` maps each path to its text, null for none) is read by the same cascade.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import zxingcpp

from bench.card_frames import FRAMES, SCALES, SEVERITIES, frames_of, nomenclature, sequence
from drivers import zbar
from drivers.believing import NO_VOTES, step
from drivers.camera import gray_picture
from drivers.decode import Batch, Cascade, Symbol, vote
from drivers.frame_sources import VideoSource
from drivers.symbology import gtin_holds
from drivers.watching import IDLE_FRAMES_PER_S, CameraWatch
from pos_loyalty.config_camera import CameraConfig
from pos_loyalty.errors import InputError
from tests.emulators.camera import Kind
from tests.emulators.frames import table, write_video

BUDGET_NS = 50_000_000
PICTURE_BUDGET_NS = 500_000_000
NS_PER_MS = 1_000_000
FRAME_MS = 66
LOOKED_FOR = ("ean13", "code128", "qr")
SETS = {
    "ean13": ("ean13",), "upca": ("ean13",), "ean8": ("ean8",), "code128": ("code128",), "code39": ("code39",),
    "qrcode": ("qr",), "datamatrix": ("datamatrix",), "pdf417": ("pdf417",), "aztec": ("aztec",),
}  # fmt: skip
GOALS = {"ean13": 0.85, "code128": 0.88, "qr": 0.92}
NAMES = {"ean13": "EAN13", "ean8": "EAN8", "code128": "Code128", "code39": "Code39", "qr": "QRCode"} | {
    "datamatrix": "DataMatrix", "pdf417": "PDF417", "aztec": "Aztec"
}  # fmt: skip

Reader = Callable[[Any], list[str]]


def main() -> int:
    """Print the tables; exit 1 when a wrong card was accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="a folder of photographs with expected.json")
    parser.add_argument("--frames", type=int, default=10, help="drawn frames for each degradation and severity; 0: none")
    parser.add_argument("--sequences", type=int, default=10_000, help="frames in sequences, at least; 0: none")
    parser.add_argument("--seed", type=int, default=20_261_122)
    chosen = parser.parse_args()
    if chosen.images is not None and not (chosen.images / "expected.json").is_file():
        parser.error(f"--images: {chosen.images} holds no expected.json, which tells the text of each picture")
    cv2.setNumThreads(1)
    print(f"seed {chosen.seed}; second decoder: {zbar.missing() or 'zbar'}")
    if chosen.frames:
        drawn(chosen.frames, chosen.seed)
    wrong = in_sequences(chosen.sequences, chosen.seed) if chosen.sequences else 0
    if chosen.images is not None:
        wrong += photographs(chosen.images)
    idle()
    return 1 if wrong else 0


def drawn(frames: int, seed: int) -> None:
    """Each frame by itself: what the libraries alone and the cascade within its budget read of a card."""
    cascade = Cascade(LOOKED_FOR, time.process_time_ns)
    right, wrong, shown = Counter[tuple[str, str, str]](), Counter[str](), Counter[tuple[str, str]]()
    times_ms: dict[str, list[float]] = {"zxing": [], "zbar": [], "ours": []}
    readers: dict[str, Reader] = {"zxing": _zxing(LOOKED_FOR), "zbar": _zbar(LOOKED_FOR), "ours": _ours(cascade)}
    for kind in SCALES:
        for name in FRAMES:
            for number, picture in frames_of(kind, name, frames, seed):
                gray = gray_picture(picture)
                shown[kind, name] += 1
                for reader, read in readers.items():
                    begin_ns = time.process_time_ns()
                    texts = [text for text in read(gray) if nomenclature(text)]
                    times_ms[reader].append((time.process_time_ns() - begin_ns) / NS_PER_MS)
                    right[reader, kind, name] += texts[:1] == [number]
                    wrong[reader] += bool(texts) and texts[0] != number
    print(f"\ndrawn cards, 1280x720, {SEVERITIES} severities x {frames} frames: % read by zxing-cpp / zbar / ours")
    for name in FRAMES:
        _print_row(name, {kind: [right[reader, kind, name] / shown[kind, name] for reader in readers] for kind in SCALES})
    _print_row("all", {kind: [_share(right, shown, reader, kind) for reader in readers] for kind in SCALES})
    print("goal, ours" + "".join(f"{GOALS[kind]:>25.0%}" for kind in SCALES))
    for reader, times in times_ms.items():
        print(f"{reader}: {_times(times)}; wrong numbers read, before the vote: {wrong[reader]}")


def in_sequences(frames: int, seed: int) -> int:
    """Frames of one card after another, moving and mostly bad: which cards are accepted. The number of wrong ones."""
    cascade, done, cards, found, wrong, misread, number = Cascade(LOOKED_FOR, time.process_time_ns), 0, 0, 0, 0, 0, 0
    times_ms: list[float] = []
    while done < frames:
        kind: Kind = list(SCALES)[number % len(SCALES)]
        truth, pictures = sequence(kind, number, seed)
        votes, accepted = NO_VOTES, set[str]()
        for place, gray in enumerate(pictures):
            begin_ns = time.process_time_ns()
            seen = {s.text: False for s in cascade.look(gray, begin_ns + BUDGET_NS, _is_wanted) if _is_wanted(s)}
            times_ms.append((time.process_time_ns() - begin_ns) / NS_PER_MS)
            misread += any(text != truth for text in seen)
            votes, card = step(votes, seen, place * FRAME_MS)
            accepted |= {card} if card is not None else set()
            done += 1
        cards, found, wrong, number = cards + 1, found + (truth in accepted), wrong + len(accepted - {truth}), number + 1
    print(f"\nsequences: {done} frames, {cards} cards, {found} accepted, wrong accepted {wrong}; frames with a misread {misread}")
    print(f"ours: {_times(times_ms)}")
    return wrong


def photographs(folder: Path) -> int:
    """A folder of pictures by its sets. Read: the value of most renderings. Accepted: by the vote. The wrong ones accepted."""
    expected: dict[str, str | None] = json.loads((folder / "expected.json").read_text("utf-8"))
    counts, times_ms = Counter[tuple[str, str]](), list[float]()
    for path, text in expected.items():
        name = path.partition("-")[0]
        formats = SETS.get(name, tuple(dict.fromkeys(each for group in SETS.values() for each in group)))
        try:
            gray = gray_picture((folder / path).read_bytes())
        except InputError as error:
            print(f"{path}: {error}")
            continue
        truth = text.zfill(13) if text is not None and name == "upca" else _plain(text)
        first, second = _well_formed(_zxing(formats)(gray)), _well_formed(_zbar(formats)(gray))
        begin_ns = time.process_time_ns()
        batches = list(Cascade(formats, time.process_time_ns).all_of(gray, begin_ns + PICTURE_BUDGET_NS))
        times_ms.append((time.process_time_ns() - begin_ns) / NS_PER_MS)
        accepted = vote(batches, _any_symbol)
        for column, value in (("zxing", first), ("both", first or second), ("read", _most(batches)), ("accepted", accepted)):
            counts[name, column] += value == truth
            counts[name, f"wrong {column}"] += value not in (None, truth)
        counts[name, "n"] += 1
    print("\nphotographs: zxing-cpp alone; with zbar; read by ours; accepted by ours (wrong ones in brackets)")
    for name in dict.fromkeys(name for name, _ in counts):
        columns = (f"{counts[name, c]:>6} ({counts[name, f'wrong {c}']})" for c in ("zxing", "both", "read", "accepted"))
        print(f"{name:16}{counts[name, 'n']:>5}" + "".join(columns))
    print(f"all renderings of a photograph: {_times(times_ms)}")
    return sum(count for (_, column), count in counts.items() if column == "wrong accepted")


def idle() -> None:
    """The share of a core that a camera takes while nothing moves, the decoding of its MJPG frames included."""
    frames = 60
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(Path(folder) / "idle.avi", [table(seed) for seed in range(frames)])
        config = CameraConfig(kind="file", path=str(path), fps=15)
        at_ms = [0]

        def rest(seconds: float) -> None:
            at_ms[0] += round(seconds * 1000)

        camera = CameraWatch(VideoSource(config), config, LOOKED_FOR, _nothing, now_ms=lambda: at_ms[0] + 10_000, wait=rest)
        watching, asleep_ns, asleep = camera.watch(), 0, 0
        while True:
            begin_ns, begin_ms = time.process_time_ns(), at_ms[0]
            if next(watching, StopIteration) is StopIteration:
                break
            if at_ms[0] - begin_ms > 1000 / IDLE_FRAMES_PER_S / 2:
                asleep_ns, asleep = asleep_ns + time.process_time_ns() - begin_ns, asleep + 1
    a_frame_ms = asleep_ns / asleep / NS_PER_MS
    share = a_frame_ms * IDLE_FRAMES_PER_S / 1000
    figures = f"{a_frame_ms:.1f} ms a glance, {IDLE_FRAMES_PER_S:.0f} a second: {share:.1%} of a core, n = {asleep}"
    print(f"\nidle, noise alone: {figures}")


def _nothing(*_: object) -> None:
    return None


def _zxing(formats: tuple[str, ...]) -> Reader:
    known = zxingcpp.BarcodeFormats([getattr(zxingcpp.BarcodeFormat, NAMES[each]) for each in formats])
    plain = zxingcpp.TextMode.Plain
    return lambda gray: [found.text for found in zxingcpp.read_barcodes(gray, formats=known, text_mode=plain)]


def _zbar(formats: tuple[str, ...]) -> Reader:
    return lambda gray: [found.raw[3:] for found in zbar.read(gray, formats)]


def _ours(cascade: Cascade) -> Reader:
    def read(gray: Any) -> list[str]:
        symbols = cascade.look(gray, time.process_time_ns() + BUDGET_NS, _is_wanted)
        return [symbol.text for symbol in symbols if _is_wanted(symbol)]

    return read


def _is_wanted(symbol: Symbol) -> bool:
    return nomenclature(symbol.text)


def _any_symbol(symbol: Symbol) -> str | None:
    if symbol.symbology in ("ean13", "ean8") and not gtin_holds(symbol.text):
        return None
    return _plain(symbol.text)


def _most(batches: list[Batch]) -> str | None:
    """The value that most renderings show; of equals the first."""
    seen = Counter(text for batch in batches for text in {_any_symbol(symbol) for symbol in batch} if text)
    return seen.most_common(1)[0][0] if seen else None


def _well_formed(texts: list[str]) -> str | None:
    return _plain(texts[0]) if texts else None


def _plain(text: str | None) -> str | None:
    return None if text is None else text.replace("\r\n", "\n").rstrip("\n")


def _share(right: Counter[tuple[str, str, str]], shown: Counter[tuple[str, str]], reader: str, kind: str) -> float:
    return sum(right[reader, kind, name] for name in FRAMES) / sum(shown[kind, name] for name in FRAMES)


def _print_row(name: str, shares: dict[Kind, list[float]]) -> None:
    cells = ("  ".join(f"{share * 100:5.1f}" for share in shares[kind]) for kind in SCALES)
    print(f"{name:10}" + "".join(f"{cell:>25}" for cell in cells))


def _times(times_ms: list[float]) -> str:
    ordered = sorted(times_ms)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"mean {statistics.mean(ordered):.1f} ms, median {statistics.median(ordered):.1f}, p95 {p95:.1f}, n = {len(ordered)}"


if __name__ == "__main__":
    sys.exit(main())
