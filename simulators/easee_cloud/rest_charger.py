"""REST: chargers, their state, settings, commands, and local OCPP."""

from typing import TYPE_CHECKING, Any, override

from aiohttp import web

from .answers import Invalid, NotFound, Refused, answer, refusal
from .charger import Charger
from .defaults import CONFIG, STATE
from .orders import command, settings
from .routes import ACCOUNT, BODY, Routes, fields, number

if TYPE_CHECKING:
    from .cloud import EaseeCloud

CHARGER = "/api/chargers/{serial}"
LOCAL = "/local-ocpp/v1"
PRODUCTS = {1: "Easee Home", 2: "Charge Lite", 3: "Charge Max", 100: "Charge"}


class ChargerRoutes(Routes):
    """What belongs to a charger."""

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/chargers", self.listed),
            web.get(f"{CHARGER}/site", self.its_site),
            web.get(f"{CHARGER}/config", self.config),
            web.get(f"{CHARGER}/state", self.state),
            web.get(f"{CHARGER}/details", self.details),
            web.post(f"{CHARGER}/settings", self.settings),
            web.post(f"{CHARGER}/commands/{{command}}", self.command),
            web.put(f"{CHARGER}/access", self.set_access),
            web.delete(f"{CHARGER}/access", self.delete_access),
            web.get(f"{CHARGER}/partners", self.partner),
            web.post(f"{CHARGER}/partners", self.set_partner),
            web.get("/state/{serial}/observations", self.observations),
            web.get("/firmware/{serial}/latest", self.firmware),
            web.post(f"{LOCAL}/connection-details/{{serial}}", self.store),
            web.get(f"{LOCAL}/connection-details/{{serial}}", self.read),
            web.post(f"{LOCAL}/connections/chargers/{{serial}}", self.apply),
        ]

    async def listed(self, request: web.Request) -> web.Response:
        """List the chargers of an account."""
        return answer(
            [
                charger.described()
                for site in self.cloud.sites_of(request[ACCOUNT])
                for charger in site.chargers
            ]
        )

    async def its_site(self, request: web.Request) -> web.Response:
        """Return the site of a charger."""
        return answer(self.charger(request).circuit.site.described())

    async def config(self, request: web.Request) -> web.Response:
        """Return the configuration of a charger."""
        charger = self.charger(request)
        single = {"limitToSinglePhaseCharging": charger[38] == 1}
        return answer(charger.named(*CONFIG) | single)

    async def state(self, request: web.Request) -> web.Response:
        """Return the state of a charger as the older clients want it."""
        return answer(state(self.charger(request)))

    async def details(self, request: web.Request) -> web.Response:
        """Return what is written on a charger."""
        charger = self.charger(request)
        return answer(
            {
                "serialNumber": charger.serial,
                "pinCode": charger.pin_code,
                "product": PRODUCTS.get(charger.product_code, "Charge"),
                "unitType": "0",
                "levelOfAccess": charger.level_of_access,
                "partner": charger.operator,
                "operator": charger.operator,
            }
        )

    async def settings(self, request: web.Request) -> web.Response:
        """Change settings; each that is new becomes a command."""
        charger = self.charger(request)
        answers = [
            (await self.cloud.send(charger, order)).answer()
            for order in settings(charger, fields(request))
        ]
        if not answers and self.cloud.commands.admits_no_op:
            answers = [{"device": charger.serial, "commandId": 0, "ticks": 0}]
        return answer(answers, status=202)

    async def command(self, request: web.Request) -> web.Response:
        """Send a command."""
        charger = self.charger(request)
        order = command(charger, request.match_info["command"], fields(request))
        if order is None:
            raise NotFound
        sent = await self.cloud.send(charger, order)
        return answer(sent.answer(), status=202)

    async def set_access(self, request: web.Request) -> web.Response:
        """Set who may charge; the body is a bare number."""
        level = request[BODY]
        if level not in {1, 2, 3}:
            raise Invalid(body="The level of access is unknown.")
        self.charger(request).access = level
        return web.Response()

    async def delete_access(self, request: web.Request) -> web.Response:
        """Forget who may charge."""
        self.charger(request).access = 1
        return web.Response()

    async def partner(self, request: web.Request) -> web.Response:
        """Return the operator."""
        if (operator := self.charger(request).operator) is None:
            raise NotFound
        return answer(operator)

    async def set_partner(self, request: web.Request) -> web.Response:
        """Pair another operator, which wipes the OCPP configuration."""
        charger, wanted = self.charger(request), int(number(fields(request), "id"))
        if charger.operator is not None and charger.operator["id"] == wanted:
            raise refusal(400, "AlreadyPaired", "Charger already has this operator")
        self.cloud.pair_operator(charger.serial, wanted)
        return web.Response()

    async def observations(self, request: web.Request) -> web.Response:
        """Return observations by number, each in its own type."""
        product = self.product(request)
        ids = request.query.get("ids")
        try:
            wanted = None if ids is None else [int(one) for one in ids.split(",")]
        except ValueError as err:
            raise Invalid(ids="The value is not valid.") from err
        return answer({"observations": product.observations(wanted)})

    async def firmware(self, request: web.Request) -> web.Response:
        """Return the latest firmware."""
        product = self.product(request)
        latest = getattr(product, "latest_firmware", None)
        return answer({"latestFirmware": latest})

    async def store(self, request: web.Request) -> web.Response:
        """Store connection details."""
        stored = self.cloud.local_ocpp.store(self.charger(request), fields(request))
        return answer(stored, status=201)

    async def read(self, request: web.Request) -> web.Response:
        """Return connection details."""
        return answer(self.cloud.local_ocpp.read(self.charger(request)))

    async def apply(self, request: web.Request) -> web.Response:
        """Hand connection details to the charger."""
        version = fields(request).get("version")
        if not isinstance(version, str):
            raise Refused(400, {"title": "Version is missing", "status": 400})
        self.cloud.local_ocpp.apply(self.charger(request), version)
        return web.Response(status=204)


def state(charger: Charger) -> dict[str, Any]:
    """Return the state of a charger under names."""
    return charger.named(*STATE) | {
        "isOnline": charger.online,
        "voltage": charger[194],
        "latestPulse": max(one.state()["timestamp"] for one in charger.known.values()),
    }


def routes(cloud: EaseeCloud) -> list[web.RouteDef]:
    """Return the routes of chargers."""
    return ChargerRoutes(cloud).routes()
