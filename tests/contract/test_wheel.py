"""The wheel beside a foreign package ``drivers``, and in a host's folder with its own ``sync/``: exactly one clear sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CURE = "install pos-loyalty into an environment of its own"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, built from a copy of the tree so that nothing is left in it."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    keep = ("pos_loyalty", "drivers", "sync", "receipts")
    for name in keep:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(tree)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def _site(wheel: Path, folder: Path) -> Path:
    """An environment's site-packages with only our wheel in it."""
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def _run(site: Path, code: str, cwd: Path, *first_on_path: Path) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path[:0] = {[str(path) for path in (*first_on_path, site)]!r}\n"
    return subprocess.run([sys.executable, "-S", "-c", start + code], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_wheel_holds_what_a_till_needs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"pos_loyalty", "drivers", "sync", "receipts"} == {top for top in tops if not top.endswith(".dist-info")}
    for path in ("pos_loyalty/web/openapi.json", "pos_loyalty/web/templates/", "pos_loyalty/web/static/", "sync/server/steps.py"):
        assert [name for name in names if name.startswith(path)], path


def test_alone_it_imports(wheel: Path, tmp_path: Path) -> None:
    assert _run(_site(wheel, tmp_path), "import pos_loyalty", tmp_path).returncode == 0


@pytest.mark.parametrize("foreign", ["KEY = 1\n", "import a_module_that_is_not_there\n"], ids=["harmless", "failing"])
def test_a_foreign_drivers_package_is_named_once(wheel: Path, tmp_path: Path, foreign: str) -> None:
    site = _site(wheel, tmp_path)
    (site / "drivers/__init__.py").write_text(foreign)  # as pip leaves it when the foreign package came second
    done = _run(site, "import pos_loyalty", tmp_path)
    sentences = [line for line in done.stderr.splitlines() if CURE in line]
    assert done.returncode == 1 and len(sentences) == 1
    assert 'foreign package "drivers"' in sentences[0] and str(site / "drivers") in sentences[0]


def test_a_host_folder_called_sync_is_named_once(wheel: Path, tmp_path: Path) -> None:
    site = _site(wheel, tmp_path)
    host = tmp_path / "host"
    (host / "sync").mkdir(parents=True)
    (host / "sync/jobs.py").write_text("")
    (host / "sync/__init__.py").write_text("")
    done = _run(site, "import pos_loyalty", host, host)
    sentences = [line for line in done.stderr.splitlines() if CURE in line]
    assert done.returncode == 1 and len(sentences) == 1 and str(host / "sync") in sentences[0]


def test_the_command_says_only_that_sentence(wheel: Path, tmp_path: Path) -> None:
    site = _site(wheel, tmp_path)
    (site / "drivers/__init__.py").write_text("")
    code = "sys.argv[0] = '/usr/bin/pos-loyalty'\nfrom pos_loyalty.cli.main import main\nsys.exit(main())"
    done = _run(site, code, tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and CURE in done.stderr
