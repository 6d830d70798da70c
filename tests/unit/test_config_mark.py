"""A config.toml that was saved by Windows' Notepad begins with a mark that is no sign."""

from __future__ import annotations

from pos_loyalty.config import load_config
from pos_loyalty.salvage import salvage

TEXT = '[store]\nid = "S1"\nname = "Shop"\n[till]\nid = "T1"\n'


def test_a_mark_at_the_beginning_changes_nothing(tmp_path):
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text(TEXT, encoding="utf-8")
    marked.write_text(TEXT, encoding="utf-8-sig")
    assert load_config(marked) == load_config(plain)
    assert salvage(marked).table == salvage(plain).table
