"""What is asked behind a receipt, and what must be answered before it counts as printed.

A printer answers each question in its turn, after the printing before it. One that lost its power in the middle of a receipt, on
a line that stayed, prints the rest and would answer too. So, where it knows macros, the question stands in a macro with which the
job itself begins: with its power it forgets the macro, and is asked nothing.

**Source:** GS : and GS ^ in the manuals of Epson (TM-T88III), Bixolon, Toshiba, Wincor (TH230) and Woosim: no macro is defined
when the power comes, ESC @ does not clear one, GS ^ in the middle of a definition ends it and forgets it.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.printer_line import PrinterLine, deadline_ns, left_s
from drivers.replies import BARRIER_ANSWERS, CLEARING_ANSWERS, GS_R, gs_h
from pos_loyalty.values import Value

NOT_CONFIRMED = "the printer did not confirm the receipt: look whether it came out"
IN_DOUBT = "what came over the printer's line confirms nothing: look whether the receipt came out"
INITIALISE = b"\x1b@"
MACRO_MARK = b"\x1d:"
RUNS = 3
EARLY = {RUNS: 0, RUNS + 1: 1}
"""Answers in all when a macro is learned and run: whether it answers while it learns."""
QUIETS_S = (0.2, 0.6, 1.8)
"""So long nothing more may come, before all answers are there: a slow ESC @ stands between them."""


class Question(Value):
    """``mark``: the one answer to it; None: any byte that can answer ``GS r``."""

    raw: bytes
    mark: bytes | None

    def answers(self, line: PrinterLine, count: int, until_ns: int) -> int:
        """How many of so many answers come. Those without a mark must all be the same: nothing is printed between them."""
        if self.mark is None:
            return line.barriers(count, left_s(until_ns))
        return next((number for number in range(count) if not line.wait_for(self.mark, left_s(until_ns))), count)


class Barrier(Value):
    """``early``: answers while the macro is learned; ``count``: those behind the receipt."""

    question: Question
    begin: bytes
    end: bytes
    early: int
    count: int

    def around(self, job: bytes) -> bytes:
        """The job with its questions. Nothing of it stands before the macro, so nothing can be lost before it is learned."""
        return self.begin + job + self.end

    def doubt(self, line: PrinterLine, wait_s: float, question_wait_s: float) -> str | None:
        """Why the answers prove nothing; None when they do: so many as were asked for, with the job's own number, or all the same
        and then each question of a challenge answered in its turn over a line that says nothing else."""
        until_ns = deadline_ns(wait_s)
        early = self.question.answers(line, self.early, until_ns)
        late = self.question.answers(line, self.count, until_ns) if early == self.early else 0
        if late == self.count and (self.question.mark is not None or line.stands_challenge(question_wait_s)):
            return None
        is_silent = not (early or late or line.is_strange)
        return NOT_CONFIRMED if self.question.mark is not None or is_silent else IN_DOUBT


def question_of(kind: str, number: int) -> Question:
    """``kind``: as in the config; ``number``: of this question alone."""
    if kind == "gs_h":
        raw, mark = gs_h(number)
        return Question(raw=raw, mark=mark)
    return Question(raw=GS_R, mark=None)


def barrier_of(question: Question, early: int | None, job: int) -> Barrier:
    """``early``: None where the printer knows no macros. ``job``: its number; how much is asked goes in turns."""
    total = BARRIER_ANSWERS[job % len(BARRIER_ANSWERS)]
    if early is not None:
        count = total - early
        return Barrier(question=question, begin=learn_macro(question), end=run_macro(count), early=early, count=count)
    count = total if question.mark is None else 1
    return Barrier(question=question, begin=b"", end=question.raw * count, early=0, count=count)


def learn_macro(question: Question) -> bytes:
    """GS :, the question, GS :. A definition that was left open before is ended first."""
    return run_macro(0) + MACRO_MARK + question.raw + MACRO_MARK


def run_macro(times: int) -> bytes:
    """GS ^: run the macro so often, without a pause or a key between."""
    return b"\x1d^" + bytes((times, 0, 0))


class Macros(Value):
    """What a printer makes of a macro. ``early``: answers while it learns one; None: it knows none."""

    is_settled: bool
    early: int | None = None


def asked_for_macros(line: PrinterLine, ask: Callable[[], Question], wait_s: float) -> Macros:
    """Let it learn and run a macro, without paper. That it knows none is believed when two rounds agree: one that just lost its
    power would seem so too. Not settled: it answers now this, now that, or nothing. ``ask`` makes a new question."""
    before = None
    for quiet_s in QUIETS_S:
        question, behind = ask(), ask()
        line.send(learn_macro(question) + INITIALISE + run_macro(RUNS))
        if question.mark is None:
            count = _unmarked(line, max(wait_s, quiet_s), min(quiet_s, wait_s))
        else:
            line.send(behind.raw)
            count = line.wait_counting(behind.mark or b"", question.mark, max(wait_s, quiet_s))
        if count in EARLY or (count is not None and count == before):
            return Macros(is_settled=True, early=EARLY.get(count))
        before = count
    return Macros(is_settled=False)


def _unmarked(line: PrinterLine, wait_s: float, quiet_s: float) -> int | None:
    """How many answers came before the line was quiet; None when not all had come, which four more questions show, or what came
    is something else."""
    count = line.barriers(1, wait_s)
    late = line.late_barriers(quiet_s)
    line.send(GS_R * CLEARING_ANSWERS)
    is_all = line.barriers(CLEARING_ANSWERS, wait_s) == CLEARING_ANSWERS and line.late_barriers(quiet_s) == 0
    return count + late if is_all and late is not None else None
