"""Filling a disk to its last byte."""

from __future__ import annotations

from pathlib import Path


def fill(disk: Path) -> Path:
    """Write until nothing more fits; answers the file that takes the room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            return filler
