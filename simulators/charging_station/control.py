"""The control interface: plain HTTP by which a person or a test moves the cars."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiohttp import web

from .misbehaviour import Misbehaviour
from .rpc import TROUBLE
from .v16 import ChargingStation16
from .vehicle import Vehicle

type Act[Station] = Callable[[Station, dict[str, Any]], Awaitable[object]]


class Shown(Protocol):
    """A station that can be looked at."""

    def state(self) -> dict[str, Any]:
        """Return what the control interface shows."""
        ...


async def _plug(station: ChargingStation16, body: dict[str, Any]) -> None:
    vehicle = Vehicle(phases=station.vendor.phases)
    for name in ("cable_rating", "capacity", "maximum_current", "phases", "stored"):
        if name in body:
            setattr(vehicle, name, body[name])
    await station.plug_in(body.get("connector", 1), vehicle)


async def _unplug(station: ChargingStation16, body: dict[str, Any]) -> None:
    await station.unplug(body.get("connector", 1))


async def _swipe(station: ChargingStation16, body: dict[str, Any]) -> None:
    await station.swipe(body["token"], body.get("connector", 1))


async def _pause(station: ChargingStation16, body: dict[str, Any]) -> None:
    if (vehicle := station.connectors[body.get("connector", 1)].vehicle) is not None:
        vehicle.paused = body.get("on", True)


async def _full(station: ChargingStation16, body: dict[str, Any]) -> None:
    if (vehicle := station.connectors[body.get("connector", 1)].vehicle) is not None:
        vehicle.stored = vehicle.capacity


async def _fault(station: ChargingStation16, body: dict[str, Any]) -> None:
    await station.fault(
        body.get("error_code", "GroundFailure"), body.get("connector", 1)
    )


async def _clear_fault(station: ChargingStation16, body: dict[str, Any]) -> None:
    await station.clear_fault(body.get("connector", 1))


async def _reboot(station: ChargingStation16, body: dict[str, Any]) -> None:
    await station.reboot(hard=True, reason=body.get("reason", "Reboot"))


async def _offline(station: ChargingStation16, body: dict[str, Any]) -> None:
    station.reconnect = False
    await station.disconnect()


async def _online(station: ChargingStation16, body: dict[str, Any]) -> None:
    station.reconnect = True
    if not station.connected:
        await station.connect()


async def _misbehave(station: ChargingStation16, body: dict[str, Any]) -> None:
    name = Misbehaviour(body["name"])
    if body.get("on", True):
        station.misbehaviours.add(name)
    else:
        station.misbehaviours.discard(name)


async def _advance(station: ChargingStation16, body: dict[str, Any]) -> None:
    await station.pass_time(float(body["seconds"]), step=float(body.get("step", 1)))


async def _balance(station: ChargingStation16, body: dict[str, Any]) -> None:
    amps = body["amps"]
    connector = station.connectors[body.get("connector", 1)]
    connector.balanced = None if amps is None else float(amps)
    await station.apply_limits()


async def _install(station: ChargingStation16, body: dict[str, Any]) -> None:
    station.install(body["profile"], body.get("connector", 1))


async def _security_event(station: ChargingStation16, body: dict[str, Any]) -> None:
    station.security.event(body["type"], body.get("info"))


async def _sign_certificate(station: ChargingStation16, body: dict[str, Any]) -> None:
    await station.security.request_certificate()


ACTS: dict[str, Act[ChargingStation16]] = {
    "advance": _advance,
    "balance": _balance,
    "clear_fault": _clear_fault,
    "fault": _fault,
    "full": _full,
    "install": _install,
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


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request; raises ValueError for anything else."""
    body = await request.json() if request.can_read_body else {}
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004
    return body


def application(station: ChargingStation16) -> web.Application:
    """Return the web application that controls one station by `ACTS`."""
    return application_of(station, ACTS)


def application_of[Station: Shown](
    station: Station, acts: Mapping[str, Act[Station]]
) -> web.Application:
    """Return the web application that controls one station by some acts.

    `GET /state` shows it; `POST /<act>` with an optional JSON object moves it, and
    answers the new state. What is wrong with the request is answered 400, what goes
    wrong with the central system 502.
    """

    async def show(request: web.Request) -> web.Response:
        return web.json_response(station.state())

    async def act(request: web.Request) -> web.Response:
        if (doing := acts.get(request.match_info["act"])) is None:
            return web.json_response({"acts": sorted(acts)}, status=404)
        try:
            await doing(station, await _body(request))
        except (KeyError, TypeError, ValueError) as err:
            return web.json_response({"error": repr(err)}, status=400)
        except TROUBLE as err:
            return web.json_response({"error": repr(err)}, status=502)
        return web.json_response(station.state())

    app = web.Application()
    app.router.add_get("/state", show)
    app.router.add_post("/{act}", act)
    return app
