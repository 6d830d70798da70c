"""Builds the receipt printers of a config: which way leads to each, and what stands in when it takes no receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pos_loyalty.clock import utc_now
from pos_loyalty.config import PrinterConfig
from pos_loyalty.wiring.files import Settings, till_store, with_places

if TYPE_CHECKING:
    from drivers.ports import Printer, Transport
    from pos_loyalty.till.spool import Spool


def spool_of(known: Settings) -> Spool | None:
    """The print worker of this till; None when the till has no printer."""
    from pos_loyalty.till.spool import Spool
    from pos_loyalty.till.unmade import SlipMaker

    config = known.config.printer
    if config is None:
        return None
    return Spool(
        printer_of(known, config),
        lambda: till_store(known, utc_now),
        make=SlipMaker(with_places(known)),
        clock=utc_now,
        job_life_s=config.job_life_s,
    )


def printer_of(known: Settings, config: PrinterConfig) -> Printer:
    """The printer of a [printer] table with its fallback. Nothing is opened yet."""
    main = alone(replace(config, path=str(known.file(config.path))) if config.path else config)
    if config.fallback is None:
        return main
    from drivers.fallback import FallbackPrinter

    return FallbackPrinter(main, printer_of(known, config.fallback))


def alone(config: PrinterConfig) -> Printer:
    """One printer by itself, as a table of config.toml names it; its path is whole."""
    from drivers.printer import EscposPrinter

    return EscposPrinter(config, lambda: transport_of(config))


def transport_of(config: PrinterConfig) -> Transport:
    """Open the way to a printer. Raises DeviceGoneError."""
    match config.kind:
        case "tcp":
            from drivers.transport_tcp import TcpTransport

            return TcpTransport(config)
        case "serial":
            from drivers.transport_port import SerialTransport

            return SerialTransport(config)
        case "file":
            from drivers.transport_port import FileTransport

            return FileTransport(config)
        case "usb" if config.path:
            from drivers.transport_port import UsbPathTransport

            return UsbPathTransport(config)
        case "usb":
            from drivers.transport_usb import UsbTransport

            return UsbTransport(config)
        case "spooler":
            from drivers.transport_spooled import CommandTransport

            return CommandTransport(config)
        case "windows":
            from drivers.transport_spooled import WindowsTransport

            return WindowsTransport(config)
