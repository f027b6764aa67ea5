"""REST: sites, circuits, equalizers, prices, load balancing."""

from typing import TYPE_CHECKING, override

from aiohttp import web

from .answers import Invalid, Refused, answer, forbidden
from .history import Price
from .orders import Order
from .rest_charger import state
from .routes import ACCOUNT, Routes, fields, number

if TYPE_CHECKING:
    from .cloud import EaseeCloud

SITE = r"/api/sites/{site:\d+}"
CIRCUIT = SITE + r"/circuits/{circuit:\d+}"
EQUALIZER = "/api/equalizers/{serial}"
SURPLUS = "/cloud-loadbalancing/equalizer/{serial}/config/surplus-energy"
DYNAMIC_CIRCUIT_CURRENT = 22
CONFIGURE_FUSE = 15


def _nothing() -> None:
    """Do nothing: the cloud itself has done it."""


class SiteRoutes(Routes):
    """What belongs to a site."""

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/sites", self.listed),
            web.get(SITE, self.read),
            web.put(SITE, self.write),
            web.get(f"{SITE}/state", self.state),
            web.post(f"{SITE}/price", self.set_price),
            web.get(f"{SITE}/users", self.users),
            web.get(f"{CIRCUIT}/settings", self.settings),
            web.post(f"{CIRCUIT}/settings", self.set_settings),
            web.get(f"{CIRCUIT}/dynamicCurrent", self.dynamic),
            web.post(f"{CIRCUIT}/dynamicCurrent", self.set_dynamic),
            web.post(f"{CIRCUIT}/rated_current", self.set_rated),
            web.get(f"{EQUALIZER}/state", self.equalizer_state),
            web.get(f"{EQUALIZER}/config", self.equalizer_config),
            web.get(f"{EQUALIZER}/site", self.equalizer_site),
            web.post(
                f"{EQUALIZER}/commands/configure_max_allocated_current", self.set_max
            ),
            web.get(SURPLUS, self.surplus),
            web.post(SURPLUS, self.set_surplus),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        """List the sites of an account."""
        sites = self.cloud.sites_of(request[ACCOUNT])
        return answer([site.described(detailed=False) for site in sites])

    async def read(self, request: web.Request) -> web.Response:
        """Return a site."""
        detailed = request.query.get("detailed", "false").lower() == "true"
        site = self.site(request).described()
        if not detailed:
            site = {**site, "circuits": [], "equalizers": []}
        return answer(site)

    async def write(self, request: web.Request) -> web.Response:
        """Change the name or the currency of a site."""
        site, body = self.site(request), fields(request)
        site.name = body.get("name", site.name)
        site.price.currency = body.get("currencyId", site.price.currency)
        return answer(site.described())

    async def state(self, request: web.Request) -> web.Response:
        """Return the state of all chargers of a site."""
        site = self.site(request)
        return answer(
            {
                "site": site.described(detailed=False),
                "circuitStates": [
                    {
                        "circuit": circuit.described(),
                        "chargerStates": [
                            {
                                "chargerID": charger.serial,
                                "chargerState": state(charger),
                            }
                            for charger in circuit.chargers
                        ],
                    }
                    for circuit in site.circuits
                ],
            }
        )

    async def set_price(self, request: web.Request) -> web.Response:
        """Set what a kWh costs."""
        body = fields(request)
        if not isinstance(currency := body.get("currencyId"), str):
            raise Invalid(currencyId="The CurrencyId field is required.")
        self.site(request).price = Price(
            currency=currency,
            including_vat=number(body, "costPerKWh"),
            vat=number(body, "vat") if body.get("vat") is not None else 0.0,
        )
        return web.Response()

    async def users(self, request: web.Request) -> web.Response:
        """List the users of a site; only owners may."""
        site = self.site(request)
        if site.level_of_access != 1:
            raise forbidden()
        return answer(
            {
                "isOwner": True,
                "siteUsers": [
                    {"userId": one.user_id, "email": one.email, "userRole": 1}
                    for one in self.cloud.tokens.accounts
                    if site.id in one.sites
                ],
            }
        )

    async def settings(self, request: web.Request) -> web.Response:
        """Return the settings of a circuit."""
        return answer(self.circuit(request).settings())

    async def set_settings(self, request: web.Request) -> web.Response:
        """Change settings of a circuit: 200, and a command response all the same."""
        circuit = self.circuit(request)
        for command in circuit.apply(fields(request)):
            await self.cloud.send(circuit.master, Order(command=command, act=_nothing))
        return web.Response()

    async def dynamic(self, request: web.Request) -> web.Response:
        """Return the dynamic limit of a circuit."""
        values = self.circuit(request).dynamic
        return answer({f"phase{phase + 1}": values[phase] for phase in range(3)})

    async def set_dynamic(self, request: web.Request) -> web.Response:
        """Set the dynamic limit of a circuit, for a time or for good."""
        circuit, body = self.circuit(request), fields(request)
        amps = [number(body, f"phase{phase}") for phase in (1, 2, 3)]
        minutes = int(body.get("timeToLive") or 0)
        order = Order(
            command=DYNAMIC_CIRCUIT_CURRENT,
            act=lambda: circuit.set_dynamic(amps, minutes),
        )
        sent = await self.cloud.send(circuit.master, order)
        return answer(sent.answer(), status=202)

    async def set_rated(self, request: web.Request) -> web.Response:
        """Set the fuse of a circuit; only installers may."""
        circuit = self.circuit(request)
        if "Partner" not in request[ACCOUNT].claims:
            raise forbidden()
        circuit.rated = float(number(fields(request), "ratedCurrentFuseValue"))
        circuit.changed()
        return web.Response()

    async def equalizer_state(self, request: web.Request) -> web.Response:
        """Return the state of an equalizer."""
        equalizer = self.equalizer(request)
        return answer(equalizer.named() | {"isOnline": equalizer.online})

    async def equalizer_config(self, request: web.Request) -> web.Response:
        """Return the configuration of an equalizer."""
        return answer(self.equalizer(request).config())

    async def equalizer_site(self, request: web.Request) -> web.Response:
        """Return the site of an equalizer."""
        return answer(self.equalizer(request).site.described())

    async def set_max(self, request: web.Request) -> web.Response:
        """Set how much all cars may have together."""
        equalizer = self.equalizer(request)
        amps = int(number(fields(request), "maxCurrent"))
        order = Order(
            command=CONFIGURE_FUSE, act=lambda: equalizer.set_max_allocated(amps)
        )
        sent = await self.cloud.send(equalizer, order)
        return answer(sent.answer(), status=202)

    async def surplus(self, request: web.Request) -> web.Response:
        """Return how surplus is used."""
        return answer(self.equalizer(request).surplus)

    async def set_surplus(self, request: web.Request) -> web.Response:
        """Set how surplus is used."""
        body = fields(request)
        if not isinstance(body.get("mode"), str):
            raise Refused(400, {"title": "Mode is missing", "status": 400})
        self.equalizer(request).set_surplus(body)
        return web.Response()


def routes(cloud: EaseeCloud) -> list[web.RouteDef]:
    """Return the routes of sites."""
    return SiteRoutes(cloud).routes()
