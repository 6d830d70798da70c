"""What the README and docs/python.md tell a newcomer to run does run, as it is written."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from pos_loyalty.store.facts import Fact
from tests.ports import free_port
from tests.shop import Shop

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with the config and the demo's files, on a free port."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8").replace("8780", str(free_port())).replace("8765", "0")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "demo", tmp_path / "demo", ignore=shutil.ignore_patterns("out", "__pycache__"))
    yield tmp_path


def _block(path: Path, heading: str, language: str) -> str:
    text = path.read_text(encoding="utf-8").partition(heading)[2]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found
    return found.group(1)


def test_a_first_sale_by_hand(place: Path) -> None:
    shell = _block(ROOT / "README.md", "## A first sale by hand", "sh")
    answers = f"{sys.executable} -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1])' {_url(place)}/healthz 2>&-"
    shell = shell.replace("P=.venv/bin/pos-loyalty", f'P="{sys.executable} -m pos_loyalty.cli.main"')
    shell = shell.replace("head-office &", f"head-office & until {answers}; do sleep 0.1; done;").replace("$P till ", "true ")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    shell_run = subprocess.Popen(
        ["bash", "-eu", "-c", shell],
        cwd=place,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told = _told_until(shell_run, "agree")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell_run.pid, signal.SIGKILL)
        shell_run.wait()
        assert shell_run.stdout is not None
        shell_run.stdout.close()
    assert "all in order" in told and "К ОПЛАТЕ" in told and "0 facts unsent" in told
    assert re.search(r"^2026-11-20 +1 +1 ", told, re.M)


def _url(place: Path) -> str:
    found = re.search(r"http://127\.0\.0\.1:(?!0\b)\d+", (place / "config.toml").read_text(encoding="utf-8"))
    assert found
    return found.group()


def _told_until(process: subprocess.Popen[str], last: str) -> str:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if last in line:
            return told
    raise AssertionError(told)


def test_the_python_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    code = _block(ROOT / "docs/python.md", "# The till as a Python plugin", "python")
    shutil.copytree(ROOT / "demo/baskets", shop.folder / "demo/baskets")
    shop.close()
    monkeypatch.chdir(shop.folder)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(code, "docs/python.md", "exec"), {})
    finally:
        shop.open()
    assert "К ОПЛАТЕ" in said.getvalue()
    assert shop.till.sale("K1-000124").state == "completed"


def test_the_page_of_the_sync_names_all_that_a_body_leaves_out() -> None:
    """A fact by another hand that says such a field all the same is refused as not canonical."""
    page = (ROOT / "docs/sync.md").read_text(encoding="utf-8")
    sentence = page.partition("Within a body and an entry every field stands")[2].partition(". ")[0]
    left_out = {
        f"{struct.cls.__name__}.{field.name}"
        for struct in _structs(inspect.type_info(Fact))
        for field in msgspec.structs.fields(struct.cls)
        if (struct.cls.__struct_config__.omit_defaults and not field.required) or field.default is msgspec.UNSET
    }
    of_fact = {f"Fact.{field.name}" for field in msgspec.structs.fields(Fact)}
    assert sorted(name.partition(".")[2] for name in left_out - of_fact) == sorted(re.findall(r"`(\w+)`", sentence))


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Every struct that stands in one, once."""
    seen: set[type] = set()
    todo = [kind]
    while todo:
        each = todo.pop()
        if isinstance(each, inspect.StructType) and each.cls not in seen:
            seen.add(each.cls)
            todo += [field.type for field in each.fields]
            yield each
        for name in ("item_type", "item_types", "types", "key_type", "value_type"):
            inner = getattr(each, name, ())
            todo += inner if isinstance(inner, tuple) else [inner]
