"""A head office of the version before, as it was recorded: the bytes that it took, that it answered, and what it refused."""

from __future__ import annotations

import json
from collections.abc import Callable

from pos_loyalty.errors import HeadOfficeGoneError
from sync.wire import PLAIN_BYTES_MAX, Reply, inflate
from tests.simulation.shop import json_reply
from tests.versions.before_files import SAID, read


class HeadOfficeBefore:
    """It wanted ``build`` in every header and question, equal to its own, and protocol 0; and knew no other field."""

    def __init__(self) -> None:
        self.refused = 0
        self.taken: list[bytes] = []
        self.asked: list[bytes] = []

    def push(self, batch: bytes) -> Reply:
        plain = inflate(batch, PLAIN_BYTES_MAX)
        head = json.loads(plain.split(b"\n", 1)[0])
        if head.get("build") != SAID["build"] or head["protocol"] != 0:
            self.refused += 1
            return json_reply(422, read("refused_batch.json"))
        self.taken.append(plain)
        return json_reply(200, read("ack.json"))

    def changes(self, question: bytes) -> Reply:
        peer = json.loads(question)["peer"]
        if peer["build"] != SAID["build"] or peer["protocol"] != 0:
            self.refused += 1
            return json_reply(422, read("refused_question.json"))
        self.asked.append(question)
        page, since = json.loads(read("page.json")), json.loads(question)["since"]
        if since != page["since"]:  # nothing has changed since
            page |= {"since": since, "members": [], "coupons": [], "programmes": None}
        return json_reply(200, json.dumps(page).encode())

    def snapshot(self) -> Reply:
        raise HeadOfficeGoneError("not recorded")

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        raise HeadOfficeGoneError("not recorded")

    def rights(self, question: bytes) -> Reply:
        raise HeadOfficeGoneError("not recorded")
