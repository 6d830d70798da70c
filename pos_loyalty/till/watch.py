"""The till's camera in its own thread: a card goes the way of a scan; a camera that is lost is told, waited for and told back.

Rule: nothing that a camera does reaches the checkout, and it never comes to an end of the till.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from threading import Event

from drivers.ports import CardRead, Watcher
from pos_loyalty import log
from pos_loyalty.errors import DeviceError

PAUSE_S, PAUSE_MAX_S = 0.25, 5.0
CRASHED = "the camera stopped by a fault of the program; it is started again"


def watch_always(camera: Watcher, publish: Callable[[CardRead], None], gone: MutableMapping[str, str], stop: Event) -> None:
    """Watch until ``stop`` is set, or a file or folder is at its end. ``gone``: a sentence for each device that is away."""
    pause_s = PAUSE_S
    while not stop.is_set():
        try:
            for read in camera.watch():
                if gone.pop(camera.device, None) is not None:
                    log.info("device.back", device=camera.device)
                pause_s = PAUSE_S
                if read is not None:
                    publish(read)
            return
        except DeviceError as error:
            _tell(camera.device, str(error), gone)
        except Exception as error:  # noqa: BLE001 - the camera may not end the till; it is opened anew, and says why
            log.error("camera.crashed", device=camera.device, kind=type(error).__name__)
            _tell(camera.device, f"{camera.device}: {CRASHED}", gone)
        stop.wait(pause_s)
        pause_s = min(2 * pause_s, PAUSE_MAX_S)


def _tell(device: str, reason: str, gone: MutableMapping[str, str]) -> None:
    if gone.get(device) != reason:
        log.warning("device.lost", device=device, reason=reason)
    gone[device] = reason
