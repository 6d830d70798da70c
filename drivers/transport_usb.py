"""The way to a USB printer by its ids, through pyusb (extra ``usb``): the bulk endpoints of its printer interface."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from drivers.descriptors import left_s
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import DeviceGoneError

PRINTER_CLASS = 7
PIECE_BYTES = 512
READ_SLICE_S = 0.1
"""The answer to a question often comes only with the second or third read."""
MS_PER_S = 1000


class UsbTransport:
    """Implements Transport. Raises DeviceGoneError when the printer is unplugged, or another program has it."""

    def __init__(self, config: PrinterConfig, backend: Any = None) -> None:
        try:
            import usb.core
            import usb.util
        except ImportError as error:
            raise DeviceGoneError(config.name, "USB printers by vid:pid need pyusb: install pos-loyalty[usb]") from error
        self._usb = usb
        self._gone: tuple[type[Exception], ...] = (usb.core.USBError, usb.core.NoBackendError)
        try:
            self._device = self._found(config, backend)
            self._interface = self._claimed(config.name)
        except self._gone as error:
            raise DeviceGoneError(config.name, f"the USB printer {config.usb_id} cannot be opened ({error})") from error
        self._out = self._endpoint(usb.util.ENDPOINT_OUT)
        self._in = self._endpoint(usb.util.ENDPOINT_IN)
        if self._out is None:
            self.close()
            raise DeviceGoneError(config.name, f"the USB device {config.usb_id} takes no data")

    @property
    def is_bidirectional(self) -> bool:
        """The interface has an endpoint that comes from the printer."""
        return self._in is not None

    def write(self, data: bytes, deadline_ns: int) -> int:
        """What was taken; a transfer that fails may have gone out in part."""
        sent = 0
        while sent < len(data):
            piece = data[sent : sent + PIECE_BYTES]
            try:
                sent += int(self._out.write(piece, timeout=_ms(left_s(deadline_ns))))
            except self._gone:
                return sent + 1
        return sent

    def read(self, count: int, deadline_ns: int) -> bytes:
        """The first that comes. Short reads again and again: an empty one is no end."""
        while self._in is not None:
            wait_s = min(left_s(deadline_ns), READ_SLICE_S)
            try:
                chunk = bytes(self._in.read(max(count, self._in.wMaxPacketSize), timeout=_ms(wait_s)))
            except self._usb.core.USBTimeoutError:
                chunk = b""
            except self._gone:
                return b""
            if chunk or not left_s(deadline_ns):
                return chunk
        return b""

    def finish(self, deadline_ns: int) -> bool:
        """A transfer that ended was taken."""
        return True

    def close(self) -> None:
        """Give the interface back."""
        with suppress(*self._gone):
            self._usb.util.dispose_resources(self._device)

    def _found(self, config: PrinterConfig, backend: Any) -> Any:
        vendor, product, *serial = config.usb_id.split(":")
        wanted: dict[str, Any] = {"idVendor": int(vendor, 16), "idProduct": int(product, 16)}
        if serial:
            wanted["serial_number"] = serial[0]
        device = self._usb.core.find(backend=backend, **wanted)
        if device is None:
            raise DeviceGoneError(config.name, f"no USB printer {config.usb_id} is plugged in")
        return device

    def _claimed(self, name: str) -> Any:
        configuration = self._device.get_active_configuration()
        interface = self._usb.util.find_descriptor(configuration, bInterfaceClass=PRINTER_CLASS)
        if interface is None:
            raise DeviceGoneError(name, "this USB device is no printer")
        number = interface.bInterfaceNumber
        with suppress(NotImplementedError):
            if self._device.is_kernel_driver_active(number):
                self._device.detach_kernel_driver(number)
        self._usb.util.claim_interface(self._device, number)
        return interface

    def _endpoint(self, direction: int) -> Any:
        def fits(endpoint: Any) -> bool:
            return bool(self._usb.util.endpoint_direction(endpoint.bEndpointAddress) == direction)

        return self._usb.util.find_descriptor(self._interface, custom_match=fits)


def _ms(seconds: float) -> int:
    """At least 1: 0 means for ever."""
    return max(1, int(seconds * MS_PER_S))
