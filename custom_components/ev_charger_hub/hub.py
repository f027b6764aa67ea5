"""The hub of an OCPP server: between its central system and Home Assistant."""

from datetime import datetime

from homeassistant.core import HomeAssistant

from .models import EvChargerHubConfigEntry, HubStation
from .station.journal import Journal


class OcppHub:
    """One OCPP server of Home Assistant, with its approved chargers."""

    def __init__(
        self, hass: HomeAssistant, entry: EvChargerHubConfigEntry, journal: Journal
    ) -> None:
        """Prepare a hub that has no charger yet and does not listen."""
        self.hass = hass
        self.entry = entry
        self.journal = journal
        self.stations: dict[str, HubStation] = {}
        """The approved chargers by identity."""
        self.started_at: datetime
        """When the server began to listen; restored values are shown for a while."""
