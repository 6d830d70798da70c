"""The bytes of a TOML file as tables; where they are not TOML, a sentence that says what to do."""

from __future__ import annotations

import re
import tomllib
from typing import Any

BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)' r"|'''.*?(?:'''|\Z)" r'|"(?:\\.|[^"\\\n])*"?' r"|'[^'\n]*'?" r"|#[^\n]*" r"|[\[\]{}\n]",
    re.DOTALL,
)
_CLOSES = {"]": "[", "}": "{"}


def tables_of(data: bytes) -> dict[str, Any]:
    """Read TOML; a mark of UTF-8 before it is skipped. Raises ValueError with a sentence."""
    body = data.removeprefix(BOM)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not text in UTF-8 (line {line}); save the file as UTF-8") from error
    if "\0" in text:
        raise ValueError("is not text in UTF-8; save the file as UTF-8")
    try:
        return tomllib.loads(text)
    except ValueError as error:
        open_line = _open_table(text.replace("\r\n", "\n"))
        if open_line is not None:
            sentence = f"line {open_line}: a table {{ … }} stands on one line; write it and its }} without a line break"
            raise ValueError(sentence) from error
        raise ValueError(f"is not TOML: {str(error)[:200]}") from error


def _open_table(text: str) -> int | None:
    """The first line that ends inside an inline table, and not inside a list in it; None when no line does."""
    line = 1
    open_signs: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "\n":
            if open_signs and open_signs[-1] == "{":
                return line
        elif token in ("[", "{"):
            open_signs.append(token)
        elif token in _CLOSES and open_signs and open_signs[-1] == _CLOSES[token]:
            open_signs.pop()
        line += token.count("\n")
    return line if open_signs and open_signs[-1] == "{" else None
