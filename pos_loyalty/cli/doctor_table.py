"""What the doctor saw, for people: a row a thing, and beneath it in the same words what is so and what to do about it."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

from drivers.probes import Part, Probe, State
from pos_loyalty.i18n import WORDS, Language, tr
from pos_loyalty.values import Value
from pos_loyalty.wiring.doctor import DEVICE_PARTS, Diagnosis

WIDTH_MIN, WIDTH_MAX = 60, 120
NAME_SIGNS, STATE_SIGNS = 19, 13
INDENT = "  "
ARROW = "  → "
MENDED_STATES = ("unproven", "doubt", "fault", "found")
"""States in which a mend is told: elsewhere nothing is amiss."""


class Row(Value):
    """A row for machines, with its sentences in the language that was asked for. ``mend``: null where nothing is to be done."""

    part: Part
    name: str
    where: str
    state: State
    code: str
    says: str
    mend: str | None


def rows(seen: Diagnosis, language: Language) -> tuple[Row, ...]:
    """All rows, in the order of the table."""
    return tuple(_row(probe, language) for probe in (*_devices(seen), *seen.found, *_shop(seen), *seen.printed))


def as_table(seen: Diagnosis, language: Language, width: int | None = None) -> str:
    """Lines no longer than the terminal, or 80 where there is none; paths are never cut, because people copy them."""
    wide = width or min(max(shutil.get_terminal_size().columns, WIDTH_MIN), WIDTH_MAX)
    blocks = [
        _block("doctor.devices", _devices(seen), language, wide),
        _block("doctor.found", seen.found, language, wide),
        _block("doctor.shop", _shop(seen), language, wide),
        _block("doctor.printed", seen.printed, language, wide),
    ]
    lines = [line for block in blocks for line in block]
    if not seen.has_devices:
        lines = [tr(language, "doctor.none"), "", *lines]
    elif not seen.found:
        lines = [*lines, tr(language, "doctor.none_found")]
    return "\n".join([*lines, *_sum(seen, language)])


def _block(title: str, probes: Sequence[Probe], language: Language, wide: int) -> Iterator[str]:
    if not probes:
        return
    yield tr(language, title)
    for probe in probes:
        row = _row(probe, language)
        yield from _lines(row, language, wide)
    yield ""


def _lines(row: Row, language: Language, wide: int) -> Iterator[str]:
    state = tr(language, f"doctor.state.{row.state}")
    room = wide - len(INDENT) - NAME_SIGNS - STATE_SIGNS - 2
    name = row.name if len(row.name) <= NAME_SIGNS else row.name[: NAME_SIGNS - 1] + "…"
    head = f"{INDENT}{name:<{NAME_SIGNS}} {state:<{STATE_SIGNS}}"
    short = " · ".join(part for part in (row.where, row.says) if part)
    if len(short) <= room:
        yield f"{head} {short}".rstrip()
    elif len(row.where) <= room:
        yield f"{head} {row.where}".rstrip()
        yield from _wrapped(row.says, INDENT * 2, wide)
    else:
        yield f"{head}".rstrip()
        yield INDENT * 2 + row.where
        yield from _wrapped(row.says, INDENT * 2, wide)
    if row.mend is not None:
        yield from _wrapped(row.mend, INDENT + ARROW, wide)


def _wrapped(text: str, lead: str, wide: int) -> list[str]:
    return textwrap.wrap(
        text, wide, initial_indent=lead, subsequent_indent=" " * len(lead), break_long_words=False, break_on_hyphens=False
    )


def _sum(seen: Diagnosis, language: Language) -> Iterator[str]:
    probes = (*seen.probes, *seen.printed)
    faults = sum(probe.state == "fault" for probe in probes)
    doubts = sum(probe.state == "doubt" for probe in probes)
    yield tr(language, "doctor.faults", count=faults) if faults else tr(language, "doctor.well")
    if doubts:
        yield tr(language, "doctor.doubts", count=doubts)


def _row(probe: Probe, language: Language) -> Row:
    mend = f"doctor.{probe.code}.mend"
    is_told = probe.state in MENDED_STATES or probe.code.startswith("print.")
    return Row(
        part=probe.part,
        name=_name(probe, language),
        where=probe.where,
        state=probe.state,
        code=probe.code,
        says=tr(language, f"doctor.{probe.code}", **probe.holes),
        mend=tr(language, mend, **probe.holes) if mend in WORDS and is_told else None,
    )


def _name(probe: Probe, language: Language) -> str:
    key = f"doctor.name.{probe.name}"
    return tr(language, key) if probe.part not in DEVICE_PARTS and key in WORDS else probe.name


def _devices(seen: Diagnosis) -> tuple[Probe, ...]:
    return tuple(probe for probe in seen.probes if probe.part in DEVICE_PARTS)


def _shop(seen: Diagnosis) -> tuple[Probe, ...]:
    return tuple(probe for probe in seen.probes if probe.part not in DEVICE_PARTS)
