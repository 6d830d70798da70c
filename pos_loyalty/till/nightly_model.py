"""What nightly jobs answer. A file of its own, so that a job need not know the list that it stands in."""

from __future__ import annotations

from pos_loyalty.values import Value


class JobDone(Value):
    """What a job did. ``count``: how many things it moved; ``waits``: a sentence when it left work for a later run."""

    count: int
    waits: str | None = None


class JobReport(Value):
    """One job of a run. ``trouble``: why it failed, to be tried again at the next run."""

    job: str
    count: int
    waits: str | None = None
    trouble: str | None = None


class NightReport(Value):
    """A run of all nightly jobs, in their order."""

    jobs: tuple[JobReport, ...]
