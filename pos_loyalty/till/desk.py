"""What every verb of the till stands on: the open database, the settings, the clock, and the rule of idempotency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hmac import digest
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from pos_loyalty import log
from pos_loyalty.clock import Clock, NewId, ReadClocks, read
from pos_loyalty.config import Config, Secrets
from pos_loyalty.engine.grace import Grace
from pos_loyalty.engine.model import Entry
from pos_loyalty.errors import CommitUnknownError, ConfigError, ConflictError, StoreError, StoreFullError
from pos_loyalty.payment_cards import holds_number
from pos_loyalty.store import ledger, lot_trails, runs, sales, trusted_time
from pos_loyalty.store.db import NOT_SURE, Connection, make_sure, was_full, write
from pos_loyalty.store.trusted_time import Trusted
from pos_loyalty.till.buyer import THANKS_S, Buyer
from pos_loyalty.till.elsewhere import Elsewhere, Nowhere
from pos_loyalty.till.gift_codes import GiftCodes
from pos_loyalty.till.programmes import ProgrammeShelf
from pos_loyalty.till.quotes import HeldQuotes
from pos_loyalty.till.sender import CodeSender
from pos_loyalty.values import Value, decode, encode
from receipts.elements import Image
from receipts.layout import COLUMN_DOTS
from receipts.logo import logo

A = TypeVar("A", bound=Value)
Keep = Callable[[A], A]
EPOCH_DAY = date(1970, 1, 1)
TEXT_COLUMNS = 48
"""How wide receipts are where there is no printer."""


def logo_of(config: Config) -> Image | None:
    """The shop's logo, as wide as the receipts' paper at most; None without one. Raises ConfigError."""
    if config.receipt.logo is None:
        return None
    columns = TEXT_COLUMNS if config.printer is None else config.printer.columns
    return logo(Path(config.receipt.logo), COLUMN_DOTS * columns)


class Waker(Protocol):
    """Who asks head office for more rights, beside the till."""

    def wake(self, member_id: str) -> bool:
        """Ask as soon as may be; answers whether an answer is on its way."""

    def close(self) -> None:
        """Ask no more."""


class Desk:
    """The till's resources."""

    def __init__(
        self, *, config: Config, secrets: Secrets, folder: Path, open_db: Callable[[], Connection], clock: Clock, new_id: NewId
    ) -> None:
        self.config = config
        self.secrets = secrets
        self.folder = folder
        self.clock = clock
        self.clocks: ReadClocks = lambda: read(clock)
        self.new_id = new_id
        self.sender: CodeSender | None = None
        self.reserver: Waker | None = None
        self.zone = ZoneInfo(config.store.timezone)
        self.quotes = HeldQuotes()
        self.gift_codes = GiftCodes()
        self.unknown_gifts: set[str] = set()
        """Marks of gift cards that were shown in vain lately."""
        self.used_steps: dict[str, int] = {}
        self.elsewhere: Elsewhere = Nowhere()
        self.buyer = Buyer(
            config.till.id,
            quote_life_s=config.till.quote_life_s,
            thanks_s=THANKS_S if config.display is None else config.display.thanks_s,
        )
        self.shelf = ProgrammeShelf(config.store.currency, lambda: self.trusted().at)
        self.logo_problem: str | None = None
        self._logo: Image | None = None
        self._is_logo_read = False
        self._told_skew = False
        self._began = False
        self._open_db = open_db
        self._db: Connection | None = open_db()

    @property
    def db(self) -> Connection:
        """The open file; opened anew when it had to be closed, or its last COMMIT failed. Raises StoreError."""
        if self._db is not None and self._db.is_doubtful:
            self.close()
        if self._db is None:
            self._db = self._open_db()
        return self._db

    def logo(self) -> Image | None:
        """The shop's logo for the receipts' paper, made once; None without one, and for a faulty file: see ``logo_problem``."""
        if not self._is_logo_read:
            try:
                self._logo = logo_of(self.config)
            except ConfigError as error:
                self.logo_problem = f"Receipts are printed without the logo: {error}"
                log.warning("logo.refused", reason=str(error))
        self._is_logo_read = True
        return self._logo

    def begin(self) -> None:
        """This is the till that sells: note that it runs, and how far trusted time has come."""
        with write(self.db):
            runs.opened(self.db, self.now())
            trusted_time.note(self.db, self.clocks())
        self._began = True

    def end(self) -> None:
        """The run ends in order. A disk that fails now makes it look like a crash, which harms nothing."""
        if self.sender is not None:
            self.sender.close()
        if self.reserver is not None:
            self.reserver.close()
        if self._began and self._db is not None:
            try:
                with write(self._db):
                    runs.closed(self._db, self.now())
            except StoreError as error:
                log.warning("till.end_failed", reason=str(error))
        self.close()

    def close(self) -> None:
        """Let go of the file; the next use opens it anew: a connection whose COMMIT failed may not be asked if it stands."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def business_day(self, at: datetime) -> int:
        """Days since 1970-01-01 of an instant, in the store's zone."""
        return (at.astimezone(self.zone).date() - EPOCH_DAY).days

    def day_start(self, at: datetime) -> datetime:
        """When the business day of an instant began: midnight in the store's zone."""
        return datetime.combine(at.astimezone(self.zone).date(), time.min, self.zone)

    def receipt_no(self) -> str:
        """The number of the receipt of the next fact. Asked inside its transaction."""
        head = ledger.head(self.db)
        return f"{self.config.till.id}-{head.epoch}-{head.seq + 1:06d}"

    def once(self, key: str, verb: str, request: Value, kind: type[A], act: Callable[[Keep[A]], A]) -> A:
        """Do ``act`` once for this key; the same request again gets the stored answer.

        What is kept of the request is a hash under a key that is not in the file: nobody may try out phones on it. So it is with
        an Idempotency-Key that looks like a payment card's number: it is refused no more than any other.
        ``act`` passes its answer through ``keep`` inside its own transaction. A COMMIT of unknown outcome is looked up after
        reopening; when it does not stand, ``act`` is tried once more under the same ids.
        """
        if holds_number(key):
            key = f"hidden {digest(bytes.fromhex(self.secrets.pepper), key.encode(), 'sha256').hex()}"
        body_hash = digest(bytes.fromhex(self.secrets.pepper), verb.encode() + b"\n" + encode(request), "sha256")

        def keep(answer: A) -> A:
            sales.keep_answer(self.db, key=key, verb=verb, body_hash=body_hash, answer=encode(answer), now=self.now())
            trusted_time.note(self.db, self.clocks())
            return answer

        stored = self._kept(key, body_hash, kind)
        if stored is not None:
            return stored
        try:
            return act(keep)
        except CommitUnknownError as error:
            stored = self._looked_up(key, body_hash, kind)
            if stored is None and was_full(error):
                raise StoreFullError("The disk is full: nothing was sold. Make room, then try the same sale again.") from error
            return stored or self._last_try(act, keep)

    def _looked_up(self, key: str, body_hash: bytes, kind: type[A]) -> A | None:
        """After a COMMIT of unknown outcome: the answer, when it stands and is sure to stand. Raises CommitUnknownError."""
        self.close()
        try:
            stored = self._kept(key, body_hash, kind)
            if stored is not None:
                make_sure(self.db)
        except CommitUnknownError:
            self.close()
            raise
        except StoreError as error:
            raise CommitUnknownError(NOT_SURE.format(reason="the database does not open")) from error
        return stored

    def _last_try(self, act: Callable[[Keep[A]], A], keep: Keep[A]) -> A:
        try:
            return act(keep)
        except CommitUnknownError:
            self.close()
            raise

    def now(self) -> datetime:
        """The instant now, in UTC."""
        return self.clock().astimezone(UTC)

    def trusted(self) -> Trusted:
        """The instant by which points, coupons, rights and quotes run out: it does not go back with the clock."""
        seen = trusted_time.now(self.db, self.clocks())
        if seen.is_skewed and not self._told_skew:
            log.warning("time.skewed", ahead_s=seen.skew_ms // 1000)
        self._told_skew = seen.is_skewed
        return seen

    def allowance_since(self, trusted: Trusted) -> datetime:
        """Since when what was redeemed counts as today's: by the clock that says the earlier day."""
        return self.day_start(min(self.now(), trusted.at))

    def grace(self, entries: Sequence[Entry]) -> Grace | None:
        """The term for points that these entries bring back to dead lots now, by the programme in force; None: it gives none."""
        days = self.shelf.grace_days(self.db)
        if days is None:
            return None
        return Grace(
            until=self.trusted().at + timedelta(days=days),
            ref=f"{self.config.till.id}/{self.new_id().hex}",
            used_up=lot_trails.had_grace(self.db, {entry.lot_id for entry in entries if entry.lot_id is not None}),
        )

    def _kept(self, key: str, body_hash: bytes, kind: type[A]) -> A | None:
        kept = sales.answer(self.db, key)
        if kept is None:
            return None
        if kept.body_hash != body_hash:
            raise ConflictError("This Idempotency-Key was used for another request; send a new key with a new request.")
        return decode(kept.answer, kind)
