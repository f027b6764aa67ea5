"""Settings: what the user decided about one station."""

from dataclasses import dataclass, field
from enum import StrEnum


class LocalListMode(StrEnum):
    """What is done with the local authorization list of a station."""

    AUTOMATIC = "automatic"
    """Kept in line where the station uses it."""
    ENABLE = "enable"
    """Switched on, and kept in line."""
    OFF = "off"


@dataclass(kw_only=True, slots=True, frozen=True)
class StationSettings:
    """The user's decisions about one station; currents in A, intervals in s.

    `password_hash` None means that no password is asked for. `security_profile` is the
    lowest profile (0 to 3) that the station may come with. `protocol` pins an OCPP
    subprotocol such as "ocpp1.6"; `missing_subprotocol` lets it in if it offers none at
    all. `measurands` None means: find out what it can send.
    `fallback_current` is the limit that holds when Home Assistant is gone; None lets the
    last limit stay. `limit_interval` is the least time between two changes of a limit.
    `meter_interval` and `clock_interval` None leave the station's own value alone.
    """

    name: str
    password_hash: str | None = field(default=None, repr=False)
    security_profile: int = 0
    protocol: str | None = None
    missing_subprotocol: bool = True
    maximum_current: int = 32
    minimum_current: int = 6
    fallback_current: int | None = None
    limit_interval: int = 5
    phases: int = 3
    measurands: tuple[str, ...] | None = None
    meter_interval: int | None = 30
    clock_interval: int | None = 900
    local_list: LocalListMode = LocalListMode.AUTOMATIC
    price_entity: str | None = None
    """The entity of Home Assistant that tells what a kWh costs."""
    quiet: bool = False
    ping: bool = True
    free_charging: bool = False
