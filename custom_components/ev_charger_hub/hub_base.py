"""What the hubs of both kinds of entry have in common: chargers, and their showing."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later

from .const import RESTORE_GRACE
from .devices import async_identities
from .flusher import Flusher
from .models import HubStation
from .snapshots import Snapshots
from .station.clock import CallLater, Clock, call_later as loop_call_later, utc_now
from .station.journal import Journal
from .turns import Turns


class Hub[S: HubStation = HubStation]:
    """An entry that introduces chargers: an OCPP server, or an Easee account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        *,
        journal: Journal,
        clock: Clock = utc_now,
        call_later: CallLater = loop_call_later,
    ) -> None:
        """Prepare a hub that has no charger yet, whose chargers live by a clock."""
        self.hass = hass
        self.entry = entry
        self.journal = journal
        self.clock = clock
        self.call_later = call_later
        self.flusher = Flusher(hass)
        self.turns = Turns(partial(entry.async_create_task, hass))
        self.stations: dict[str, S] = {}
        """The chargers that this hub introduced, by identity."""
        self.restoring = True
        """Whether restored values are still shown for absent chargers."""
        self.stopped = False
        """Whether nothing may begin any more."""
        self.snapshots = Snapshots(self)
        self._cancel_restoring: CALLBACK_TYPE | None = None

    @property
    def own_id_token(self) -> str:
        """Return the id token with which this hub starts charging by itself.

        It is the same after every restart, and short, because some chargers overflow
        at the 20 characters that are allowed.
        """
        return f"HA{self.entry.entry_id[-14:]}".upper()

    @callback
    def knows(self, device: dr.AnyDeviceEntry) -> bool:
        """Return whether a device is an EVSE of a charger that is here."""
        known = {
            f"{identity}_{evse_id}"
            for identity, hub_station in self.stations.items()
            for evse_id in hub_station.station.evses
        }
        return not known.isdisjoint(async_identities(device))

    @callback
    def restore_for_a_while(self) -> None:
        """Show what was last known of chargers until they have had time to come back."""
        self._cancel_restoring = async_call_later(
            self.hass,
            RESTORE_GRACE,
            HassJob(self._end_restoring, cancel_on_shutdown=True),
        )

    @callback
    def cancel_restoring(self) -> None:
        """Leave it as it is, because the hub ends."""
        if self._cancel_restoring is not None:
            self._cancel_restoring()
            self._cancel_restoring = None

    @callback
    def _end_restoring(self, _now: datetime) -> None:
        """Show no longer what chargers said that have not come back."""
        self._cancel_restoring = None
        self.restoring = False
        for hub_station in self.stations.values():
            station = hub_station.station
            for way in (station.online, station.local, station.remote):
                if not way.value:
                    way.notify()

    @callback
    def change_charger(self, identity: str, changes: Mapping[str, Any]) -> None:
        """Change settings of a charger, which apply soon."""
        raise NotImplementedError
