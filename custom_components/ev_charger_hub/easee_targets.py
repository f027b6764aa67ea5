"""Easee targets: what of an Easee account the device of an action stands for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service import async_get_device_and_config_entry

from .const import DOMAIN
from .devices import async_identities
from .easee.account import EaseeAccount
from .easee.charger import EaseeCharger
from .easee.equalizer import Equalizer
from .easee.products import CircuitInfo, SiteInfo
from .easee.schedules import ScheduleError
from .easee_devices import site_identifier
from .easee_errors import translated_easee_errors
from .easee_hub import EaseeHub
from .fields import response
from .helpers import failed, failure, invalid
from .models import HubStation
from .station.outcome import Outcome


@dataclass(kw_only=True, slots=True, frozen=True)
class EaseeTarget:
    """The device of an account that an action is for; it may be the account's own."""

    hub: EaseeHub
    name: str
    hub_station: HubStation | None = None
    own_equalizer: Equalizer | None = None
    own_site: SiteInfo | None = None

    @property
    def account(self) -> EaseeAccount:
        """Return the account."""
        return self.hub.account

    @property
    def charger(self) -> EaseeCharger:
        """Return the charger; raise if it is none, or none of the account any more."""
        charger = None if self.hub_station is None else self.hub_station.easee
        if charger is None:
            raise invalid("not_a_charger", device=self.name)
        if self.hub.account.chargers.get(charger.serial.upper()) is not charger:
            raise failed("not_connected", charger=self.name)
        return charger

    @property
    def charger_of(self) -> HubStation:
        """Return the charger as its entry has it; raise if it is none."""
        if self.hub_station is None:
            raise invalid("not_a_charger", device=self.name)
        return self.hub_station

    @property
    def equalizer(self) -> Equalizer:
        """Return the equalizer; raise if it is none."""
        if self.own_equalizer is None:
            raise invalid("easee_not_an_equalizer", device=self.name)
        return self.own_equalizer

    @property
    def site(self) -> SiteInfo:
        """Return the site, or that of the charger or equalizer; raise if it is unknown."""
        if self.own_site is not None:
            return self.own_site
        site_id: int | None = None
        if self.own_equalizer is not None:
            site_id = self.own_equalizer.info.site_id
        elif self.hub_station is not None:
            site_id = self.charger.info.site_id
        if (site := self.account.sites.get(site_id or 0)) is None:
            raise invalid("easee_no_site", device=self.name)
        return site

    @property
    def circuit(self) -> CircuitInfo:
        """Return the circuit of the charger; raise if the account may not see it."""
        circuit_id = self.charger.info.circuit_id
        for circuit in self.site.circuits:
            if circuit.id == circuit_id:
                return circuit
        raise invalid("easee_no_site", device=self.name)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what goes wrong in the cloud into errors that users read."""
        with translated_easee_errors(self.name):
            try:
                yield
            except ScheduleError as err:
                raise invalid(err.problem, charger=self.name, what=err.what) from err

    def response(self, outcome: Outcome, **more: Any) -> dict[str, Any]:
        """Return a good outcome for a response; raise what became of any other."""
        if not outcome.ok:
            raise failure(self.name, outcome)
        return {**response(outcome), **more}


@callback
def async_resolve_easee(
    hass: HomeAssistant, device_id: str, named: int | None
) -> EaseeTarget:
    """Return what a device of an Easee account stands for."""
    device, entry = async_get_device_and_config_entry(hass, DOMAIN, device_id)
    name, hub = device.name_by_user or device.name or "", entry.runtime_data
    owner = device.id
    if isinstance(device, dr.ChildDeviceEntry):
        owner = device.parent_device_id or owner
    for hub_station in hub.stations.values():
        account_hub = hub_station.account_hub
        if hub_station.device_id == owner and account_hub is not None:
            name = hub_station.station.settings.name
            return EaseeTarget(hub=account_hub, name=name, hub_station=hub_station)
    if not isinstance(hub, EaseeHub):
        raise invalid("easee_no_account", device=name)
    identities = async_identities(device)
    for serial, equalizer in hub.account.equalizers.items():
        if serial in identities:
            name = equalizer.info.name
            return EaseeTarget(hub=hub, name=name, own_equalizer=equalizer)
    for site in hub.account.sites.values():
        if site_identifier(site.id) in identities:
            return EaseeTarget(hub=hub, name=site.name, own_site=site)
    return EaseeTarget(hub=hub, name=name)
