"""What the Home Assistant floor passes around."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry

from .log_files import LogFiles
from .station.firmware import Firmware
from .station.limiter.limiter import Limiter
from .station.local_list import LocalList
from .station.model import ChargingStation
from .station.profiles.ledger import Ledger
from .station.reservations import Reservations
from .station.security.security import Security
from .station.transactions import Transactions

if TYPE_CHECKING:
    from .hub import OcppHub

type EvChargerHubConfigEntry = ConfigEntry[OcppHub]


@dataclass(kw_only=True, slots=True)
class HubStation:
    """An approved charger of one server; its device is in the registry."""

    station: ChargingStation
    transactions: Transactions
    ledger: Ledger
    limiter: Limiter
    firmware: Firmware
    log_files: LogFiles
    local_list: LocalList
    reservations: Reservations
    security: Security
    subentry_id: str
    device_id: str
    ending: AsyncExitStack
    """What is done when it is let go of, the last first."""
    seen: bool = False
    """Whether it has been online since the server started."""
