"""Run a virtual charging station: `python -m simulators.charging_station --help`."""

import argparse
import asyncio
import contextlib
import logging
from pathlib import Path
import random

from aiohttp import web

from . import VENDORS, ChargingStation16, Misbehaviour, Vehicle
from .certificates import certificates_in
from .control import application
from .rpc import TROUBLE
from .transfer import Way

_LOGGER = logging.getLogger(__name__)

TICK = 1.0
RECONNECT = 3.0


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.charging_station", description=__doc__
    )
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
    parser.add_argument("--vendor", choices=sorted(VENDORS), default="generic")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds per second")
    parser.add_argument("--control-port", type=int, help="serve the control interface")
    parser.add_argument("--demo", action="store_true", help="charge, over and over")
    parser.add_argument(
        "--misbehave", action="append", default=[], choices=sorted(Misbehaviour)
    )
    parser.add_argument("--verbose", action="store_true", help="show every frame")
    return parser.parse_args()


async def stay_connected(station: ChargingStation16, pause: float) -> None:
    """Dial in whenever the socket is gone."""
    while True:
        if not station.connected and station.reconnect:
            try:
                await station.connect()
                _LOGGER.info("%s: connected to %s", station.identity, station.url)
            except TROUBLE as err:
                _LOGGER.info("%s: not connected: %s", station.identity, err)
        await asyncio.sleep(pause)


async def keep_time(station: ChargingStation16, speed: float) -> None:
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


async def run(station: ChargingStation16, args: argparse.Namespace) -> None:
    """Keep a station going until it is interrupted, then switch it off."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(station.close)
        if args.control_port is not None:
            runner = web.AppRunner(application(station), access_log=None)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", args.control_port).start()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        group.create_task(stay_connected(station, args.reconnect))
        group.create_task(keep_time(station, args.speed))
        if args.demo:
            group.create_task(demonstrate(station))


def station_of(args: argparse.Namespace) -> ChargingStation16:
    """Return the station that the command line describes."""
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
