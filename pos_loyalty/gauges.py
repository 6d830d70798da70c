"""Figures for a monitor, in the text format that Prometheus reads. **Source:** Prometheus exposition formats, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pos_loyalty.values import Value

MEDIA = "text/plain; version=0.0.4; charset=utf-8"


class Figure(Value):
    """One figure with its samples, by the labels of each: ``till="T1"``; empty where there is only one."""

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    samples: Mapping[str, float]


def text_of(figures: Iterable[Figure]) -> str:
    """All of them, in the order given; a figure without samples only says what it is."""
    lines: list[str] = []
    for figure in figures:
        lines += [f"# HELP {figure.name} {figure.help}", f"# TYPE {figure.name} {figure.kind}"]
        for labels, value in figure.samples.items():
            lines.append(f"{figure.name}{f'{{{labels}}}' if labels else ''} {_number(value)}")
    return "\n".join(lines) + "\n"


def label(name: str, value: str) -> str:
    """A label with its value, as the format asks."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'


def alone(value: float) -> dict[str, float]:
    """The sample of a figure without labels."""
    return {"": value}


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6f}".rstrip("0").rstrip(".")
