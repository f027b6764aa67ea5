"""Run a virtual Easee cloud: `python -m simulators.easee_cloud --help`."""

import argparse
import asyncio
import contextlib
from datetime import UTC, datetime
import logging
from pathlib import Path

from aiohttp import web

from .clock import SimulatedTime
from .cloud import EaseeCloud
from .control import application
from .dialer import Dialer
from .seed import CHARGER, EMAIL, PASSWORD, seeded
from .vehicle import Vehicle

_LOGGER = logging.getLogger(__name__)

TICK = 0.1
STAY = 900.0
"""How many seconds the car of the demonstration stays, and stays away."""
CARD = "DE30C0DE"
SWIPED_AFTER = 15.0
"""Seconds until somebody shows a card, where the charger still waits for one."""


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.easee_cloud", description=__doc__
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--email", default=EMAIL)
    parser.add_argument("--password", default=PASSWORD)
    parser.add_argument("--second", action="store_true", help="add another charger")
    parser.add_argument("--second-site", action="store_true", help="add a cabin")
    parser.add_argument(
        "--no-equalizer", action="store_true", help="leave out the equalizer"
    )
    parser.add_argument("--speed", type=float, default=1.0, help="seconds per second")
    parser.add_argument("--control-port", type=int, help="serve the control interface")
    parser.add_argument("--demo", action="store_true", help="charge, over and over")
    parser.add_argument("--transcript", type=Path, help="write it there at the end")
    parser.add_argument("--verbose", action="store_true", help="show every line")
    return parser.parse_args()


async def keep_time(time: SimulatedTime, speed: float) -> None:
    """Let time pass, as fast as asked for."""
    loop = asyncio.get_running_loop()
    last = loop.time()
    while True:
        await asyncio.sleep(TICK)
        # A nap lasts longer than asked for, and that must not add up.
        now = loop.time()
        time.advance((now - last) * speed)
        last = now


def demonstrate(cloud: EaseeCloud) -> None:
    """Drive in and away again, over and over."""
    charger = cloud.chargers[CHARGER]

    def arrive() -> None:
        charger.plug_in(Vehicle())
        cloud.clock.call_later(SWIPED_AFTER, show_card)
        cloud.clock.call_later(STAY, leave)

    def show_card() -> None:
        if charger.asks and charger.session is None:
            charger.swipe(CARD)

    def leave() -> None:
        charger.unplug()
        cloud.clock.call_later(STAY, arrive)

    cloud.clock.call_later(5, arrive)


async def run(cloud: EaseeCloud, args: argparse.Namespace) -> None:
    """Serve until interrupted."""
    async with contextlib.AsyncExitStack() as stack:
        dialer = Dialer(cloud.local_ocpp)
        stack.push_async_callback(dialer.close)
        stack.push_async_callback(cloud.stop)
        await cloud.start(args.port, args.host)
        _LOGGER.info("Serving on %s, account %s", cloud.url, args.email)
        if args.control_port is not None:
            runner = web.AppRunner(application(cloud), access_log=None)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", args.control_port).start()
        if args.demo:
            demonstrate(cloud)
        assert isinstance(cloud.time, SimulatedTime)
        await keep_time(cloud.time, args.speed)


async def main() -> None:
    """Run a cloud until it is told to stop."""
    args = arguments()
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO,
        format="%(asctime)s %(name)s %(message)s",
    )
    cloud = seeded(
        SimulatedTime(datetime.now(UTC)),
        second=args.second,
        equalizer=not args.no_equalizer,
        second_site=args.second_site,
    )
    account = cloud.tokens.accounts[0]
    account.email, account.password = args.email, args.password
    try:
        await run(cloud, args)
    finally:
        if args.transcript is not None:
            cloud.journal.write(args.transcript)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
