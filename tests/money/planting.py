"""Run tests in a process of its own whose packages hold one planted fault: ``python -m tests.money.planting FOLDER TEST …``.

The files of the working tree are not touched: the changed modules, whose texts come by standard input as JSON, are compiled from
there when they are imported; all others are those of the tree. Prints one line of JSON: which test failed first, and by what.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from tests.money.fault import Fault

ROOT = Path(__file__).parents[2]


class GoneError(Exception):
    """The text of a fault does not stand once in the source."""


def planted_texts(fault: Fault) -> dict[str, str]:
    """Path to its whole text with the fault in it. Raises GoneError, saying what to do."""
    texts: dict[str, str] = {}
    for change in fault.changes:
        text = texts.get(change.path)
        if text is None:
            path = ROOT / change.path
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.count(change.text) != 1:
            raise GoneError(f"{fault.name}: its text stands {text.count(change.text)} times in {change.path}; plant it anew")
        texts[change.path] = text.replace(change.text, change.planted)
    return texts


class PlantedLoader(SourceFileLoader):
    """Compiles a module from the changed text, and keeps no bytecode of it."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec", dont_inherit=True)


class Planter(MetaPathFinder):
    """Finds the modules that hold the fault, before anybody else does."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = {path.removesuffix(".py").replace("/", "."): (path, text) for path, text in texts.items()}
        self.loaded: set[str] = set()

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in self._texts:
            return None
        file, text = self._texts[fullname]
        self.loaded.add(file)
        loader: Loader = PlantedLoader(fullname, str(ROOT / file), text)
        return importlib.util.spec_from_file_location(fullname, ROOT / file, loader=loader)


class FirstFailure:
    """A plugin of pytest that keeps the first test that failed, and the names of what it failed by, the narrowest first."""

    def __init__(self) -> None:
        self.test: str | None = None
        self.by = ""

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        if self.test is None:
            self.test = node.nodeid
            self.by = ",".join(each.__name__ for each in call.excinfo.type.__mro__)


def main(texts: dict[str, str], tests: Sequence[str], folder: str) -> int:
    """The status of pytest."""
    planter = Planter(texts)
    sys.meta_path.insert(0, planter)
    import pytest

    first = FirstFailure()
    quiet = ("-q", "-x", "--tb=no", "--no-header", "-p", "no:cacheprovider", "-W", "ignore")
    own = ("-c", str(Path(__file__).with_name("planted.ini")), "--rootdir", str(ROOT), "--basetemp", folder)
    status = pytest.main([*quiet, *own, *(str(ROOT / test) for test in tests)], plugins=[first])
    said = {"status": int(status), "test": first.test, "by": first.by, "loaded": sorted(planter.loaded)}
    print("\n" + json.dumps(said), flush=True)
    return int(status)


if __name__ == "__main__":
    raise SystemExit(main(json.load(sys.stdin), sys.argv[2:], sys.argv[1]))
