"""A head office by another hand, from docs/sync.md alone: nothing of pos_loyalty is imported here.

It enrols tills, checks and keeps their logs, sums up the points of members by the entries, tells tills what changed, signs a
programme and lends rights to points. All is in memory; contradictions, codes, tiers and restores it knows nothing of.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Json = Any
GENESIS = bytes(32)
MEMBER = {
    "tier": None, "segments": [], "birthday": None, "birthday_set_at": None, "referred_by": None, "joined_at": None,
    "sales": {"count": 0, "spent_minor": 0}, "owed_centi": 0, "staff": False, "state": "active", "merged_into": None,
    "phone_index": None, "phone_verified": False, "referral_code": None,
}  # fmt: skip


def canonical(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class RefusedError(Exception):
    """A problem document: its kind, its status, and what else it says."""

    def __init__(self, kind: str, status: int, detail: str, **more: Json) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = {"type": f"urn:pos-loyalty:sync:{kind}", "title": kind, "status": status, "detail": detail, **more}


class Office:
    """Head office: its key, its tills with their logs, its members with their lots, and what it lent."""

    def __init__(self, programme: str) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.tokens: dict[str, str] = {}
        self.logs: defaultdict[str, list[bytes]] = defaultdict(list)
        self.hashes: defaultdict[str, list[bytes]] = defaultdict(lambda: [GENESIS])
        self.members: dict[str, Json] = {}
        self.lots: dict[str, Json] = {}
        self.held: Counter[tuple[str, str]] = Counter()
        self.on_their_way: dict[str, Json] = {}
        self.version, self.mark = 0, secrets.token_hex(16)
        self.own = [GENESIS]
        body = programme.encode()
        named = {word: re.search(rf'^{word} = "?([^"\n]+)', programme, re.M) for word in ("id", "version")}
        sha = sha256(body).hexdigest()
        self.programme = {
            "id": named["id"][1], "version": int(named["version"][1]), "sha256": sha, "body": base64.b64encode(body).decode(),  # type: ignore[index]
            "number": 1, "effective_from": "1970-01-01T00:00:00Z",
            "signature": self.key.sign(f"pos-loyalty programme 1\n{sha}\n0".encode()).hex(),
        }  # fmt: skip

    def enrol(self, asked: Json) -> Json:
        """Every code is good, each till once."""
        unsigned = {
            "till": asked["till"],
            "epoch": 1,
            "store": asked["store"],
            "public_key": asked["public_key"],
            "continues": None,
        }
        signed = self.key.sign(b"pos-loyalty credential 1\n" + canonical(unsigned | {"signature": "0" * 128})).hex()
        token = f"token of {asked['till']}".encode().hex()
        self.tokens[token] = asked["till"]
        key = self.key.public_key().public_bytes_raw().hex()
        return {"credential": unsigned | {"signature": signed}, "token": token, "head_office_key": key}

    def add_member(self, member: str, card: str, centi: int) -> None:
        """One whom head office knows already, with points that nobody holds."""
        self.version += 1
        self.members[member] = {
            "member_id": member,
            **MEMBER,
            "cards": [{"number": card, "state": "active"}],
            "version": self.version,
        }
        lot = {"member": member, "amount_centi": centi, "centi": centi, "usable_from": None, "expires_at": None}
        self.lots[f"opening:{member}"] = lot

    def receive(self, till: str, body: bytes) -> Json:
        """A batch, whole or not at all."""
        line, *payloads = gzip.decompress(body).split(b"\n")[:-1]
        header, log, hashes = json.loads(line), self.logs[till], self.hashes[till]
        first, last = header["first_seq"], header["first_seq"] + header["count"] - 1
        said = f"pos-loyalty log 1\n{till}\n1\n{last}\n{header['head_hash']}".encode()
        credential = header["credential"]
        unsigned = b"pos-loyalty credential 1\n" + canonical(credential | {"signature": "0" * 128})
        self.key.public_key().verify(bytes.fromhex(credential["signature"]), unsigned)
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(credential["public_key"])).verify(
            bytes.fromhex(header["signature"]), said
        )
        if first > len(log) + 1:
            raise RefusedError("log-gap", 409, "facts before this are missing", expected_seq=len(log) + 1)
        chain = [bytes.fromhex(header["prev_hash"])]
        for payload in payloads:
            chain.append(sha256(chain[-1] + payload).digest())
        if chain[-1].hex() != header["head_hash"] or len(payloads) != header["count"]:
            raise RefusedError("wire", 422, "the facts do not chain to the head hash")
        known = hashes[first - 1 : last + 1]
        if known != chain[: len(known)]:
            raise RefusedError("log-fork", 409, "the same number, another hash")
        for payload in payloads[len(known) - 1 :]:
            log.append(payload)
            hashes.append(sha256(hashes[-1] + payload).digest())
            self.fold(till, json.loads(payload))
        place = {"applied_seq": len(log), "applied_hash": hashes[-1].hex()}
        return place | {"server_time": now(), "max_batch": 500, "retry_after": 0, "suspense": []}

    def fold(self, till: str, fact: Json) -> None:
        """What a fact moves: points by its entries, rights by its body; a new member."""
        self.version += 1
        if enrolment := fact.get("enrolment"):
            cards = [{"number": enrolment["card"], "state": "active"}] if enrolment["card"] else []
            self.members[enrolment["member_id"]] = {"member_id": enrolment["member_id"], **MEMBER, "cards": cards}
        for entry in fact.get("entries", []):
            account = f"member:{entry['member_id']}"
            gain = entry["amount"] * ((entry["credit"] == account) - (entry["debit"] == account))
            if entry["unit"] != "point" or not gain:
                continue
            new = {"member": entry["member_id"], "amount_centi": gain, "centi": 0}
            lot = self.lots.setdefault(entry["lot_id"], new | {name: entry[name] for name in ("usable_from", "expires_at")})
            lot["centi"] += gain
            self.held[entry["lot_id"], till] += gain
            self.members[entry["member_id"]]["version"] = self.version
        if fact["kind"] == "rights.taken":
            self.on_their_way.pop(fact["grant"]["grant_id"])
        for line in fact.get("give_back", {}).get("lines", []):
            self.held[line["lot_id"], till] -= line["centi"]
        if member := fact.get("member"):
            self.members[member]["version"] = self.version

    def changes(self, till: str, query: Mapping[str, str]) -> Json:
        """Every member who changed, in one page."""
        since = int(query["since"])
        since = since if query.get("mark") == self.mark and since <= self.version else 0
        members = sorted((one for one in self.members.values() if one["version"] > since), key=lambda one: one["version"])
        place = {"since": int(query["since"]), "as_of_seq": len(self.logs[till]), "as_of_hash": self.hashes[till][-1].hex()}
        return place | {
            "version": self.version, "mark": self.mark, "complete": True, "server_time": now(), "coupons": [], "stops": [],
            "members": [one | {"lots": self.lots_of(one["member_id"])} for one in members], "programmes": [self.programme],
        }  # fmt: skip

    def lots_of(self, member: str) -> list[Json]:
        found = ({"lot_id": name, **lot} for name, lot in self.lots.items() if lot["member"] == member and lot["centi"])
        return [{name: value for name, value in lot.items() if name != "member"} for lot in found]

    def rights(self, till: str, asked: Json) -> Json:
        """Whatever is free of a member who stands there; what was granted and not taken is told again."""
        has_all = asked["head"]["seq"] == len(self.logs[till])
        standing = {want["member_id"] for want in asked.get("wants", []) if want["much"] == "all"} if has_all else set()
        lines = []
        for name, lot in self.lots.items():
            free = lot["centi"] - sum(centi for (held, _), centi in self.held.items() if held == name)
            if lot["member"] in standing and free > 0:
                lines.append({"lot_id": name, "member_id": lot["member"], "centi": free})
                self.held[name, till] += free
        if lines:
            until = (datetime.now(UTC) + timedelta(days=7)).isoformat()
            grant = {
                "grant_id": secrets.token_hex(16),
                "till": till,
                "epoch": 1,
                "lease_until": until,
                "lines": lines,
                "cards": [],
            }
            self.on_their_way[grant["grant_id"]] = grant
            self.own.append(sha256(self.own[-1] + canonical(grant)).digest())
        head = {"epoch": 1, "seq": len(self.own) - 1, "hash": self.own[-1].hex()}
        grants = [one for one in self.on_their_way.values() if one["till"] == till]
        said = {"ask_id": asked["ask_id"], "head": head, "server_time": now(), "grants": grants, "back": []}
        return said | {"held_back": "" if has_all else "log"}


def now() -> str:
    return datetime.now(UTC).isoformat()


class Answers(BaseHTTPRequestHandler):
    """The routes, one question after another."""

    office: Office
    lock: Lock

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        try:
            with self.lock:
                status, kind, said = 200, "application/json", self._said(body)
        except RefusedError as error:
            status, kind, said = error.status, "application/problem+json", error.problem
        packed = gzip.compress(canonical(said))
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(packed)

    def _said(self, body: bytes) -> Json:
        path = urlsplit(self.path)
        if (self.command, path.path) == ("POST", "/v1/enrol"):
            return self.office.enrol(json.loads(body))
        till = self.office.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        found = re.fullmatch(r"/v1/tills/([^/]+)/(log|changes|rights)", path.path)
        if found is None:
            raise RefusedError("route", 404, "no such page")
        if till is None or unquote(found[1]) != till:
            raise RefusedError("token", 401, "no token of this till")
        match self.command, found[2]:
            case "POST", "log":
                return self.office.receive(till, body)
            case "GET", "changes":
                return self.office.changes(till, {name: values[0] for name, values in parse_qs(path.query).items()})
            case "POST", "rights":
                return self.office.rights(till, json.loads(body))
        raise RefusedError("route", 405, "no such method")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
