"""config.toml, read strictly into values: an unknown key, a wrong type or an impossible value is one error with its place."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, field
from msgspec.structs import replace

from pos_loyalty.config_camera import CameraConfig, CardQrConfig
from pos_loyalty.config_codes import CardConfig as CardConfig
from pos_loyalty.config_codes import CodeConfig as CodeConfig
from pos_loyalty.config_codes import ScannerConfig as ScannerConfig
from pos_loyalty.config_codes import cards_among, check_card, check_code, code_of
from pos_loyalty.config_display import DisplayConfig as DisplayConfig
from pos_loyalty.config_display import display_fault
from pos_loyalty.config_printer import Columns as Columns
from pos_loyalty.config_printer import PrinterConfig as PrinterConfig
from pos_loyalty.config_printer import fault_of, with_profile
from pos_loyalty.config_receipt import ConsentConfig, ReceiptConfig, check_receipt
from pos_loyalty.errors import ConfigError, InputError
from pos_loyalty.values import Points, Value, convert

Name = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")]
Words = Annotated[str, Meta(max_length=256)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Language = Literal["ru", "en"]
CONFIG_BYTES_MAX = 1024 * 1024
SECRETS_MODE = 0o600
LOOPBACK = ("127.0.0.1", "localhost", "::1")

T = TypeVar("T", bound=Value)


class StoreConfig(Value):
    """The shop."""

    id: Name
    name: Words
    address: Words = ""
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "RUB"
    timezone: str = "Europe/Moscow"
    languages: Annotated[tuple[Language, ...], Meta(min_length=1)] = ("ru", "en")


class TillConfig(Value):
    """This till: its file, where it listens, how long a quote lives."""

    id: Name
    database: str = "var/till.db"
    identity: str = "var/identity.json"
    """What head office enrolled this till as, mode 0600. It is this machine's alone: never copy it."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8765
    quote_life_s: Annotated[int, Meta(ge=1, le=86_400)] = 600
    reservation_hours: Annotated[int, Meta(ge=1, le=8_760)] = 72
    """An authorised sale that is neither completed nor cancelled gives back what it reserved after so many hours."""
    programme: str | None = None
    """A programme file to sell by until head office has published one."""
    catalogue: str | None = None
    """A JSON list of products for the cashier page; hosts send their own lines and need none."""


class HeadOfficeConfig(Value):
    """Where the till sends its log, and how patient it is."""

    url: str | None = None
    timeout_s: Seconds = 5.0
    interval_s: Seconds = 15.0
    answers_for_s: Seconds = 60.0
    """Head office counts as answering for so long after its last answer."""
    batch_facts_max: Annotated[int, Meta(ge=1, le=500)] = 500


class ServerConfig(Value):
    """Head office itself, for ``pos-loyalty head-office``."""

    database: str = "var/head_office.db"
    identity: str = "var/head_office.identity.json"
    """Its keys, mode 0600, made at its first start. Whoever has this file can speak as this head office."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8780
    escrow_share: Annotated[str, Meta(pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,2})?)%$")] = "80%"
    """The part of a member's points that the tills of the store they visit hold rights to; the rest is for where they stand."""
    lease_days: Annotated[int, Meta(ge=1, le=365)] = 30
    """For so long a right may be used while the till is cut off."""

    @property
    def escrow_share_bp(self) -> int:
        """The share in basis points."""
        whole, _, rest = self.escrow_share.removesuffix("%").partition(".")
        return int(whole) * 100 + int(rest.ljust(2, "0"))

    changes_max: Annotated[int, Meta(ge=1_000, le=1_000_000_000)] = 50_000
    """A till that is further behind, or new, takes a snapshot first."""


