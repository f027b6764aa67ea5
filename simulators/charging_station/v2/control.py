"""The control interface of a 2.x station, and a day in its life."""

import asyncio
import contextlib
import random

from aiohttp import web

from ..control import Act, application_of
from ..misbehaviour import Misbehaviour
from ..rpc import TROUBLE
from ..vehicle import Vehicle
from .control_handlers import HANDLERS
from .station import ChargingStation
from .values import EventData, IdToken, Json

PAUSE = 5.0
"""How long everybody takes for one thing, in s."""

TOKEN = IdToken(id_token="DEMO-CARD-0001", type="Local")  # noqa: S106


def _place(body: Json) -> tuple[int, int]:
    return body.get("evse", 1), body.get("connector", 1)


async def _advance(station: ChargingStation, body: Json) -> None:
    await station.pass_time(float(body["seconds"]), step=float(body.get("step", 1)))


async def _clear_fault(station: ChargingStation, body: Json) -> None:
    await station.on_fault_cleared(*_place(body))
    await _problem(station, body, there=False)


async def _fault(station: ChargingStation, body: Json) -> None:
    await _problem(station, body, there=True)
    await station.on_faulted(*_place(body))


async def _problem(station: ChargingStation, body: Json, *, there: bool) -> None:
    """Tell of a problem the way EVerest does: as an event beside the status."""
    evse_id, connector_id = _place(body)
    event = EventData(
        event_id=body.get("event", 1),
        timestamp=station.clock(),
        component={
            "name": "Connector",
            "evse": {"id": evse_id, "connectorId": connector_id},
        },
        variable={"name": "Problem"},
        actual_value="true" if there else "false",
        cleared=not there,
        tech_code=body.get("code"),
        tech_info=body.get("info"),
    )
    await station.on_event([event])


async def _full(station: ChargingStation, body: Json) -> None:
    if (vehicle := station.box.places[body.get("evse", 1)].vehicle) is not None:
        vehicle.stored = vehicle.capacity


async def _install(station: ChargingStation, body: Json) -> None:
    station.charging.install(body.get("evse", 0), body["profile"])
    await station.box.apply_limits()


async def _lose_network(station: ChargingStation, body: Json) -> None:
    await station.on_network_disconnected()


async def _misbehave(station: ChargingStation, body: Json) -> None:
    station.moods.switch(Misbehaviour(body["name"]), on=body.get("on", True))


async def _offline(station: ChargingStation, body: Json) -> None:
    station.reconnect = False
    await station.disconnect()


async def _online(station: ChargingStation, body: Json) -> None:
    station.reconnect = True
    if not station.connected:
        await station.connect()


async def _pause(station: ChargingStation, body: Json) -> None:
    if (vehicle := station.box.places[body.get("evse", 1)].vehicle) is not None:
        vehicle.paused = body.get("on", True)


async def _plug(station: ChargingStation, body: Json) -> None:
    vehicle = Vehicle()
    for name in ("bidirectional", "capacity", "maximum_current", "phases", "stored"):
        if name in body:
            setattr(vehicle, name, body[name])
    await station.box.plug_in(vehicle, *_place(body))


async def _reboot(station: ChargingStation, body: Json) -> None:
    await station.reboot(body.get("reason", "PowerUp"))


async def _security_event(station: ChargingStation, body: Json) -> None:
    await station.on_security_event(body["type"], body.get("info"))


async def _sign_certificate(station: ChargingStation, body: Json) -> None:
    await station.security.request_certificate()


async def _swipe(station: ChargingStation, body: Json) -> None:
    token = IdToken(id_token=body["token"], type=body.get("type", "ISO14443"))
    await station.box.swipe(token, body.get("evse", 1))


async def _unplug(station: ChargingStation, body: Json) -> None:
    await station.box.unplug(body.get("evse", 1))


ACTS: dict[str, Act[ChargingStation]] = {
    **HANDLERS,
    "advance": _advance,
    "clear_fault": _clear_fault,
    "fault": _fault,
    "full": _full,
    "install": _install,
    "lose_network": _lose_network,
    "misbehave": _misbehave,
    "offline": _offline,
    "online": _online,
    "pause": _pause,
    "plug": _plug,
    "reboot": _reboot,
    "security_event": _security_event,
    "sign_certificate": _sign_certificate,
    "swipe": _swipe,
    "unplug": _unplug,
}


def application(station: ChargingStation) -> web.Application:
    """Return the web application that controls one station by `ACTS`."""
    return application_of(station, ACTS)


async def demonstrate(station: ChargingStation) -> None:
    """Have somebody at every EVSE: drive in, swipe, charge, leave, over and over."""
    visits = (_visits(station, evse_id) for evse_id in station.box.places)
    await asyncio.gather(*visits)


async def _visits(station: ChargingStation, evse_id: int) -> None:
    """Have one EVSE used by one vehicle after the other, at any of its connectors."""
    while True:
        # Each EVSE begins a little later than the one before it.
        await asyncio.sleep(PAUSE * evse_id)
        with contextlib.suppress(*TROUBLE):
            vehicle = Vehicle(stored=random.uniform(10_000, 30_000))
            connector_id = random.randint(1, station.evses[evse_id - 1])
            await station.box.plug_in(vehicle, evse_id, connector_id)
            await asyncio.sleep(PAUSE)
            await station.box.swipe(TOKEN, evse_id)
            await asyncio.sleep(1200)
            await station.box.swipe(TOKEN, evse_id)
            await asyncio.sleep(20)
            await station.box.unplug(evse_id)
