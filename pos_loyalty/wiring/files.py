"""What every process begins with: the config, the key file, the till's database."""

from __future__ import annotations

import os
import secrets as randomness
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pos_loyalty.clock import Clock
from pos_loyalty.config import SECRETS_MODE, Config, Secrets, load_config, load_secrets
from pos_loyalty.engine import load_programme
from pos_loyalty.errors import ConfigError
from pos_loyalty.store.db import Connection, open_store
from pos_loyalty.values import Value, decode
from pos_loyalty.wiring.receipts import check_receipts

if TYPE_CHECKING:
    from pos_loyalty.web.verbs import Product


class Settings(Value):
    """The config with its folder, so that relative paths have a start."""

    config: Config
    path: Path

    def file(self, name: str) -> Path:
        """A path of the config, from the config's folder."""
        return self.path.parent / name

    @property
    def till_database(self) -> Path:
        """The till's file."""
        return self.file(self.config.till.database)

    @property
    def server_database(self) -> Path:
        """Head office's file."""
        return self.file(self.config.server.database)


def settings(path: Path) -> Settings:
    """Read config.toml. Raises ConfigError with the place."""
    return Settings(config=load_config(path), path=path.absolute())


def secrets_of(known: Settings) -> Secrets:
    """Read the key file. Raises ConfigError, with the mend when there is none."""
    path = known.file(known.config.secrets)
    if not path.exists():
        raise ConfigError(str(path), f"there is no key file; make one with: pos-loyalty config secrets --config {known.path}")
    return load_secrets(path)


def secrets_if_there(path: Path) -> Secrets | None:
    """The keys that a config names; None when the config or its key file is missing. Raises ConfigError when one is faulty."""
    if not path.is_file():
        return None
    known = settings(path)
    return load_secrets(known.file(known.config.secrets)) if known.file(known.config.secrets).exists() else None


def check_files(known: Settings) -> None:
    """All that the config names must be there and be right. Raises ConfigError, ProgrammeError."""
    secrets_of(known)
    if known.config.till.programme is not None:
        path = known.file(known.config.till.programme)
        if not path.is_file():
            raise ConfigError("till.programme", f"there is no file {path}")
        load_programme(path.read_bytes())
    products_of(known)
    font = known.config.receipt.font
    if font is not None and not known.file(font).is_file():
        raise ConfigError("receipt.font", f"there is no file {font}")
    check_receipts(with_places(known))


def with_places(known: Settings) -> Config:
    """The config whose receipts name their files from the root."""
    receipt = known.config.receipt
    files = {name: str(known.file(path)) for name in ("font", "logo") if (path := getattr(receipt, name)) is not None}
    return replace(known.config, receipt=replace(receipt, **files))


def make_secrets(path: Path) -> Path:
    """Make a key file of random keys, mode 0600; one that stands already is kept."""
    known = settings(path)
    target = known.file(known.config.secrets)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f'{name} = "{randomness.token_hex(32)}"\n' for name in ("pepper", "master_key"))
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRETS_MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("# Keys of this installation. Copy them to every till and to head office; show them to nobody.\n" + text)
    load_secrets(target)
    return target


def till_store(known: Settings, clock: Clock) -> Connection:
    """The till's file, open to write."""
    keys = secrets_of(known)
    return open_store(known.till_database, role="till", owner=known.config.till.id, now=clock(), master_key=keys.master_key)


def made_folder(path: Path) -> Path:
    """The path, whose folder is there now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def products_of(known: Settings) -> tuple[Product, ...]:
    """The cashier page's goods. Raises ConfigError."""
    from pos_loyalty.web.verbs import Product

    name = known.config.till.catalogue
    if name is None:
        return ()
    path = known.file(name)
    try:
        return decode(path.read_bytes(), tuple[Product, ...], place=str(path))
    except OSError as error:
        raise ConfigError("till.catalogue", f"{path} cannot be read: {error.strerror}") from error
