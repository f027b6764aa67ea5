"""REST: log-in, refresh, profile, products, commands, resources."""

from typing import TYPE_CHECKING, override

from aiohttp import web

from .answers import Invalid, answer
from .observations import CHARGER
from .routes import ACCOUNT, Routes, fields

if TYPE_CHECKING:
    from .cloud import EaseeCloud

CURRENCIES = ("CHF", "DKK", "EUR", "GBP", "NOK", "SEK", "USD")


class AccountRoutes(Routes):
    """What belongs to an account."""

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self.health),
            web.post("/api/accounts/login", self.login),
            web.post("/api/accounts/refresh_token", self.refresh),
            web.get("/api/accounts/profile", self.profile),
            web.get("/api/accounts/products", self.products),
            web.get("/api/accounts/easeekeys", self.keys),
            web.get("/api/commands/{serial}/{command}/{ticks}", self.outcome),
            web.get("/api/resources/countries/active", self.countries),
            web.get("/api/resources/currencies", self.currencies),
            web.get("/api/resources/observation_properties", self.properties),
            web.get("/api/streams/amqp/v2", self.amqp),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """Be there."""
        return web.Response(text="Healthy")

    async def login(self, request: web.Request) -> web.Response:
        """Log in by user name and password."""
        body = fields(request)
        name, password = body.get("userName"), body.get("password")
        if not isinstance(name, str) or not isinstance(password, str):
            raise Invalid(userName="The UserName field is required.")
        return answer(self.cloud.tokens.login(name, password))

    async def refresh(self, request: web.Request) -> web.Response:
        """Hand out new tokens for used ones."""
        token = fields(request).get("refreshToken")
        if not isinstance(token, str):
            raise Invalid(refreshToken="The RefreshToken field is required.")
        return answer(self.cloud.tokens.refresh(token))

    async def profile(self, request: web.Request) -> web.Response:
        """Say who this is."""
        account = request[ACCOUNT]
        return answer(
            {
                "userId": account.user_id,
                "eMail": account.email,
                "phoneNo": account.phone,
                "firstName": "Kari",
                "lastName": "Nordmann",
                "emailVerified": account.email_verified,
                "isActive": True,
                "language": "en-GB",
            }
        )

    async def products(self, request: web.Request) -> web.Response:
        """List the sites with everything on them."""
        sites = self.cloud.sites_of(request[ACCOUNT])
        return answer([site.described() for site in sites])

    async def keys(self, request: web.Request) -> web.Response:
        """List the RFID keys."""
        return answer([{"id": 1, "name": "Key", "token": "DEMO0001"}])

    async def outcome(self, request: web.Request) -> web.Response:
        """Say what became of a command."""
        found = request.match_info
        self.product(request)
        return answer(
            self.cloud.commands.outcome(
                found["serial"], int(found["command"]), int(found["ticks"])
            )
        )

    async def countries(self, request: web.Request) -> web.Response:
        """List countries."""
        return answer([{"id": "NO", "name": "Norway", "phonePrefix": 47}])

    async def currencies(self, request: web.Request) -> web.Response:
        """List currencies."""
        return answer(
            [{"id": one, "name": one, "countryId": None} for one in CURRENCIES]
        )

    async def properties(self, request: web.Request) -> web.Response:
        """List the observations of chargers."""
        return answer(
            [
                {"observationId": number, "name": name, "dataType": int(data_type)}
                for number, (name, data_type) in CHARGER.items()
            ]
        )

    async def amqp(self, request: web.Request) -> web.Response:
        """Refuse: this is for operators."""
        return answer({"message": "Forbidden"}, status=403)


def routes(cloud: EaseeCloud) -> list[web.RouteDef]:
    """Return the routes of accounts."""
    return AccountRoutes(cloud).routes()
