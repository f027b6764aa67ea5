"""Local place: where at an OCPP server here a charger of an account has been let in.

Home Assistant writes its entries down a second after they have changed, so that a place
is written down by itself, and made anew if it was lost.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_PASSWORD_HASH, SUBENTRY_CHARGER
from .handover import async_server_of as async_owner
from .models import EvChargerHubConfigEntry, HubStation
from .settings import async_chargers, new_charger_data

FACT: Final = "easee_local_place"
"""Under which name the journal keeps it."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Place:
    """A charger as one of an OCPP server; the journal keeps it."""

    entry_id: str
    identity: str = field(repr=False)
    name: str
    made: bool
    """Whether it was approved for this, and is to go when that is undone."""
    password_before: str | None = field(default=None, repr=False)
    """The hash that it had if it was not made."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What it was given that other new chargers are not."""
    kept: bool = False
    """Whether Home Assistant has written it down: if it is missing, the user removed it."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        """Return what `as_dict` made JSON of; raises KeyError."""
        return cls(**{name: kept[name] for name in cls.__dataclass_fields__})

    def is_at(self, server: EvChargerHubConfigEntry, identity: str) -> bool:
        """Return whether this is a charger of a server."""
        return (self.entry_id, self.identity) == (server.entry_id, identity)

    @callback
    def server(self, hass: HomeAssistant) -> EvChargerHubConfigEntry | None:
        """Return the server, None if the user has removed it."""
        return hass.config_entries.async_get_entry(self.entry_id)

    @callback
    def subentry(self, hass: HomeAssistant) -> ConfigSubentry | None:
        """Return the charger at the server, None if it is not there any more."""
        if (entry := self.server(hass)) is None:
            return None
        return async_chargers(entry).get(self.identity)

    @callback
    def station(self, hass: HomeAssistant) -> HubStation | None:
        """Return the charger as the server has it, None if it does not run."""
        entry = self.server(hass)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return None
        return entry.runtime_data.stations.get(self.identity)

    @callback
    def occupy(self, hass: HomeAssistant, password_hash: str | None) -> bool:
        """Have the server let the charger in with a password; return whether it can."""
        if (entry := self.server(hass)) is None:
            return False
        if (subentry := self.subentry(hass)) is not None:
            _set_password(hass, entry, subentry, password_hash)
            return True
        subentry = ConfigSubentry(
            data=MappingProxyType({**self.settings, **new_charger_data(password_hash)}),
            subentry_type=SUBENTRY_CHARGER,
            title=self.name,
            unique_id=self.identity,
        )
        hass.config_entries.async_add_subentry(entry, subentry)
        return True

    @callback
    def vacate(self, hass: HomeAssistant) -> None:
        """Have the server be as it was."""
        entry, subentry = self.server(hass), self.subentry(hass)
        if entry is None or subentry is None:
            return
        if self.made:
            hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
        else:
            _set_password(hass, entry, subentry, self.password_before)


@callback
def async_server_of(
    hass: HomeAssistant, identity: str
) -> EvChargerHubConfigEntry | None:
    """Return the server that has a charger, running or not, None if there is none."""
    found = async_owner(hass, identity)
    return None if found is None else found[0]


@callback
def _set_password(
    hass: HomeAssistant,
    entry: EvChargerHubConfigEntry,
    subentry: ConfigSubentry,
    password_hash: str | None,
) -> None:
    """Have a charger give a password, or none."""
    data = {key: one for key, one in subentry.data.items() if key != CONF_PASSWORD_HASH}
    if password_hash is not None:
        data[CONF_PASSWORD_HASH] = password_hash
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
