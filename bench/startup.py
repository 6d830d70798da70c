"""From process start to the first quote of a till: CPU and memory in a fresh process: ``python -m bench.startup [--json]``.

Two fresh processes: the till as a plugin (in process), and ``pos-loyalty till`` asked over HTTP. Bounds hold for both.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import shop
from bench.common import finish, void
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.values import encode

CPU_MAX_S, RSS_MAX_MB = 0.5, 60
MEMBERS = 1_000
ROUNDS = 5
READY_S = 30

IN_PROCESS = """
import resource, sys, time
from pathlib import Path
from pos_loyalty import open_till
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.values import decode
till = open_till(Path(sys.argv[1]))
quote = till.quote(decode(sys.stdin.buffer.read(), QuoteRequest))
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, len(quote.applied))
"""


def main() -> int:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        catalogue = shop.goods()
        config = shop.write_shop(Path(name), catalogue, MEMBERS)
        body = encode(QuoteRequest(basket=shop.baskets(catalogue, 1)[0], card=shop.card_of(1)))
        plugin = [_in_process(config, body) for _ in range(ROUNDS)]
        served = [_served(config, body) for _ in range(ROUNDS)]
    if not all(applied for *_, applied in plugin + served):
        return void("startup", "no rule fired")
    figures: dict[str, object] = {"bound": f"CPU < {CPU_MAX_S} s, RSS < {RSS_MAX_MB} MB, median of {ROUNDS} fresh processes"}
    passed = True
    for label, runs in (("in process", plugin), ("pos-loyalty till over HTTP", served)):
        cpu_s, rss_mb = (sorted(run[n] for run in runs)[ROUNDS // 2] for n in (0, 1))
        figures[label] = f"CPU {cpu_s:.2f} s, RSS {rss_mb:.0f} MB"
        passed = passed and cpu_s < CPU_MAX_S and rss_mb < RSS_MAX_MB
    return finish("startup", figures, passed, as_json=args.json)


def _in_process(config: Path, body: bytes) -> tuple[float, float, int]:
    done = subprocess.run([sys.executable, "-c", IN_PROCESS, str(config)], input=body, capture_output=True, check=True)
    cpu_s, rss_kb, applied = done.stdout.split()
    return float(cpu_s), int(rss_kb) / 1024, int(applied)


def _served(config: Path, body: bytes) -> tuple[float, float, int]:
    """CPU and peak memory of the till process, read from /proc after it answered."""
    command = [sys.executable, "-m", "pos_loyalty.cli.main", "till", "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1].removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(url, timeout=READY_S)
        connection.request("POST", "/v1/quote", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        quote = json.loads(answer.read())
        assert answer.status == 200, quote
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        cpu_s = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak_kb = int(status.partition("VmHWM:")[2].split()[0])
        return cpu_s, peak_kb / 1024, len(quote["applied"])
    finally:
        process.terminate()
        process.wait(timeout=READY_S)


if __name__ == "__main__":
    sys.exit(main())