class HubConfig(Value):
    """The store's hub: ``url`` at a till that has one; ``serve`` at the machine that is one, a till's or another."""

    url: str | None = None
    """The till's log goes there first, and straight to head office while nobody answers there."""
    serve: bool = False
    """This machine is the hub: ``pos-loyalty hub`` runs beside its till, which uses it too."""
    id: Name = "HUB"
    """As what head office enrols it: a name of its own, as each till has one."""
    database: str = "var/hub.db"
    identity: str = "var/hub.identity.json"
    host: str = "0.0.0.0"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8790
    interval_s: Seconds = 1.0
    """So often a till asks its hub what the others sold; what it sold itself it sends at once."""
    lease_days: Annotated[int, Meta(ge=1, le=365)] = 7
    """For so long a till may use what the hub gave it, and never longer than the hub itself."""

    @property
    def address(self) -> str | None:
        """Where this machine's till finds the hub; None without one."""
        return self.url or (f"http://127.0.0.1:{self.port}" if self.serve else None)


class OfflineConfig(Value):
    """What a till with a head office may redeem: what it holds rights to, whether head office answers or not (``escrow``); or
    all while it answers, and up to a cap or nothing while it does not. A till that stands alone redeems everything."""

    policy: Literal["escrow", "allowance", "refuse"] = "escrow"
    cap_per_member_day: Annotated[str, Meta(pattern=r"^[0-9]{1,7}(\.[0-9]{1,2})?$")] = "0"
    """Points, as a decimal string."""

    @property
    def cap_centi(self) -> Points:
        """The cap in hundredths of a point."""
        whole, _, rest = self.cap_per_member_day.partition(".")
        return Points(int(whole) * 100 + int(rest.ljust(2, "0")))


class ActsConfig(Value):
    """Acts that a person answers for."""

    alone_up_to_centi: Annotated[int, Meta(ge=0, le=10**9)] = 0
    """Hundredths of a point that a senior may adjust alone, up or down; above it a second person is needed. 0: always two."""


class GiftCardsConfig(Value):
    """Beside a head office, cut off: a gift card pays only at the till that sold it (``refuse``), or at any till as far as that
    holds rights to its money (``escrow``)."""

    offline: Literal["escrow", "refuse"] = "refuse"


class CouponsConfig(Value):
    """Beside a head office: a unique code is redeemed as its series says (``series``: known codes, at the risk that two tills
    take one), only by the till that holds the right to it (``escrow``), or only while head office answers (``refuse``)."""

    offline: Literal["series", "escrow", "refuse"] = "series"


class GatewayConfig(Value):
    """A service that sends codes to phones: one POST for each. ``{phone}``, ``{code}`` and ``{token}`` are filled in."""

    url: str
    headers: Annotated[dict[str, Words], Meta(max_length=16)] = field(default_factory=dict)
    """``{token}`` is ``gateway_token`` of the key file."""
    content_type: Words = "application/json"
    body: Annotated[str, Meta(max_length=4096)] = '{"phone": "{phone}", "code": "{code}"}'
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 5.0


class PhoneConfig(Value):
    """What a member's phone is for."""

    verify: bool = False
    """Members whose phone is not verified earn points and do not redeem them."""
    without: Literal["redeem", "earn"] = "redeem"
    """Under ``verify``: what members who gave no phone may do."""
    gateway: GatewayConfig | None = None


class Config(Value):
    """The whole of config.toml."""

    store: StoreConfig
    till: TillConfig
    head_office: HeadOfficeConfig = field(default_factory=HeadOfficeConfig)
    server: ServerConfig = field(default_factory=ServerConfig)
    hub: HubConfig = field(default_factory=HubConfig)
    offline: OfflineConfig = field(default_factory=OfflineConfig)
    acts: ActsConfig = field(default_factory=ActsConfig)
    gift_cards: GiftCardsConfig = field(default_factory=GiftCardsConfig)
    coupons: CouponsConfig = field(default_factory=CouponsConfig)
    scanner: tuple[ScannerConfig, ...] = ()
    printer: PrinterConfig | None = None
    camera: CameraConfig | None = None
    display: DisplayConfig | None = None
    card_qr: CardQrConfig = field(default_factory=CardQrConfig)
    card: tuple[CardConfig, ...] = ()
    """Once read, with those ``code`` tables that are cards: all that a card may look like."""
    code: Annotated[tuple[CodeConfig, ...], Meta(max_length=64)] = ()
    receipt: ReceiptConfig = field(default_factory=ReceiptConfig)
    phone: PhoneConfig = field(default_factory=PhoneConfig)
    consent: ConsentConfig = field(default_factory=ConsentConfig)
    secrets: str = "var/secrets.toml"
    """The key file, mode 0600; relative paths here start at the config's folder."""

    @property
    def nomenclature(self) -> tuple[CodeConfig, ...]:
        """Which codes are what, in the order in which they are asked: ``code`` tables, then ``card`` tables."""
        return (*self.code, *map(code_of, self.card))


