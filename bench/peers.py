"""Other engines on the same baskets and rules: ``python -m bench.peers [--only NAME …] [--install-only] [--json]``.

A process for each peer, one after another in one sitting, with our own engine right before and right after each: the ratio of
CPU medians is to those two. Peers are installed by name on demand into var/peers, which is ignored; a peer that cannot be
installed is named and left out. Peers do not share one meaning: read orders of magnitude.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from bench.common import NS_PER_MS, finish, void
from bench.workloads import MEANINGS, Source

ROOT = Path(__file__).parent.parent
SCRIPTS = Path(__file__).parent / "peers"
HOME = ROOT / "var" / "peers"
INSTALL_S, RUN_S = 900, 1800
LINES, BASKETS = 20, 100
HITS_MIN = 1.0
OURS = {"quotes": 1_000, "warm_up": 200}


@dataclass(frozen=True, kw_only=True)
class Case:
    """So many rules, and how many quotes after how many for warming up."""

    rules: int
    quotes: int
    warm_up: int
    baskets: int = BASKETS


@dataclass(frozen=True, kw_only=True)
class Peer:
    """An engine to install and run. ``bound``: how many times our median its median must be; 0 asks nothing."""

    name: str
    packages: tuple[str, ...]
    script: str
    does: str
    bound: float
    case: Case = Case(rules=100, quotes=400, warm_up=100)

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return HOME / self.name.partition(",")[0].replace("/", "-").replace("@", "")

    @property
    def is_node(self) -> bool:
        """Whether npm installs it."""
        return self.script.endswith(".js")


MEDUSA = ("@medusajs/promotion@2.21.2", "@medusajs/framework@2.21.2")
OSCAR = ("django-oscar==4.2.1", "Django==5.2.19")
PEERS = (
    Peer(name="business-rules", packages=("business-rules==1.1.1",), script="match_business_rules.py", does="matches", bound=5),
    Peer(name="zen-engine", packages=("zen-engine==2.1.3",), script="match_zen.py", does="matches, amounts", bound=5),
    Peer(name="medusa-promotion", packages=MEDUSA, script="price_medusa.js", does="prices, its database left out", bound=10),
    Peer(name="json-rules-engine", packages=("json-rules-engine@7.3.1",), script="match_json_rules.js", does="matches", bound=0),
    Peer(
        name="django-oscar, 10 rules",
        packages=OSCAR,
        script="price_oscar.py",
        does="prices",
        bound=0,
        case=Case(rules=10, quotes=5, warm_up=1, baskets=5),
    ),
    Peer(
        name="django-oscar, 100 rules",
        packages=OSCAR,
        script="price_oscar.py",
        does="prices",
        bound=1_000,
        case=Case(rules=100, quotes=2, warm_up=0, baskets=2),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What one process told of itself."""

    version: str
    median_ms: float
    p99_ms: float
    hits: float
    rss_mb: int
    times_ns: tuple[int, ...]


def install(peer: Peer) -> str | None:
    """Install a peer unless it is there; the reason when it cannot be."""
    done = peer.folder / ".installed"
    wanted = "\n".join(peer.packages)
    if done.exists() and done.read_text() == wanted:
        return None
    client = "npm" if peer.is_node else sys.executable
    if shutil.which(client) is None or (peer.is_node and shutil.which("node") is None):
        return f"there is no {client} on this machine"
    peer.folder.mkdir(parents=True, exist_ok=True)
    for command in _commands(peer):
        try:
            run = subprocess.run(command, cwd=peer.folder, capture_output=True, text=True, timeout=INSTALL_S)
        except subprocess.TimeoutExpired:
            return f"{command[0]} took more than {INSTALL_S} s"
        if run.returncode:
            return (run.stderr.strip() or run.stdout.strip() or "no reason given").splitlines()[-1]
    done.write_text(wanted)
    return None


