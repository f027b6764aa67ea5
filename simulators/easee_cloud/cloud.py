"""The cloud: everything in one place, and the web server in front of it."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
import json
from typing import Any

from aiohttp import web

from . import rest_account, rest_charger, rest_history, rest_schedules, rest_site
from .answers import HTML, NotFound, Refused, answer
from .charger import Charger
from .clock import TURNS, CloudClock, SimulatedTime, Time, stamp
from .commands import Commands, Sent
from .equalizer import Equalizer
from .faults import Cut, Faults, Limits
from .hub import PATH, REGION, Hub
from .journal import Journal, Request
from .local_ocpp import LocalOcpp
from .orders import Order, settings
from .products import Product
from .routes import ACCOUNT, BODY
from .site import Circuit, Site
from .tokens import Account, Tokens

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OPEN = ("/api/accounts/login", "/api/accounts/refresh_token", "/health")
"""Paths that need no token."""


class EaseeCloud:
    """A virtual Easee cloud with accounts, sites, chargers and equalizers."""

    def __init__(self, time: Time | None = None) -> None:
        """Create an empty cloud that lives by `time`."""
        self.time = time or SimulatedTime()
        self.clock = CloudClock(self.time)
        self.journal = Journal()
        self.tokens = Tokens(self.clock)
        self.faults = Faults(self.clock)
        self.limits = Limits(self.clock)
        self.hub = Hub(self.clock, self.journal, self)
        self.commands = Commands(self.clock, self.hub.responded)
        self.local_ocpp = LocalOcpp(self.clock)
        self.sites: dict[int, Site] = {}
        self.chargers: dict[str, Charger] = {}
        self.equalizers: dict[str, Equalizer] = {}
        self.unauthorized: Any = {"message": "Unauthorized"}
        """The body of an answer 401: an object, "null", text, or None for none."""
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def hub_url(self) -> str:
        """Return the address of the stream."""
        return self.url + PATH

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Serve."""
        self._runner = web.AppRunner(
            self.application(), access_log=None, shutdown_timeout=0.01
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Serve no longer."""
        await self.hub.stop()
        self.faults.stop()
        # Who has hung up meanwhile is not the server's to end any more.
        await self._turns()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def application(self) -> web.Application:
        """Return the web application."""
        app = web.Application(middlewares=[self._guard])
        for part in (
            rest_account,
            rest_charger,
            rest_history,
            rest_schedules,
            rest_site,
        ):
            app.add_routes(part.routes(self))
        for path in (PATH, REGION):
            app.router.add_post(f"{path}/negotiate", self._negotiate)
            app.router.add_get(path, self._stream, allow_head=False)
        return app

    def add_site(self, number: int, name: str, rated: float = 63.0) -> Site:
        """Add a site."""
        self.sites[number] = site = Site(number, name, rated)
        return site

    def add_circuit(self, site: Site, rated: float = 32.0) -> Circuit:
        """Add a circuit to a site."""
        number = 10 * site.id + len(site.circuits) + 1
        circuit = Circuit(number, site, self.clock, rated)
        site.circuits.append(circuit)
        return circuit

    def add_charger(
        self, circuit: Circuit, serial: str, name: str, **what: Any
    ) -> Charger:
        """Add a charger to a circuit."""
        charger = Charger(serial, name, self.clock, circuit, **what)
        self.chargers[serial] = charger
        charger.listeners.append(self.hub.observed)
        return charger

    def add_equalizer(self, site: Site, serial: str, name: str) -> Equalizer:
        """Add the equalizer of a site."""
        equalizer = Equalizer(serial, name, self.clock, site)
        self.equalizers[serial] = equalizer
        equalizer.listeners.append(self.hub.observed)
        site.changed()
        return equalizer

    def product_of(self, account: Account, serial: str) -> Product | None:
        """Return a product, if it is there and the account may see it."""
        site = None
        product = self.chargers.get(serial) or self.equalizers.get(serial)
        if isinstance(product, Charger):
            site = product.circuit.site
        elif isinstance(product, Equalizer):
            site = product.site
        return product if site is not None and site.id in account.sites else None

    def sites_of(self, account: Account) -> list[Site]:
        """Return the sites of an account."""
        return [self.sites[number] for number in account.sites]

    def rogue(self, serial: str, **changes: Any) -> None:
        """Let another system change settings of a charger."""
        charger = self.chargers[serial]
        for order in settings(charger, changes):
            self.commands.rogue(charger, order)

    def rogue_response(self, serial: str, command: int = 48) -> None:
        """Tell the outcome of a command of another system, without any effect."""
        now = stamp(self.clock())
        self.hub.responded(
            serial,
            {
                "serialNumber": serial,
                "id": command,
                "timestamp": now,
                "deliveredAt": now,
                "wasAccepted": True,
                "resultCode": 3,
                "comment": "",
                "ticks": self.clock.ticks(),
            },
        )

    def pair_operator(self, serial: str, number: int) -> None:
        """Pair another operator, as somebody does in the app: OCPP is wiped."""
        charger = self.chargers[serial]
        charger.operator = {"id": number, "name": f"Operator {number}"}
        self.local_ocpp.forget(charger)
        charger.circuit.changed()

    def outage(self, status: int | None = 503, body: Any = HTML) -> None:
        """Let everything be down, the stream included."""
        self.faults.outage(status, body)
        self.hub.drop()

    def recover(self) -> None:
        """Let everything work again."""
        self.faults.clear()

    async def send(self, product: Product, order: Order) -> Sent:
        """Send a command, and hold the answer back if its outcome is to come first."""
        sent = self.commands.send(product, order)
        if sent.behaviour.response_before_http:
            await self._turns()
        return sent

    async def _turns(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something holds that needs no time to pass on the clock."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        entry = await self._opened(request)
        self.journal.opened(entry)
        response: web.StreamResponse
        try:
            response = await self._pass(request, handler, entry)
        except Cut:
            self.journal.closed(entry, None, "")
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        except Refused as err:
            response = err.response()
        if isinstance(response, web.WebSocketResponse):
            entry.status = 101
        else:
            body = response.text if isinstance(response, web.Response) else ""
            self.journal.closed(entry, response.status, body or "")
            response.headers["Date"] = format_datetime(self.clock(), usegmt=True)
        return response

    async def _opened(self, request: web.Request) -> Request:
        authorization = request.headers.get("Authorization", "")
        scheme, _, token = authorization.partition(" ")
        text = await request.text()
        try:
            body = json.loads(text) if text else None
        except ValueError:
            body = text
        query = dict(request.query)
        bearer = (
            token if scheme.lower() == "bearer" else query.pop("access_token", None)
        )
        written = "&".join(f"{key}={value}" for key, value in query.items())
        return Request(
            at=self.clock.true,
            method=request.method,
            path=request.path,
            query=f"?{written}" if written else "",
            body=body,
            bearer=bearer,
        )

    async def _pass(
        self, request: web.Request, handler: Handler, entry: Request
    ) -> web.StreamResponse:
        fault = self.faults.take(request.method, request.path)
        if self.faults.out is None:
            self.limits.check(request.path)
        if fault is not None:
            if fault.delay:
                await self.faults.wait(fault.delay)
            if not fault.after:
                fault.strike()
        if request.path not in OPEN:
            request[ACCOUNT] = self._authenticated(request.path, entry.bearer)
        request[BODY] = entry.body
        response = await _handled(request, handler)
        if fault is not None and fault.after:
            fault.strike()
        return response

    def _authenticated(self, path: str, token: str | None) -> Account:
        account = self.tokens.whose(token)
        if account is None and path.startswith(REGION):
            account = self.hub.whose(token)
        if account is None:
            raise Refused(401, self.unauthorized)
        return account

    async def _negotiate(self, request: web.Request) -> web.Response:
        base = str(request.url.origin())
        return answer(self.hub.negotiate(request[ACCOUNT], base))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        return await self.hub.serve(request, request[ACCOUNT])


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return a handler's answer, what aiohttp refuses in the words of the cloud."""
    try:
        return await handler(request)
    except web.HTTPNotFound as err:
        raise NotFound from err
    except web.HTTPException as err:
        raise Refused(err.status) from err
