"""What the Home Assistant floor passes around."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry

from .log_files import LogFiles
from .station.channel import Channel
from .station.firmware import Firmware
from .station.limiter.limiter import Limiter
from .station.local_list import LocalList
from .station.model import ChargingStation
from .station.profiles.ledger import Ledger
from .station.reservations import Reservations
from .station.security.security import Security
from .station.transactions import Transactions

if TYPE_CHECKING:
    from .easee.charger import EaseeCharger
    from .easee_hub import EaseeHub
    from .hub import OcppHub
    from .hub_base import Hub

type EvChargerHubConfigEntry = ConfigEntry[OcppHub]
"""The entry of an OCPP server."""

type HubConfigEntry = ConfigEntry[Hub[Any]]
"""An entry of any kind."""


@dataclass(kw_only=True, slots=True, frozen=True)
class CloudSide:
    """A charger as an Easee account has it, whichever entry shows it."""

    hub: EaseeHub
    charger: EaseeCharger


@dataclass(kw_only=True, slots=True)
class HubStation:
    """A charger that a hub introduced; its device is in the registry."""

    station: ChargingStation
    transactions: Transactions
    ledger: Ledger
    limiter: Limiter
    firmware: Firmware
    local_list: LocalList
    reservations: Reservations
    subentry_id: str | None
    device_id: str
    ending: AsyncExitStack
    """What is done when it is let go of, the last first."""
    cloud: Channel[CloudSide | None] = field(
        default_factory=lambda: Channel(None, urgent=True)
    )
    """How the Easee cloud knows it, as long as an account that has it is here."""
    seen: bool = False
    """Whether it has been online since the server started."""

    @property
    def easee(self) -> EaseeCharger | None:
        """Return what the Easee cloud tells of it."""
        return None if self.cloud.value is None else self.cloud.value.charger

    @property
    def account_hub(self) -> EaseeHub | None:
        """Return the hub of the Easee account that has it."""
        return None if self.cloud.value is None else self.cloud.value.hub


@dataclass(kw_only=True, slots=True)
class OcppStation(HubStation):
    """A charger that an OCPP server introduced: one that the user approved."""

    log_files: LogFiles
    security: Security
    subentry_id: str
