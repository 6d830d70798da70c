"""What of a faulty config.toml can be used all the same, so that a look at the till says more than its first fault."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from msgspec import field, structs

from pos_loyalty.config import CONFIG_BYTES_MAX, Config, PrinterConfig, StoreConfig, TillConfig, load_config
from pos_loyalty.config_printer import fault_of, with_profile
from pos_loyalty.errors import ConfigError, InputError
from pos_loyalty.values import Value, convert

NOBODY = {"store": StoreConfig(id="unknown", name="unknown"), "till": TillConfig(id="unknown")}


class Salvage(Value):
    """``config``: what could be read, with made-up names for a store or till that could not. ``faults``: a sentence with its
    place for each; empty when all is well. ``lost``: tables that are not in ``config``. ``table``: the file as TOML has it."""

    config: Config
    faults: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()
    table: dict[str, Any] = field(default_factory=dict)


def salvage(path: Path) -> Salvage:
    """Read as much of a config as can be read. Raises nothing: a file that is not there is a fault like any other."""
    if not path.is_file():
        return kept_of({}, (f"{path}: there is no such file",))
    try:
        config = load_config(path)
    except ConfigError as error:
        return kept_of(_table(path), (str(error),))
    return Salvage(config=config, table=_table(path))


def kept_of(table: dict[str, Any], faults: tuple[str, ...]) -> Salvage:
    """What can be read of a file that has these faults; more of them are found on the way."""
    kept: dict[str, Any] = {}
    said = list(faults)
    for name, kind in ((each.name, each.type) for each in structs.fields(Config)):
        if name in table:
            kept |= _read(name, kind, table[name], said)
    lost = frozenset(NOBODY.keys() - kept.keys()) | (table.keys() - kept.keys())
    return Salvage(config=Config(**{**NOBODY, **kept}), faults=tuple(dict.fromkeys(said)), lost=lost, table=table)


def _read(name: str, kind: Any, value: Any, said: list[str]) -> dict[str, Any]:
    """The table as a value, a list without its faulty parts, or nothing. What is wrong is said, but not twice."""
    if name == "printer" and isinstance(value, Mapping):
        value = with_profile(value)
    try:
        read = convert(value, kind)
    except InputError as error:
        _say(said, name, error)
        return _without_faulty(name, kind, value)
    fault = fault_of(read) if isinstance(read, PrinterConfig) else None
    return {} if fault is not None else {name: read}


def _without_faulty(name: str, kind: Any, value: Any) -> dict[str, Any]:
    """Those of several tables that are right; nothing where one table belongs. A list that is bounded stands in Annotated."""
    many = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if not isinstance(value, list) or get_origin(many) is not tuple:
        return {}
    kept = []
    for each in value:
        try:
            kept.append(convert(each, get_args(many)[0]))
        except InputError:
            continue
    return {name: tuple(kept)}


def _say(said: list[str], name: str, error: InputError) -> None:
    sentence = f"{name}{error.place.removeprefix('$')}: {error.message}"
    if not any(each.endswith(sentence) for each in said):
        said.append(sentence)


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.loads(file.read(CONFIG_BYTES_MAX).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
