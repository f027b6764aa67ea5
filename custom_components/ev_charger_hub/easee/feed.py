"""Feed: what the parts share that put what a charger reports into its station."""

from dataclasses import dataclass
from typing import Final

from ..station.model import ChargingStation, Evse
from ..station.second_source import SecondSource
from ..station.transactions import Transactions
from .enums import OpMode
from .feed_liveness import ChargerLiveness
from .ids import ChargerId
from .readings import Readings
from .timing import Time
from .told_sessions import EVSE

VACANT: Final = frozenset({OpMode.DISCONNECTED})
"""Modes without a vehicle."""

AWAITS_AUTHORIZATION: Final = frozenset(
    {
        OpMode.AWAITING_AUTHENTICATION,
        OpMode.AWAITING_AUTHORIZATION,
        OpMode.AUTHENTICATING,
        OpMode.DEAUTHENTICATING,
    }
)
"""Modes with a vehicle that has no session."""

IN_SESSION: Final = frozenset(
    {
        OpMode.AWAITING_START,
        OpMode.CHARGING,
        OpMode.COMPLETED,
        OpMode.READY_TO_CHARGE,
        OpMode.STARTING,
        OpMode.AWAITING_LOAD_BALANCING,
        OpMode.AWAITING_SMART_START,
        OpMode.AWAITING_SCHEDULED_START,
        OpMode.PAUSED_BY_EQUALIZER,
    }
)
"""Modes with a vehicle whose session goes on."""


@dataclass(kw_only=True, slots=True)
class Feed:
    """A charger's readings, and the station that they go into.

    The cloud need not be the only one who feeds it: `source` knows what others told,
    and what others began is theirs.
    """

    serial: str
    station: ChargingStation
    transactions: Transactions
    readings: Readings
    time: Time
    liveness: ChargerLiveness
    source: SecondSource

    @property
    def evse(self) -> Evse:
        """Return the one EVSE of the charger."""
        return self.station.evse(EVSE)

    @property
    def mode(self) -> OpMode | None:
        """Return what the charger does, None if that is not known."""
        return OpMode.of(self.readings.value(ChargerId.CHARGER_OP_MODE))
