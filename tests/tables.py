"""Tables for tests of imports: a small shop's config, real CSV and XLSX files, the command as a person calls it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from pos_loyalty import wiring
from pos_loyalty.cli.main import main
from pos_loyalty.store.db import open_reader

CONFIG = """
secrets = "secrets.toml"
[store]
id = "S1"
name = "Проба"
[till]
id = "T1"
database = "till.db"
catalogue = "catalogue.json"
[[card]]
prefix = "22"
length = 13
[server]
database = "office.db"
"""
CHAIN = CONFIG + '[head_office]\nurl = "http://127.0.0.1:1"\n'


def card_of(n: int) -> str:
    """The n-th card of the range, its check digit counted by hand: 3 and 1 in turn from the right."""
    digits = f"22{n:010d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


class Folder:
    """A shop's folder without a till that runs."""

    def __init__(self, path: Path, config: str = CONFIG) -> None:
        self.path = path
        path.mkdir(exist_ok=True)
        self.config = path / "config.toml"
        self.config.write_text(config, encoding="utf-8")
        wiring.make_secrets(self.config)

    def csv(
        self, rows: Sequence[Sequence[str]], *, encoding: str = "utf-8-sig", sign: str = ";", name: str = "table.csv"
    ) -> Path:
        """A file as a spreadsheet saves it."""
        text = StringIO(newline="")
        csv.writer(text, delimiter=sign).writerows(rows)
        target = self.path / name
        target.write_bytes(text.getvalue().encode(encoding))
        return target

    def xlsx(self, rows: Sequence[Sequence[Any]], name: str = "table.xlsx") -> Path:
        """A workbook with one sheet."""
        book = Workbook()
        for row in rows:
            book.active.append(list(row))
        book.save(self.path / name)
        return self.path / name

    def run(self, *args: object) -> int:
        """The command, over this shop's config."""
        return main([*map(str, args), "--config", str(self.config)])

    def rows(self, sql: str, database: str = "till.db") -> list[tuple[Any, ...]]:
        """What stands in a store."""
        db = open_reader(self.path / database)
        try:
            return list(db.execute(sql))
        finally:
            db.close()

    def differences(self, database: str = "till.db") -> tuple[str, ...]:
        """What verify says."""
        return wiring.verify(self.path / database)


def taken(folder: Folder, capsys: pytest.CaptureFixture[str], *args: object) -> dict[str, Any]:
    """The outcome of an import, as a machine reads it."""
    capsys.readouterr()
    folder.run("import", *args, "--json")
    outcome: dict[str, Any] = json.loads(capsys.readouterr().out)["outcome"]
    return outcome