def _commands(peer: Peer) -> tuple[tuple[str, ...], ...]:
    if peer.is_node:
        npm = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", ".")
        return ((*npm, *peer.packages),)
    pip = ("bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
    return ((sys.executable, "-m", "venv", "."), (*pip, *peer.packages))


def run(command: tuple[str, ...], folder: Path, work: dict[str, Any]) -> Ran:
    """Run one process on the work; its answer. Raises CalledProcessError when it fails."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(msgspec.json.encode(work))
        file.flush()
        env = {**os.environ, "PYTHONPATH": str(ROOT) if folder == ROOT else "", "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            (*command, file.name), cwd=folder, env=env, capture_output=True, text=True, timeout=RUN_S, check=True
        )
    told = json.loads(done.stdout.splitlines()[-1])
    times = sorted(told["times_ns"])
    p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
    return Ran(
        version=told["version"],
        median_ms=median(times) / NS_PER_MS,
        p99_ms=p99 / NS_PER_MS,
        hits=told["hits"],
        rss_mb=told["rss_mb"],
        times_ns=tuple(times),
    )


def against(peer: Peer, source: Source, meaning: str) -> tuple[Ran, dict[str, float]]:
    """The peer's run, and our medians in ms by what is asked: each from a run before the peer and one after it."""
    case = peer.case
    work = {
        "rules": source.rules(case.rules),
        "baskets": source.baskets(LINES, BASKETS)[: case.baskets],
        "quotes": case.quotes,
        "warm_up": case.warm_up,
        "meaning": meaning,
    }
    asks = ("quote", "decide")
    our_work = {ask: {**work, **OURS, "ask": ask} for ask in asks}
    ours = (sys.executable, str(SCRIPTS / "ours.py"))
    theirs = ("node" if peer.is_node else "bin/python", str(SCRIPTS / peer.script))
    before = {ask: run(ours, ROOT, our_work[ask]) for ask in asks}
    if before["quote"].hits < HITS_MIN:
        return before["quote"], {}
    ran = run(theirs, peer.folder, work)
    after = {ask: run(ours, ROOT, our_work[ask]) for ask in asks}
    return ran, {ask: median(before[ask].times_ns + after[ask].times_ns) / NS_PER_MS for ask in asks}


def compared(peer: Peer, source: Source, meaning: str) -> tuple[str, float]:
    """What to print of a peer, and how many times the median of our quote its median is. A peer that fails is named: ratio 0."""
    try:
        theirs, ours_ms = against(peer, source, meaning)
    except subprocess.CalledProcessError as error:
        return f"failed: {(error.stderr.strip() or 'no reason given').splitlines()[-1]}", 0.0
    if theirs.hits < HITS_MIN or not ours_ms:
        return f"void: {theirs.hits:.1f} rules hit in a quote of {theirs.version}", 0.0
    ratio, decided = (theirs.median_ms / ours_ms[ask] for ask in ("quote", "decide"))
    asked = f", at least {peer.bound:,.0f} asked" if peer.bound else ""
    return (
        f"{theirs.version}: median {theirs.median_ms:,.2f} ms, p99 {theirs.p99_ms:,.2f}, {theirs.hits:.1f} rules hit,"
        f" {theirs.rss_mb} MB; {peer.does}; {ratio:,.1f} x our quote ({ours_ms['quote']:.3f} ms){asked};"
        f" {decided:,.1f} x our decide ({ours_ms['decide']:.3f} ms)"
    ), ratio


def main() -> int:
    """Install, measure, print, and say by the exit status whether every bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="peers whose name begins so (all)")
    parser.add_argument("--meaning", choices=MEANINGS, default="best", help="how our programme reads the rules (best)")
    parser.add_argument("--workloads", type=Path, help="a folder of workload files to read (generated)")
    parser.add_argument("--install-only", action="store_true", help="install and stop")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    figures: dict[str, object] = {}
    passed, measured = True, False
    for peer in PEERS:
        if args.only and not peer.name.startswith(tuple(args.only)):
            continue
        missing = install(peer)
        if missing is not None or args.install_only:
            figures[peer.name] = "installed" if missing is None else f"not installed, left out: {missing}"
            continue
        figures[peer.name], ratio = compared(peer, Source(args.workloads), args.meaning)
        measured = measured or ratio > 0
        passed = passed and ratio > 0 and ratio >= peer.bound
    if not measured and not args.install_only:
        for name, why in figures.items():
            print(f"{name}: {why}", file=sys.stderr)
        return void("peers", "no peer was measured")
    return finish("peers", figures, passed, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
