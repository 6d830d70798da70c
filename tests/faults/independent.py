"""A till's sync by another hand, from docs/sync.md alone: nothing of pos_loyalty is imported here.

It enrols, keeps a chained log of its own in memory, sends it signed, goes back where head office asks, and reads changes.
"""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

GENESIS = bytes(32)
Json = Any


def canonical(value: Json) -> bytes:
    """One line, no spaces, fields as they stand, letters as UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class RefusedError(Exception):
    """A problem document."""

    def __init__(self, problem: Json) -> None:
        super().__init__(problem["detail"])
        self.kind = problem["type"].removeprefix("urn:pos-loyalty:sync:")
        self.problem = problem


class Client:
    """One till: its key, its log, and what head office has said to it."""

    def __init__(self, url: str, till: str, *, store: str = "S1", peer: Json = None) -> None:
        self.url, self.till, self.store = url, till, store
        self.peer = peer or {"protocol": 1, "schema": 0}
        self.key = Ed25519PrivateKey.generate()
        self.log: list[bytes] = []
        self.hashes = [GENESIS]
        self.acked = 0
        self.since, self.mark = 0, None
        self.members: dict[str, Json] = {}
        self.said: Json = {}

    def enrol(self, code: str) -> None:
        """Become the till of a code, and check that the credential is head office's own."""
        asked = {
            "code": code, "till": self.till, "store": self.store, "public_key": self.key.public_key().public_bytes_raw().hex(),
            "head": {"epoch": 1, "seq": len(self.log), "hash": self.hashes[-1].hex()},
        }  # fmt: skip
        self.said = self._json(requests.post(f"{self.url}/v1/enrol", data=canonical(asked), timeout=30))
        credential = self.said["credential"]
        unsigned = canonical({**credential, "signature": "0" * 128})
        office = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.said["head_office_key"]))
        office.verify(bytes.fromhex(credential["signature"]), b"pos-loyalty credential 1\n" + unsigned)

    def fact(self, kind: str, member: str | None, entries: list[Json], **body: Json) -> bytes:
        """The next fact of this log, by the fields of the page; what does not apply is left out."""
        seq = len(self.log) + 1
        whole = {
            "schema": 0, "id": sha256(f"{self.till} {seq} {self.url}".encode()).hexdigest()[:32], "store": self.store,
            "till": self.till, "epoch": 1, "seq": seq, "kind": kind, "at": "2026-11-21T12:00:00Z", "boot_id": "", "mono_ns": seq,
            "hlc": 1000 + seq, "engine": "other",
        }  # fmt: skip
        applying = {"member": member, "entries": entries, **body}
        return canonical(whole | {name: value for name, value in applying.items() if value})

    def write(self, payload: bytes) -> None:
        """Append a fact to the log."""
        self.log.append(payload)
        self.hashes.append(sha256(self.hashes[-1] + payload).digest())

    def batch(self, first: int, last: int, **other: Json) -> bytes:
        """The body for the facts from ``first`` to ``last``; ``other``: header fields to say otherwise."""
        epoch, head = self.said["credential"]["epoch"], self.hashes[last].hex()
        signed = f"pos-loyalty log 1\n{self.till}\n{epoch}\n{last}\n{head}".encode()
        header = {
            **self.peer, "till": self.till, "epoch": epoch, "first_seq": first, "prev_hash": self.hashes[first - 1].hex(),
            "head_hash": head, "count": last - first + 1, "member_keys": {}, "credential": self.said["credential"],
            "signature": self.key.sign(signed).hex(),
        }  # fmt: skip
        lines = [canonical(header | other), *self.log[first - 1 : last]]
        return gzip.compress(b"".join(line + b"\n" for line in lines))

    def post(self, body: bytes, path: str = "", **headers: str) -> requests.Response:
        """Any bytes to this till's log."""
        shown = {"Authorization": f"Bearer {self.said['token']}", "Content-Encoding": "gzip", **headers}
        return requests.post(f"{self.url}{path or f'/v1/tills/{self.till}/log'}", data=body, headers=shown, timeout=60)

    def send(self, first: int, last: int) -> Json:
        """Send, and move the ack only when its hash is ours. Raises RefusedError."""
        ack = self._json(self.post(self.batch(first, last)))
        assert ack["applied_hash"] == self.hashes[ack["applied_seq"]].hex(), "head office holds another past: stop"
        self.acked = ack["applied_seq"]
        return ack

    def sync(self, size: int = 500) -> None:
        """All that is not acknowledged, from where head office asks; then what changed, up to a complete page."""
        while self.acked < len(self.log):
            try:
                self.send(self.acked + 1, min(len(self.log), self.acked + size))
            except RefusedError as error:
                if error.kind != "log-gap":
                    raise
                self.acked = error.problem["expected_seq"] - 1
        while not self.pull()["complete"]:
            continue

    def pull(self) -> Json:
        """One page of changes."""
        asked = {"since": self.since, **({"mark": self.mark} if self.mark else {}), **self.peer}
        shown = {"Authorization": f"Bearer {self.said['token']}"}
        page = self._json(requests.get(f"{self.url}/v1/tills/{self.till}/changes", params=asked, headers=shown, timeout=30))
        assert page["since"] == self.since
        self.members |= {member["member_id"]: member for member in page["members"]}
        self.since, self.mark = page["version"], page["mark"]
        self.acked = page["as_of_seq"]
        return page

    @staticmethod
    def _json(answer: requests.Response) -> Json:
        if answer.status_code == 200 and answer.headers["Content-Type"] == "application/json":
            return answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json", f"{answer.status_code}: not head office"
        raise RefusedError(answer.json())
