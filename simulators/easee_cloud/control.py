"""The control interface: plain HTTP by which a person or a test moves the world."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from .charger import Charger
from .clock import SimulatedTime
from .cloud import EaseeCloud
from .commands import Behaviour
from .faults import Fault
from .twin import Twin
from .vehicle import Vehicle

DETAILS = {"identity": "chargePointId", "password": "basicAuthPassword"}
"""What else there is to local OCPP than an address, and what the API calls it."""

type Act = Callable[[EaseeCloud, dict[str, Any]], None]


def _charger(cloud: EaseeCloud, body: dict[str, Any]) -> Any:
    serial = body.pop("serial", next(iter(cloud.chargers)))
    return cloud.chargers[serial]


def _product(cloud: EaseeCloud, body: dict[str, Any]) -> Any:
    serial = body.pop("serial", next(iter(cloud.chargers)))
    return cloud.chargers.get(serial) or cloud.equalizers[serial]


def _plug(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    charger = _charger(cloud, body)
    charger.plug_in(Vehicle(**body))


def _unplug(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _charger(cloud, body).unplug()


def _swipe(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _charger(cloud, body).swipe(body["token"])


def _pause(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _charger(cloud, body).pause_car(body.get("on", True))


def _fail(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _charger(cloud, body).fail(body.get("code", 110), body.get("text", "Ground fault"))


def _reboot(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _charger(cloud, body).reboot()


def _offline(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _product(cloud, body).go_offline()


def _online(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _product(cloud, body).go_online()


def _observe(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _product(cloud, body).observe(int(body["id"]), body["value"], force=True)


def _pretend(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _product(cloud, body).pretend(
        int(body["id"]), body["value"], data_type=body.get("data_type")
    )


def _firmware(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _product(cloud, body).latest_firmware = int(body["latest"])


def _house(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    for equalizer in cloud.equalizers.values():
        equalizer.set_house(body.get("amps", equalizer.house), body.get("solar"))


def _command(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    times = body.pop("times", 1)
    cloud.commands.next(*[replace(Behaviour(), **body)] * times)


def _rogue(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.rogue(_charger(cloud, body).serial, **body)


def _fault(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.faults.add(Fault(**body))


def _outage(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.outage(body.get("status", 503))


def _recover(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.recover()
    cloud.limits.blocked_until = None


def _block(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.limits.block(body.get("seconds"))


def _revoke(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.tokens.revoke_sessions()
    if body.get("access", True):
        cloud.hub.drop()


def _skew(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.clock.skew = timedelta(seconds=body["seconds"])


def _drop(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.hub.drop()


def _close(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.hub.close(reconnect=body.get("reconnect", True))


def _silence(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.hub.fall_silent()


def _operator(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.pair_operator(_charger(cloud, body).serial, int(body["id"]))


def _foreign_ocpp(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    charger = _charger(cloud, body)
    more = {
        field: body[name]
        for name, field in DETAILS.items()
        if body.get(name) is not None
    }
    mode = "DualProtocol" if body.get("on", True) else "OcppOff"
    cloud.local_ocpp.foreign_change(charger, body["url"], mode, **more)


def _twin(cloud: EaseeCloud, body: dict[str, Any]) -> Twin:
    charger = _charger(cloud, body)
    if cloud.local_ocpp.twin is None:
        raise ValueError("no charger dials here")
    return cloud.local_ocpp.twin(charger)


def _cut_ocpp(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _twin(cloud, body).cut()


def _restore_ocpp(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _twin(cloud, body).restore()


def _misbehave(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    _twin(cloud, body).misbehave(body["name"], on=body.get("on", True))


def _cut_cloud(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    charger = _charger(cloud, body)
    cloud.outage(None)
    if body.get("charger", False):
        charger.go_offline()


def _restore_cloud(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    cloud.recover()
    _charger(cloud, body).go_online()


def _circuit(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    circuit = _charger(cloud, body).circuit
    for name in ("dynamic", "maximum", "offline"):
        if name in body:
            setattr(circuit, name, [float(body[name])] * 3)
    circuit.changed()


def _advance(cloud: EaseeCloud, body: dict[str, Any]) -> None:
    if isinstance(cloud.time, SimulatedTime):
        cloud.time.advance(float(body["seconds"]))


ACTS: dict[str, Act] = {
    "advance": _advance,
    "block": _block,
    "circuit": _circuit,
    "close": _close,
    "command": _command,
    "cut_cloud": _cut_cloud,
    "cut_ocpp": _cut_ocpp,
    "drop": _drop,
    "fail": _fail,
    "fault": _fault,
    "firmware": _firmware,
    "foreign_ocpp": _foreign_ocpp,
    "house": _house,
    "misbehave": _misbehave,
    "observe": _observe,
    "offline": _offline,
    "online": _online,
    "operator": _operator,
    "outage": _outage,
    "pause": _pause,
    "plug": _plug,
    "pretend": _pretend,
    "reboot": _reboot,
    "recover": _recover,
    "restore_cloud": _restore_cloud,
    "restore_ocpp": _restore_ocpp,
    "revoke": _revoke,
    "rogue": _rogue,
    "silence": _silence,
    "skew": _skew,
    "swipe": _swipe,
    "unplug": _unplug,
}


def _ocpp(cloud: EaseeCloud, charger: Charger) -> dict[str, Any] | None:
    twin = cloud.local_ocpp.twin
    return None if twin is None else twin(charger).state()


def state(cloud: EaseeCloud) -> dict[str, Any]:
    """Return what the control interface shows."""
    return {
        "now": cloud.clock().isoformat(),
        "chargers": {
            charger.serial: {
                "online": charger.online,
                "mode": charger.mode.name.lower(),
                "reason": charger[96],
                "offered": charger.offered,
                "power": charger.power,
                "session": None if charger.session is None else charger.session.id,
                "dynamic": charger[48],
                "phase_mode": charger[38],
                "schedule": charger.schedules.enabled,
                "ocpp": _ocpp(cloud, charger),
            }
            for charger in cloud.chargers.values()
        },
        "equalizers": {
            one.serial: {"online": one.online, "available": one.available()}
            for one in cloud.equalizers.values()
        },
        "streams": len(cloud.hub.connections),
        "subscriptions": cloud.hub.subscriptions(),
        "requests": len(cloud.journal.requests),
    }


def application(cloud: EaseeCloud) -> web.Application:
    """Return the web application that moves a cloud by `ACTS`.

    `GET /state` shows it, `GET /transcript` all that went over the wires; `POST /<act>`
    with an optional JSON object moves it, and answers the new state.
    """

    async def show(request: web.Request) -> web.Response:
        return web.json_response(state(cloud))

    async def transcript(request: web.Request) -> web.Response:
        return web.Response(text=cloud.journal.transcript())

    async def act(request: web.Request) -> web.Response:
        if (doing := ACTS.get(request.match_info["act"])) is None:
            return web.json_response({"acts": sorted(ACTS)}, status=404)
        try:
            doing(cloud, await request.json() if request.can_read_body else {})
        except (AttributeError, KeyError, TypeError, ValueError) as err:
            return web.json_response({"error": repr(err)}, status=400)
        return web.json_response(state(cloud))

    app = web.Application()
    app.router.add_get("/state", show)
    app.router.add_get("/transcript", transcript)
    app.router.add_post("/{act}", act)
    return app
