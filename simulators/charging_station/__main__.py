"""Run a virtual charging station: `python -m simulators.charging_station --help`."""

import argparse
import asyncio
from collections.abc import Coroutine
import contextlib
import logging
from pathlib import Path
import random
from typing import Any

from aiohttp import web

from . import VENDORS, ChargingStation16, Misbehaviour, Vehicle, v2
from .certificates import certificates_in
from .control import application
from .rpc import TROUBLE
from .transfer import Way
from .v2.control import application as application_2, demonstrate as demonstrate_2

_LOGGER = logging.getLogger(__name__)

TICK = 1.0
RECONNECT = 3.0
ONLY_2 = {Misbehaviour.LOSE_EVENTS}
"""What only a station of OCPP 2.x can get wrong."""


type Station = ChargingStation16 | v2.ChargingStation


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.charging_station", description=__doc__
    )
    parser.add_argument("--ocpp", choices=["1.6", "2.0.1", "2.1"], default="1.6")
    parser.add_argument("--url", default="ws://127.0.0.1:9000/ocpp")
    parser.add_argument("--identity", default="DEMO")
    parser.add_argument("--password")
    parser.add_argument(
        "--security-profile", type=int, choices=range(4), help="where it starts"
    )
    parser.add_argument("--root-certificate", type=Path, help="PEM file it trusts")
    parser.add_argument("--manufacturer-certificate", type=Path, help="PEM file")
    parser.add_argument("--common-name", help="what its certificate is to be made for")
    parser.add_argument("--fetch", action="store_true", help="download firmware")
    parser.add_argument("--upload", choices=list(Way), default=Way.PUT)
    parser.add_argument(
        "--bare-upload", action="store_true", help="add no file name to the location"
    )
    parser.add_argument("--state", type=Path, help="JSON file that outlives a kill")
    parser.add_argument(
        "--reconnect", type=float, default=RECONNECT, help="seconds between attempts"
    )
    parser.add_argument("--connectors", type=int, default=1)
    parser.add_argument("--evses", help="connectors of each EVSE (2.x), like 1,2")
    parser.add_argument(
        "--everything",
        action="store_true",
        help="can do all of OCPP 2.1: DER, V2X, tariffs, streams, battery swaps",
    )
    parser.add_argument("--device-model", type=Path, help="JSON file (2.x)")
    parser.add_argument("--vendor", choices=sorted(VENDORS), default="generic")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds per second")
    parser.add_argument("--control-port", type=int, help="serve the control interface")
    parser.add_argument("--demo", action="store_true", help="charge, over and over")
    parser.add_argument(
        "--misbehave", action="append", default=[], choices=sorted(Misbehaviour)
    )
    parser.add_argument("--verbose", action="store_true", help="show every frame")
    args = parser.parse_args()
    if args.ocpp != "1.6" and args.vendor not in v2.VENDORS_2:
        parser.error(f"{args.vendor} is a vendor of OCPP 1.6")
    known = {*Misbehaviour} - ONLY_2 if args.ocpp == "1.6" else v2.SUPPORTED
    if unknown := {*args.misbehave} - known:
        parser.error(f"not with OCPP {args.ocpp}: {', '.join(sorted(unknown))}")
    return args


async def stay_connected(station: Station, pause: float) -> None:
    """Dial in whenever the socket is gone."""
    while True:
        if not station.connected and station.reconnect:
            try:
                await station.connect()
                _LOGGER.info("%s: connected to %s", station.identity, station.url)
            except TROUBLE as err:
                _LOGGER.info("%s: not connected: %s", station.identity, err)
        await asyncio.sleep(pause)


async def keep_time(station: Station, speed: float) -> None:
    """Let time pass, as fast as asked for."""
    while True:
        await asyncio.sleep(TICK)
        if speed != 1:
            # TICK has passed on the clock already.
            station.clock.advance(TICK * (speed - 1))
        with contextlib.suppress(*TROUBLE):
            await station.advance(TICK * speed)


async def demonstrate(station: ChargingStation16) -> None:
    """Drive in, swipe, charge, pause for a moment, finish and leave, over and over."""
    while True:
        with contextlib.suppress(*TROUBLE):
            await station.booted.wait()
            await asyncio.sleep(5)
            stored = random.uniform(10_000, 30_000)
            await station.plug_in(
                1, Vehicle(stored=stored, phases=station.vendor.phases)
            )
            await asyncio.sleep(5)
            await station.swipe("DEMO-CARD-0001")
            await asyncio.sleep(600)
            if (vehicle := station.connectors[1].vehicle) is not None:
                vehicle.paused = True
                await asyncio.sleep(30)
                vehicle.paused = False
            await asyncio.sleep(600)
            await station.swipe("DEMO-CARD-0001")
            await asyncio.sleep(20)
            await station.unplug(1)
        await asyncio.sleep(5)


async def run(station: Station, args: argparse.Namespace) -> None:
    """Keep a station going until it is interrupted, then switch it off."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(station.close)
        if args.control_port is not None:
            runner = web.AppRunner(_control(station), access_log=None)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", args.control_port).start()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(stay_connected(station, args.reconnect))
        group.create_task(keep_time(station, args.speed))
        if args.demo:
            group.create_task(_demonstration(station))


def _control(station: Station) -> web.Application:
    if isinstance(station, v2.ChargingStation):
        return application_2(station)
    return application(station)


def _demonstration(station: Station) -> Coroutine[Any, Any, None]:
    if isinstance(station, v2.ChargingStation):
        return demonstrate_2(station)
    return demonstrate(station)


def station_of(args: argparse.Namespace) -> Station:
    """Return the station that the command line describes."""
    return station_16(args) if args.ocpp == "1.6" else station_2(args)


def station_2(args: argparse.Namespace) -> v2.ChargingStation:
    """Return a station of OCPP 2.0.1, or of 2.1 which also offers the other."""
    evses = [int(one) for one in args.evses.split(",")] if args.evses else None
    station = v2.ChargingStation(
        args.url,
        args.identity,
        evses=evses or [1] * args.connectors,
        versions=("2.1", "2.0.1") if args.ocpp == "2.1" else ("2.0.1",),
        password=args.password,
        security_profile=args.security_profile,
        device_model=args.device_model
        or (v2.EVERYTHING if args.everything else v2.DEFAULT),
        memory=args.state,
        vendor=v2.VENDORS_2[args.vendor],
        misbehaviours=[Misbehaviour(name) for name in args.misbehave],
    )
    station.security.trust(certificates_in(args.root_certificate))
    manufacturer = certificates_in(args.manufacturer_certificate)
    station.security.trust(manufacturer, "ManufacturerRootCertificate")
    station.logs.way = Way(args.upload)
    station.logs.append = not args.bare_upload
    station.pings = True
    return station


def station_16(args: argparse.Namespace) -> ChargingStation16:
    """Return a station of OCPP 1.6."""
    station = ChargingStation16(
        args.url,
        args.identity,
        connectors=args.connectors,
        password=args.password,
        vendor=VENDORS[args.vendor],
        misbehaviours=[Misbehaviour(name) for name in args.misbehave],
        security_profile=args.security_profile,
        common_name=args.common_name,
        memory=args.state,
    )
    station.security.trust(
        certificates_in(args.root_certificate),
        certificates_in(args.manufacturer_certificate),
    )
    station.firmware.fetch = args.fetch
    station.logs.way = Way(args.upload)
    station.logs.append = not args.bare_upload
    return station


async def main() -> None:
    """Run one station until it is told to stop."""
    args = arguments()
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO,
        format="%(asctime)s %(name)s %(message)s",
    )
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    await run(station_of(args), args)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
