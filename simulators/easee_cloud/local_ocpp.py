"""Commissioning of local OCPP: stored, applied, and whether the charger then dials."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .answers import Invalid, NotFound, Refused, forbidden, refusal
from .charger import Charger
from .clock import CloudClock
from .schedules import DIRECT, NONE
from .twin import Twin

MODES = ("DualProtocol", "OcppOff")
OLDEST_FIRMWARE = 328
EASEE = 1
DIALS_AFTER = 5.0
"""Seconds from being told to dialing."""
LISTENS_AGAIN = 60.0
"""Seconds after which what could not be told is told again."""


@dataclass(kw_only=True, slots=True)
class Details:
    """How a charger is to be connected."""

    mode: str
    url: str
    """The base address; the charger adds its identity."""
    identity: str
    password: str | None
    ca_certificate: str | None
    ca_certificate_domain: str | None
    version: str


type Dial = Callable[[Charger, Details], None]
type HangUp = Callable[[Charger], None]


class LocalOcpp:
    """The connection details of all chargers."""

    def __init__(self, clock: CloudClock) -> None:
        """Start with nothing stored; nobody dials unless told how."""
        self._clock = clock
        self.stored: dict[str, Details] = {}
        self.applied: dict[str, Details] = {}
        self.dial: Dial | None = None
        self.hang_up: HangUp | None = None
        self.forgotten: HangUp | None = None
        self.twin: Callable[[Charger], Twin] | None = None
        """Return what a charger is beside the cloud, where chargers can dial."""
        self.shows_charge_point_id = False
        self.shows_password = True
        self._versions = 0

    def store(self, charger: Charger, body: dict[str, Any]) -> dict[str, Any]:
        """Store connection details, and return their version."""
        self._allowed(charger)
        arguments = body.get("websocketConnectionArgs") or {}
        mode, url = body.get("connectivityMode"), arguments.get("url")
        if mode not in MODES:
            raise Invalid(connectivityMode="The mode is unknown.")
        if not isinstance(url, str) or not url.startswith(("ws://", "wss://")):
            raise Invalid(url="The address is no address of a websocket.")
        self._versions += 1
        self.stored[charger.serial] = details = Details(
            mode=mode,
            url=url.rstrip("/"),
            identity=body.get("chargePointId") or charger.serial,
            password=body.get("basicAuthPassword"),
            ca_certificate=arguments.get("caCertificate"),
            ca_certificate_domain=arguments.get("caCertificateDomain"),
            version=f"version-{self._versions}",
        )
        return {"version": details.version}

    def read(self, charger: Charger) -> dict[str, Any]:
        """Return what is stored, its address with the identity at the end."""
        if (details := self.stored.get(charger.serial)) is None:
            raise NotFound
        shown: dict[str, Any] = {
            "connectivityMode": details.mode,
            "websocketConnectionArgs": {
                "url": f"{details.url}/{details.identity}",
                "caCertificate": details.ca_certificate,
                "caCertificateDomain": details.ca_certificate_domain,
            },
            "basicAuth": None
            if details.password is None
            else {
                "username": details.identity,
                "password": details.password if self.shows_password else None,
            },
            "version": details.version,
        }
        if self.shows_charge_point_id:
            shown["chargePointId"] = details.identity
        return shown

    def apply(self, charger: Charger, version: str) -> None:
        """Hand what is stored to the charger, if it is still this version."""
        self._allowed(charger)
        if (details := self.stored.get(charger.serial)) is None:
            raise NotFound
        if details.version != version:
            raise Refused(409, {"title": "Version is outdated", "status": 409})
        self.applied[charger.serial] = details
        direct = details.mode == "DualProtocol"
        charger.schedules.enabled = DIRECT if direct else NONE
        charger.circuit.changed()
        self._clock.call_later(DIALS_AFTER, lambda: self._obey(charger, details))

    def _obey(self, charger: Charger, details: Details) -> None:
        if self.applied.get(charger.serial) is not details:
            return
        if not charger.online:
            self._clock.call_later(LISTENS_AGAIN, lambda: self._obey(charger, details))
            return
        if self.hang_up is not None:
            self.hang_up(charger)
        # Only a charger on Wi-Fi reaches an address of the house.
        reachable = charger[141] == 1
        if details.mode == "DualProtocol" and reachable and self.dial is not None:
            self.dial(charger, details)

    def _allowed(self, charger: Charger) -> None:
        if charger.operator is None or charger.operator["id"] != EASEE:
            raise forbidden()
        if int(charger[80]) < OLDEST_FIRMWARE:
            raise refusal(400, "FirmwareTooOld", "Firmware does not support local OCPP")

    def foreign_change(
        self, charger: Charger, url: str, mode: str = "DualProtocol", **more: Any
    ) -> None:
        """Let somebody else store another address, and apply it."""
        body = {
            "connectivityMode": mode,
            "websocketConnectionArgs": {"url": url},
            **more,
        }
        self.apply(charger, self.store(charger, body)["version"])

    def forget(self, charger: Charger) -> None:
        """Forget everything of a charger, as another operator makes it."""
        self.stored.pop(charger.serial, None)
        self.applied.pop(charger.serial, None)
        if charger.schedules.enabled == DIRECT:
            charger.schedules.enabled = NONE
        if self.forgotten is not None:
            self.forgotten(charger)
