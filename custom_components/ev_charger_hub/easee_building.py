"""Building: an Easee charger from what the account lists and the journal kept of it."""

from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import TYPE_CHECKING

from homeassistant.core import callback

from .building import async_build_parts
from .devices import async_refresh_charger
from .easee.charger import EaseeCharger
from .easee.echo import Echo
from .easee.limit_watch import LimitWatch
from .easee.link import EaseeLink
from .easee.products import ChargerInfo
from .easee.readings import Readings
from .easee_devices import async_register_easee_charger
from .easee_settings import TELLING, charger_options, charger_settings
from .handover import async_server_of, async_take_device
from .leftovers import async_forget_server
from .models import CloudSide, HubStation
from .station import limits
from .station.free_charging import FreeCharging
from .station.limiter.watch import Watch
from .station.link import LinkKind
from .station.model import ChargingStation
from .station.transactions import Transactions
from .storage import DATA
from .token_entries import async_rename_charger

if TYPE_CHECKING:
    from .easee_hub import EaseeHub


async def async_build_easee_charger(hub: EaseeHub, info: ChargerInfo) -> HubStation:
    """Return a charger that knows what was known of it; raises JournalError."""
    async with AsyncExitStack() as ending:
        return await _async_build(hub, info, ending)


async def _async_build(
    hub: EaseeHub, info: ChargerInfo, ending: AsyncExitStack
) -> HubStation:
    """Return a charger whose parts end with `ending`, which it takes along."""
    identity, serial = hub.identity_of(info), info.serial.upper()
    settings = charger_settings(
        charger_options(hub.entry, serial), info.name, Readings()
    )
    if identity != serial:
        # A server that is gone called it so.
        await hub.journal.rename(serial, identity)
        async_rename_charger(hub.hass, serial, identity)
    station = ChargingStation(identity, settings)
    station.ways = {LinkKind.EASEE}
    parts = await async_build_parts(hub, station, ending)
    charger = build_cloud_side(hub, info, station, parts["transactions"], ending)
    former = () if identity == serial else (serial,)
    async_take_device(hub.hass, hub.entry, None, identity, *former)
    device_id = async_register_easee_charger(
        hub.hass, hub.entry, station, info, hub.via_device(info)
    )
    if async_server_of(hub.hass, identity) is None:
        # No server is to come back and fill them.
        await async_forget_server(hub.hass, device_id, identity)
    hub_station = HubStation(
        **parts,
        station=station,
        subentry_id=None,
        device_id=device_id,
        ending=ending.pop_all(),
    )
    hub_station.cloud.set(CloudSide(hub=hub, charger=charger))
    return hub_station


def build_cloud_side(
    hub: EaseeHub,
    info: ChargerInfo,
    station: ChargingStation,
    transactions: Transactions,
    ending: AsyncExitStack | ExitStack,
) -> EaseeCharger:
    """Return what feeds a station from the cloud, and is a way to it, until `ending`."""
    account, serial = hub.account, info.serial.upper()
    readings = Readings()
    link = EaseeLink(
        account.commands,
        readings,
        account.time,
        serial=info.serial,
        reachable=partial(_reachable, station),
        echo=Echo(
            readings,
            account.time,
            hears=partial(account.stream.hears, info.serial),
            refresh=partial(account.refresh, serial),
        ),
    )
    charger = EaseeCharger(
        info, station, transactions, account.time, link=link, readings=readings
    )
    charger.costs = hub.products.costs_at(info.serial)
    ending.callback(_stop, hub, charger)
    ending.callback(
        _stop_watching, hub, LimitWatch(station, link, readings, account.time)
    )
    return charger


def _stop(hub: EaseeHub, charger: EaseeCharger) -> None:
    """Feed a station no more; as Home Assistant stops, it goes on afterwards."""
    charger.stop(comes_back=hub.hass.is_stopping)


def _stop_watching(hub: EaseeHub, watch: LimitWatch) -> None:
    """Follow the limits of a station no more; see above."""
    watch.close(comes_back=hub.hass.is_stopping)


def _reachable(station: ChargingStation) -> bool:
    """Return whether a charger is there to be told something."""
    return station.remote.value


@callback
def follow(hub: EaseeHub, hub_station: HubStation) -> tuple[Callable[[], None], ...]:
    """Do what follows from what a charger does; return what ends that."""
    hass, station, charger = hub.hass, hub_station.station, hub_station.easee
    assert charger is not None
    desk = hass.data[DATA].desk
    time = hub.account.time
    settings_changed = partial(apply_settings, hub, hub_station)
    return (
        station.info.subscribe(
            partial(async_refresh_charger, hass, hub_station.device_id, station)
        ),
        *hub.snapshots.follow(hub_station),
        Watch(station, hub_station.limiter, time, call_later=time.call_later).close,
        desk.follow(hub.entry.entry_id, hub_station),
        *(charger.readings.channel(one).subscribe(settings_changed) for one in TELLING),
        FreeCharging(
            station,
            hub.own_id_token,
            spawn=partial(hub.entry.async_create_background_task, hass),
            clock=time,
            call_later=time.call_later,
        ).close,
    )


@callback
def apply_settings(hub: EaseeHub, hub_station: HubStation) -> None:
    """Apply what the user decided about a charger, or what follows from its reports."""
    station, charger = hub_station.station, hub_station.easee
    assert charger is not None
    name = charger.info.name
    chosen = charger_options(hub.entry, charger.serial.upper())
    settings = charger_settings(chosen, name, charger.readings)
    if settings == station.settings:
        return
    station.settings = settings
    async_refresh_charger(hub.hass, hub_station.device_id, station)
    limits.clamp(station)
    station.online.notify()
