"""The network of the simulator: questions and answers that are lost, doubled, late, overtaken or half-way cut.

Rule: whoever asks waits in a greenlet of their own and gets an answer or, when the time is up, none. Routes are by name, so that
a node between a till and head office (a store's hub) may stand in the way: see ``World.upstream``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import greenlet

from pos_loyalty.errors import HeadOfficeGoneError
from sync.wire import Reply

if TYPE_CHECKING:
    from tests.simulation.world import World

SILENCE = HeadOfficeGoneError("head office does not answer")
PORTAL = Reply(status=200, content_type="text/html", body=b"<html>Welcome to our hotel</html>")
HUB = ">hub"
"""The name of a till's line to its store's hub ends so, after the till's own."""
WAITING_MAX = 4
"""A daemon, an asker, a verb, and one who enrols: more never wait at one till."""


@dataclass
class Line:
    """A till's line: what of it is cut, and how bad it is."""

    asks: bool = True
    answers: bool = True
    loss: float = 0.05
    double: float = 0.05
    slow_ms: int = 40
    portal: float = 0.0
    stale: float = 0.0
    """How often an answer to an earlier question of the same kind comes in the place of one."""

    def heal(self) -> None:
        """As good as new."""
        self.__dict__.update(Line(loss=0.0, double=0.0).__dict__)


@dataclass(frozen=True)
class Question:
    """On its way up. ``token``: what the till shows; ``by``: the name of its line, where that is not the till's own."""

    kind: str
    till: str
    token: str
    body: bytes
    by: str = ""

    @property
    def line(self) -> str:
        """Whose line it goes by."""
        return self.by or self.till


@dataclass
class Net:
    """All lines, and who waits for what."""

    world: World
    chance: Random
    lines: dict[str, Line] = field(default_factory=dict)
    waiting: dict[int, greenlet.greenlet] = field(default_factory=dict)
    old: dict[tuple[str, str, str], Reply] = field(default_factory=dict)
    seen: list[Question] = field(default_factory=list)
    """Genuine questions, for who would send them again."""
    asked: int = 0
    moved: int = 0
    largest: int = 0

    def ask(self, question: Question, patience_s: float) -> Reply:
        """A question and its answer. Raises HeadOfficeGoneError. Within a greenlet."""
        me = greenlet.getcurrent()
        self.asked += 1
        number = self.asked
        self.largest = max(self.largest, len(question.body))
        if question.kind == "log":
            self.seen.append(question)
            del self.seen[:-40]
        self.waiting[number] = me
        line = self.lines[question.line]
        for _ in range(1 + (self.chance.random() < line.double)):
            if line.asks and self.chance.random() >= line.loss:
                self._post(line, lambda: self._arrive(number, question))
        self.world.after(int(patience_s * 1000), lambda: self._answer(number, None))
        reply = self.world.wait()
        if reply is None:
            raise SILENCE
        assert isinstance(reply, Reply)
        return reply

    def forget(self, who: greenlet.greenlet) -> None:
        """They wait no more."""
        self.waiting = {number: each for number, each in self.waiting.items() if each is not who}

    def forget_answers(self, till: str) -> None:
        """No answer to a machine that was this till before comes to the one that is it now."""
        self.old = {key: reply for key, reply in self.old.items() if key[0].partition(HUB)[0] != till}

    def _post(self, line: Line, what: Callable[[], None]) -> None:
        self.world.after(1 + self.chance.randrange(1, 2 * line.slow_ms), what)

    def _arrive(self, number: int, question: Question) -> None:
        self.moved += 1
        reply = self.world.answer(question)
        line = self.lines[question.line]
        if reply is None:
            return
        same = (question.line, question.kind, question.till)
        earlier, self.old[same] = self.old.get(same), reply
        if not line.answers or self.chance.random() < line.loss:
            return
        self.largest = max(self.largest, len(reply.body))
        if self.chance.random() < line.portal:
            reply = PORTAL
        elif earlier is not None and self.chance.random() < line.stale:
            reply = earlier
        self._post(line, lambda: self._answer(number, reply))

    def _answer(self, number: int, reply: Reply | None) -> None:
        who = self.waiting.pop(number, None)
        if who is None:
            return
        if reply is not None:
            self.moved += 1
        self.world.go_on(who, reply)
