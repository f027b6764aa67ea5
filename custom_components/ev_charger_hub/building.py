"""Building: a charger from its settings and what the journal kept of it."""

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

from homeassistant.config_entries import ConfigSubentry

from .const import SNAPSHOT
from .devices import async_register_charger
from .log_files import LogFiles
from .models import OcppStation
from .ocpp.recall import recall_variables
from .prices import PriceWatch
from .security_ports import security_ports
from .settings import station_settings
from .station.clock import utc_now
from .station.costs import Costs
from .station.firmware import Firmware
from .station.interrupted import resume
from .station.limiter.limiter import Limiter
from .station.local_list import LocalList
from .station.logs import Logs
from .station.model import ChargingStation
from .station.pending_restart import PendingRestart
from .station.profiles.ledger import Ledger
from .station.reservations import Reservations
from .station.security.security import Security
from .station.session_limits import SessionLimits
from .station.snapshot import restore
from .station.token_types import FACT as TOKEN_TYPES
from .station.transactions import Transactions
from .storage import DATA

if TYPE_CHECKING:
    from .hub import OcppHub
    from .hub_base import Hub


class Parts(TypedDict):
    """What every charger has, by whichever way it is reached."""

    transactions: Transactions
    ledger: Ledger
    limiter: Limiter
    firmware: Firmware
    local_list: LocalList
    reservations: Reservations


async def async_build_charger(
    hub: OcppHub, identity: str, subentry: ConfigSubentry
) -> OcppStation:
    """Return a charger that knows what was known of it; raises JournalError."""
    async with AsyncExitStack() as ending:
        return await _async_build(hub, identity, subentry, ending)


async def _async_build(
    hub: OcppHub, identity: str, subentry: ConfigSubentry, ending: AsyncExitStack
) -> OcppStation:
    """Return a charger whose parts end with `ending`, which it takes along."""
    hass, entry, journal = hub.hass, hub.entry, hub.journal
    station = ChargingStation(identity, station_settings(subentry))
    parts = await async_build_parts(hub, station, ending)
    await recall_variables(station, journal)
    security = Security(
        station,
        journal,
        utc_now,
        ports=security_ports(hub, station),
        spawn=partial(entry.async_create_background_task, hass),
    )
    ending.callback(security.close)
    await security.load()
    logs = Logs(station, journal, utc_now)
    await logs.load()
    log_files = LogFiles(hub, station, logs, subentry.subentry_id)
    ending.callback(log_files.close)
    await log_files.async_load()
    device_id = async_register_charger(
        hass, entry, subentry.subentry_id, station, hub.server_id
    )
    return OcppStation(
        **parts,
        station=station,
        security=security,
        log_files=log_files,
        subentry_id=subentry.subentry_id,
        device_id=device_id,
        ending=ending.pop_all(),
    )


async def async_build_parts(
    hub: Hub[Any], station: ChargingStation, ending: AsyncExitStack
) -> Parts:
    """Return the parts of a station that knows what was known of it."""
    hass, identity, journal = hub.hass, station.identity, hub.journal
    clock, call_later = hub.clock, hub.call_later
    spawn = partial(hub.entry.async_create_background_task, hass)
    if (kept := await journal.load(identity, SNAPSHOT)) is not None:
        restore(station, kept)
    pending_restart = PendingRestart(station, journal, spawn)
    ending.callback(pending_restart.close)
    await pending_restart.load()
    station.token_types.restore(await journal.load(identity, TOKEN_TYPES))
    station.token_types.keep = partial(journal.store_soon, identity, TOKEN_TYPES)
    transactions = Transactions(station, journal, clock, call_later=call_later)
    ending.push_async_callback(transactions.close)
    await transactions.load()
    resume(station, kept, clock())
    ledger = Ledger(station, journal)
    await ledger.load()
    limiter = Limiter(
        station, journal, clock, ledger=ledger, spawn=spawn, call_later=call_later
    )
    ending.callback(limiter.close)
    await limiter.load()
    tokens = hass.data[DATA].tokens
    reservations = Reservations(
        station, journal, clock, name_of=tokens.name_of, call_later=call_later
    )
    ending.push_async_callback(reservations.close)
    await reservations.load()
    local_list = LocalList(
        station,
        journal,
        partial(tokens.entries, identity),
        spawn=spawn,
        call_later=call_later,
    )
    ending.callback(local_list.close)
    await local_list.load()
    firmware = Firmware(station, journal, clock, call_later=call_later)
    ending.callback(firmware.close)
    await firmware.load()
    costs = Costs(station, journal, clock, spawn=spawn)
    ending.callback(costs.close)
    await costs.load()
    ending.callback(PriceWatch(hass, station, costs).close)
    session_limits = SessionLimits(
        station, journal, clock, spawn=spawn, call_later=call_later
    )
    ending.callback(session_limits.close)
    await session_limits.load()
    return {
        "transactions": transactions,
        "ledger": ledger,
        "limiter": limiter,
        "firmware": firmware,
        "local_list": local_list,
        "reservations": reservations,
    }
