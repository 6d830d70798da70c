"""A USB bus for pyusb with one receipt printer on it: a backend below the library, so that the library itself is what runs."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any

import usb.backend
import usb.core

from tests.emulators.mechanism import Mechanism

OUT, IN = 0x01, 0x82
PACKET_BYTES = 64
IDS = (0x04B8, 0x0E15)


class UsbBus(usb.backend.IBackend):
    """Implements pyusb's backend. Each first read after an answer is empty, as printers are that answer late."""

    def __init__(self, *, is_plugged: bool = True) -> None:
        self.printer = Mechanism()
        self.is_plugged = is_plugged
        self._answers = bytearray()
        self._is_late = True
        self._line = self.printer.join(self._answers.extend)

    def enumerate_devices(self) -> Any:
        return iter(["printer"] if self.is_plugged else [])

    def get_device_descriptor(self, dev: Any) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=IDS[0], idProduct=IDS[1], bcdDevice=0x100, iManufacturer=0, iProduct=0,
            iSerialNumber=0, bNumConfigurations=1, address=1, bus=1, port_number=1, port_numbers=(1,), speed=2,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: Any, config: int) -> Any:
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
            bmAttributes=0xC0, bMaxPower=1, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: Any, intf: int, alt: int, config: int) -> Any:
        if intf or alt:
            raise IndexError(intf)
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2, bInterfaceClass=7,
            bInterfaceSubClass=1, bInterfaceProtocol=2, iInterface=0, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: Any, ep: int, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=(OUT, IN)[ep], bmAttributes=2, wMaxPacketSize=PACKET_BYTES,
            bInterval=0,            bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    def open_device(self, dev: Any) -> str:
        return "open"

    def close_device(self, dev_handle: Any) -> None: ...

    def get_configuration(self, dev_handle: Any) -> int:
        return 1

    def set_configuration(self, dev_handle: Any, config_value: int) -> None: ...

    def claim_interface(self, dev_handle: Any, intf: int) -> None: ...

    def release_interface(self, dev_handle: Any, intf: int) -> None: ...

    def is_kernel_driver_active(self, dev_handle: Any, intf: int) -> bool:
        return False

    def bulk_write(self, dev_handle: Any, ep: int, intf: int, data: Any, timeout: int) -> int:
        assert ep == OUT
        if not self.is_plugged or not self.printer.receive(self._line, bytes(data)):
            raise usb.core.USBError("No such device", errno.ENODEV, errno.ENODEV)
        return len(data)

    def bulk_read(self, dev_handle: Any, ep: int, intf: int, buff: Any, timeout: int) -> int:
        assert ep == IN and len(buff) >= PACKET_BYTES
        if not self.is_plugged:
            raise usb.core.USBError("No such device", errno.ENODEV, errno.ENODEV)
        self._is_late = not self._is_late
        if self._is_late or not self._answers:
            raise usb.core.USBTimeoutError("Operation timed out", errno.ETIMEDOUT, errno.ETIMEDOUT)
        count = min(len(self._answers), PACKET_BYTES)
        buff[:count] = type(buff)("B", self._answers[:count])
        del self._answers[:count]
        return count
