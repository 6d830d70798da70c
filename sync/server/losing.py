"""Whether a machine that is gone may be called lost: nobody may hold anything from it, or from its store's hub, that is not here.

Rule: what a hub gives stands in its own log and in the taker's, and either may be unsent for days. So where a store has a hub,
whoever is given up is let go first, and every other machine of the store says hello after that, with its whole log here.
"""

from __future__ import annotations

from typing import Final

from pos_loyalty.errors import ConflictError
from pos_loyalty.store.till_facts import TillKeyFact
from sync.server.ledger_store import LedgerStore

NAMED_MAX: Final = 20
FORGOTTEN_KEY: Final = "0" * 64
"""In the place of a key that head office forgot with a restore: nobody signs with it."""


def forgotten_hub(store: LedgerStore, till: str) -> TillKeyFact | None:
    """A hub of which a restore took the enrolment, as the logs of its tills name it."""
    named = store.rights.named_hub(till)
    if named is None or store.keys.newest_epoch(till):
        return None
    epoch, place = named
    return TillKeyFact(till=till, epoch=epoch, store=place, state="active", public_key=FORGOTTEN_KEY)


def check_told(store: LedgerStore, gone: TillKeyFact) -> None:
    """Raises ConflictError, with what is to be done, while something of it may be unknown here."""
    keys = store.keys.all_keys()
    newest = {key.till: key for key in sorted(keys, key=lambda key: key.epoch)}
    others = [key for key in newest.values() if key.store == gone.store and key.till != gone.till and key.state != "lost"]
    if not any(store.rights.is_hub(key.till) for key in (gone, *others)):
        return
    later = newest.get(gone.till, gone)
    if later.epoch == gone.epoch and later.state == "active":
        raise ConflictError(
            f"{gone.till} is of a store with a hub, whose rights go from one machine to the other: let it go first "
            f"(pos-loyalty keys revoke --till {gone.till} --by NAME), then let every other machine of store {gone.store} sync"
        )
    since = store.rights.said_at(later.till, later.epoch)
    untold = sorted(key.till for key in others if key.state == "active" and not _has_told(store, key, since))
    if untold:
        raise ConflictError(
            f"What {gone.till} gave or got may not be known here yet: {', '.join(untold[:NAMED_MAX])} of store {gone.store} said "
            "no hello since it was let go, with all of their logs here. Run pos-loyalty sync there twice; a log that "
            "waits for another one comes within hours. What is gone for good is let go as well (pos-loyalty keys revoke)"
        )


def _has_told(store: LedgerStore, key: TillKeyFact, since: tuple[int, int]) -> bool:
    told = store.rights.told_at(key.till, key.epoch)
    return told is not None and told >= since