class Secrets(Value):
    """What must not stand in config.toml. Both keys are hex of 32 bytes."""

    pepper: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    master_key: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    gateway_token: Annotated[str, Meta(max_length=512)] = ""
    """What the code gateway asks for; empty when it asks for nothing."""


def load_config(path: Path) -> Config:
    """Read and check a config file. Raises ConfigError with the file and the place."""
    config = _read(path, Config)
    try:
        ZoneInfo(config.store.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"{path}: store.timezone", f'"{config.store.timezone}" is not a time zone; write one such as "Europe/Moscow"'
        ) from error
    _check_url(path, config.head_office.url)
    for number, card in enumerate(config.card):
        check_card(f"{path}: card[{number}]", card)
    for number, code in enumerate(config.code):
        check_code(f"{path}: code[{number}]", code)
    fault = None if config.printer is None else fault_of(config.printer)
    if fault is not None:
        raise ConfigError(f"{path}: {fault[0]}", fault[1])
    fault = None if config.display is None else display_fault(config.display)
    if fault is not None:
        raise ConfigError(f"{path}: {fault[0]}", fault[1])
    check_receipt(f"{path}: receipt", config.receipt)
    if config.phone.gateway is not None:
        _check_gateway(f"{path}: phone.gateway", config.phone.gateway)
    if config.head_office.answers_for_s < 2 * config.head_office.interval_s:
        sentence = "is less than two rounds of the sync (2 × interval_s): one late answer would cut the till off"
        raise ConfigError(f"{path}: head_office.answers_for_s", sentence)
    if config.offline.policy != "allowance" and config.offline.cap_centi:
        raise ConfigError(
            f"{path}: offline.cap_per_member_day",
            f'a cap has no meaning under policy = "{config.offline.policy}"; write policy = "allowance" or drop it',
        )
    return replace(config, card=(*config.card, *cards_among(config.code)))


def has_table(path: Path, name: str) -> bool:
    """Whether a config file that was read before names a table itself; else its defaults stand."""
    return name in tomllib.loads(path.read_text(encoding="utf-8"))


def load_secrets(path: Path) -> Secrets:
    """Read the key file. Raises ConfigError when it is missing, faulty, or readable by others."""
    secrets = _read(path, Secrets)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(str(path), "other users may read this key file; run: chmod 600 " + str(path))
    return secrets


def _check_url(path: Path, url: str | None) -> None:
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise ConfigError(f"{path}: head_office.url", f'"{url}" is not an address; write one such as "http://127.0.0.1:8780"')


def _check_gateway(place: str, gateway: GatewayConfig) -> None:
    parts = urlsplit(gateway.url)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ConfigError(f"{place}.url", "phones and codes go over https only, or to this machine; write an https:// address")
    for hole in ("{phone}", "{code}"):
        if hole not in gateway.body:
            raise ConfigError(f"{place}.body", f"{hole} is missing: the gateway would not know it")


def _read(path: Path, kind: type[T]) -> T:
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    if len(data) > CONFIG_BYTES_MAX:
        raise ConfigError(str(path), f"is larger than {CONFIG_BYTES_MAX} bytes")
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))  # Notepad puts a mark first
        if isinstance(table.get("printer"), dict):
            table["printer"] = with_profile(table["printer"])
        return convert(table, kind)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from error
    except InputError as error:
        raise ConfigError(f"{path}: {error.place.removeprefix('$').removeprefix('.')}", error.message) from error
