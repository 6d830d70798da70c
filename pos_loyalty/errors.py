"""Every exception of the project, in one tree. ``str(error)`` is a sentence that a cashier may read. No payment card's number
stands in it, whatever was given.

LoyaltyError
├── InputError                 what came from outside is wrong: the place and the mend are named
│   ├── ConfigError            config.toml or the key file
│   └── ProgrammeError         a fault in a published programme
├── NotFoundError              no such card, member, sale or receipt here
├── NotAllowedError            a person may not do this: a word is missing, or not confirmed by the holder
│   ├── EarlierDayError        the sale is not of today: a senior must approve
│   ├── WrongPinError          the name or the PIN is not right
│   └── PersonLockedError      the name waits after wrong PINs
├── ConflictError              the same key or sale id came with another body, or in a wrong state
│   ├── PaidShortError         less was paid than is due
│   ├── MemberBlockedError     the card is good, and its member is blocked
│   └── QuoteStaleError        the quote ran out or changed; carries the new quote when there is one
├── StoreError                 the SQLite file
│   ├── StoreSchemaError       of a version that is not known here, or not ours
│   ├── StoreBusyError         another process owns it
│   │   └── StoreRaceError     another writer was faster; the same may be tried again at once
│   ├── StoreFullError         the disk is full; nothing was written
│   └── CommitUnknownError     COMMIT failed: reopen and look the id up before trying again
├── DeviceError                a scanner, camera, printer or display
│   └── DeviceGoneError        unplugged, switched off or out of reach
└── SyncError                  between till and head office
    ├── HeadOfficeGoneError    no answer; try again later
    ├── SnapshotNeededError    too much has changed to be told page by page
    ├── SnapshotGoneError      head office keeps that snapshot no more: begin with a newer one
    ├── LogGapError            head office expects another sequence number; carries it
    ├── LogForkError           same number, another hash: the till is frozen
    └── WireError              bytes that do not follow the protocol
        ├── PeerError          the other side's version is too far from ours
        └── TokenError         head office does not know this till, or does not any more
"""

from pos_loyalty.payment_cards import without_numbers


class LoyaltyError(Exception):
    """Base of all that this project raises on purpose."""

    def __init__(self, *words: object) -> None:
        super().__init__(*(without_numbers(word) if isinstance(word, str) else word for word in words))


class InputError(LoyaltyError):
    """Bad input. ``place`` is a path such as ``basket.lines[0].price_minor``, ``$.card`` or ``rule[3].then[0].percent``."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = without_numbers(place)
        self.message = without_numbers(message)


class ConfigError(InputError):
    """A fault in config.toml or the key file."""


class ProgrammeError(InputError):
    """A fault in a programme; the till keeps the one it has."""


class NotFoundError(LoyaltyError):
    """What was asked for is not known here."""


class NotAllowedError(LoyaltyError):
    """Somebody's word is missing, wrong or not enough; nothing was written but the try.

    ``needs``: whose word would do: a senior's (``approval``), the holder's by ``pin``, ``code`` or ``qr``; empty: nobody's now.
    """

    def __init__(self, message: str, needs: str = "approval") -> None:
        super().__init__(message)
        self.needs = needs


class EarlierDayError(NotAllowedError):
    """A sale of an earlier day is voided on a senior's word only."""


class WrongPinError(NotAllowedError):
    """No such person here, or the PIN is not theirs."""


class PersonLockedError(NotAllowedError):
    """Too many wrong PINs came for this person; none is looked at for a while."""


class ConflictError(LoyaltyError):
    """The request contradicts what is stored; nothing was written."""


class PaidShortError(ConflictError):
    """The tenders are less than the due; nothing was sold."""


class MemberBlockedError(ConflictError):
    """The member is blocked; a person's word lets them in again."""


class QuoteStaleError(ConflictError):
    """The quote is not valid any more. ``quote`` is the encoded new quote, or None when the basket is not held."""

    def __init__(self, message: str, quote: bytes | None = None) -> None:
        super().__init__(message)
        self.quote = quote


class StoreError(LoyaltyError):
    """The local database failed."""


class StoreSchemaError(StoreError):
    """The file was made by another build, or is not ours."""


class StoreBusyError(StoreError):
    """Another process owns the file."""


class StoreRaceError(StoreBusyError):
    """What was read is not so any more; nothing was written."""


class StoreFullError(StoreError):
    """The disk is full; nothing was written."""


class CommitUnknownError(StoreError):
    """COMMIT failed and may yet stand: reopen, look the id up, then decide."""


class DeviceError(LoyaltyError):
    """A device failed. ``device`` is its configured name."""

    def __init__(self, device: str, message: str) -> None:
        super().__init__(f"{device}: {message}")
        self.device = device


class DeviceGoneError(DeviceError):
    """The device is unplugged, off or out of reach."""


class SyncError(LoyaltyError):
    """Till and head office could not do their work together."""


class HeadOfficeGoneError(SyncError):
    """Head office does not answer; the till sells on. ``retry_after_s`` is its own wish, or None."""

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SnapshotNeededError(SyncError):
    """Too much has changed since what the till has: it takes a snapshot first."""


class SnapshotGoneError(SyncError):
    """Head office keeps that snapshot no more, or never had it."""


class LogGapError(SyncError):
    """Head office has not got what comes before this batch."""

    def __init__(self, message: str, expected_seq: int) -> None:
        super().__init__(message)
        self.expected_seq = expected_seq


class LogForkError(SyncError):
    """The same sequence number came with another hash."""


class WireError(SyncError):
    """Bytes that do not follow the protocol."""


class PeerError(WireError):
    """The other side is of a version that is too far from ours."""


class TokenError(WireError):
    """Head office does not know this till, or does not any more: a person enrols it."""
