"""Ways to a printer on this machine's own ports: a serial line, the USB printer device of Linux, a file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from drivers.descriptors import left_s, read_some, write_all
from drivers.transport_tcp import cause
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import DeviceGoneError

DRAIN_STEP_NS = 20_000_000
DEVICES, MEMORY = Path("/dev"), Path("/dev/shm")


class FileTransport:
    """Implements Transport by appending to a file, or writing to a device that cannot answer."""

    def __init__(self, config: PrinterConfig) -> None:
        path = Path(config.path)
        is_device = path.is_relative_to(DEVICES) and not path.is_relative_to(MEMORY)
        # one that is unplugged must not come back as a plain file
        flags = os.O_WRONLY | os.O_APPEND | (0 if is_device else os.O_CREAT)
        self._descriptor: int | None = _opened(config, flags)

    @property
    def is_bidirectional(self) -> bool:
        """A file says nothing."""
        return False

    def write(self, data: bytes, deadline_ns: int) -> int:
        """What was taken."""
        return 0 if self._descriptor is None else write_all(self._descriptor, data, deadline_ns)

    def read(self, count: int, deadline_ns: int) -> bytes:
        """Nothing comes."""
        return b""

    def finish(self, deadline_ns: int) -> bool:
        """It is written."""
        return True

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class UsbPathTransport:
    """Implements Transport over ``/dev/usb/lp*``, the kernel's own driver for printers."""

    def __init__(self, config: PrinterConfig) -> None:
        self._descriptor: int | None = _opened(config, os.O_RDWR)

    @property
    def is_bidirectional(self) -> bool:
        """The kernel's driver reads too; a printer that does not answer is found silent."""
        return True

    def write(self, data: bytes, deadline_ns: int) -> int:
        """What was taken."""
        return 0 if self._descriptor is None else write_all(self._descriptor, data, deadline_ns)

    def read(self, count: int, deadline_ns: int) -> bytes:
        """The first that comes."""
        return b"" if self._descriptor is None else read_some(self._descriptor, count, deadline_ns)

    def finish(self, deadline_ns: int) -> bool:
        """It is written."""
        return True

    def close(self) -> None:
        """Close the device."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class SerialTransport:
    """Implements Transport over a serial port, for this program alone."""

    def __init__(self, config: PrinterConfig) -> None:
        import serial

        self._is_through = False
        try:
            self._port = serial.Serial(
                config.path, config.baud, timeout=0, write_timeout=0, exclusive=True,
                rtscts=config.flow == "rts_cts", dsrdtr=config.flow == "dsr_dtr", xonxoff=config.flow == "xon_xoff",
            )  # fmt: skip
        except _port_errors() as error:
            reason = str(error).partition(":")[0] if not isinstance(error, OSError) else error.strerror or str(error)
            raise DeviceGoneError(config.name, f"{config.path} cannot be opened ({reason})") from error
        except ValueError as error:
            raise DeviceGoneError(config.name, f"{config.path} cannot be set to {config.baud} baud") from error
        if os.name == "posix":
            _mark_faults(self._port.fileno())

    @property
    def is_bidirectional(self) -> bool:
        """A serial line goes both ways."""
        return True

    def write(self, data: bytes, deadline_ns: int) -> int:
        """What the port has taken. Elsewhere than on POSIX a fault in the middle does not say how much: then it is some."""
        self._is_through = False
        if os.name == "posix":
            return write_all(self._port.fileno(), data, deadline_ns)
        try:
            self._port.write_timeout = left_s(deadline_ns)
            return int(self._port.write(data) or 0)
        except OSError:
            return min(1, len(data))

    def read(self, count: int, deadline_ns: int) -> bytes:
        """The first that comes."""
        if os.name == "posix":
            return read_some(self._port.fileno(), count, deadline_ns)
        try:
            self._port.timeout = left_s(deadline_ns)
            return self._port.read(1)
        except OSError:
            return b""

    def finish(self, deadline_ns: int) -> bool:
        """Wait until the port has sent what it took. False when the printer held it up to the deadline."""
        with suppress(*_port_errors()):
            while self._port.out_waiting:
                if not left_s(deadline_ns):
                    return False
                self.read(1, min(deadline_ns, monotonic_ns() + DRAIN_STEP_NS))
            self._is_through = True
            return True
        return False

    def close(self) -> None:
        """Let go of the port. What it still holds of a job that went wrong is dropped, so that closing does not wait for it."""
        if not self._is_through:
            with suppress(*_port_errors()):
                self._port.reset_output_buffer()
        with suppress(*_port_errors()):
            self._port.close()


def _opened(config: PrinterConfig, flags: int) -> int:
    try:
        extra = (
            getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        return os.open(Path(config.path), flags | extra, 0o600)
    except OSError as error:
        raise DeviceGoneError(config.name, f"{config.path} cannot be written ({cause(error)})") from error
    except ValueError as error:
        raise DeviceGoneError(config.name, "its path is none") from error


def _mark_faults(descriptor: int) -> None:
    """Let the port put FF 00 before a byte that came broken, and FF 00 00 where a break was, which else reads as a plain 00:
    a printer's power that goes would look like an answer. No printer says FF."""
    import termios

    with suppress(termios.error):
        modes = termios.tcgetattr(descriptor)
        modes[0] = modes[0] & ~(termios.IGNPAR | termios.IGNBRK | termios.BRKINT) | termios.INPCK | termios.PARMRK
        termios.tcsetattr(descriptor, termios.TCSANOW, modes)


def _port_errors() -> tuple[type[Exception], ...]:
    """pyserial's SerialException is an OSError; termios.error is not."""
    if os.name != "posix":
        return (OSError,)
    import termios

    return (OSError, termios.error)
