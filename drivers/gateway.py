"""Codes on their way to phones, through a service of somebody else. Phone and code stand in no error and no log."""

from __future__ import annotations

from typing import Protocol

from pos_loyalty.config import GatewayConfig
from pos_loyalty.errors import DeviceError, DeviceGoneError

DEVICE = "code gateway"


class Gateway(Protocol):
    """Sends a code to a phone."""

    def send(self, phone: str, code: str) -> None:
        """Hand one message over. ``phone`` is + and digits. Raises DeviceGoneError, and DeviceError for a refusal."""

    def close(self) -> None:
        """Let go of the connection; may be called twice."""


class HttpGateway:
    """One POST for each code, as the config words it. No redirect is followed, nothing of the answer but its status is read."""

    def __init__(self, config: GatewayConfig, token: str) -> None:
        import requests

        self._config = config
        self._headers = {name: value.replace("{token}", token) for name, value in config.headers.items()}
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, phone: str, code: str) -> None:
        """Once: a second try is the sender's affair, for the first may have arrived."""
        import requests

        body = self._config.body.replace("{phone}", phone).replace("{code}", code)
        headers = {"Content-Type": self._config.content_type, **self._headers}
        try:
            with self._session.post(
                self._config.url,
                data=body.encode("utf-8"),
                headers=headers,
                timeout=self._config.timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                status = response.status_code
        except (requests.RequestException, OSError) as error:
            raise DeviceGoneError(DEVICE, f"does not answer ({type(error).__name__})") from error
        if not 200 <= status < 300:
            raise DeviceError(DEVICE, f"refused the code (HTTP {status})")

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()
