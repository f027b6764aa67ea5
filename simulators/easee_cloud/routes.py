"""What the handlers of REST have in common."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .answers import Invalid, NotFound, forbidden
from .charger import Charger
from .equalizer import Equalizer
from .products import Product
from .site import Circuit, Site
from .tokens import Account

if TYPE_CHECKING:
    from .cloud import EaseeCloud

ACCOUNT = web.RequestKey("account", Account)
BODY: web.RequestKey[Any] = web.RequestKey("body", object)


class Routes:
    """What the handlers of a group of routes have in common."""

    def __init__(self, cloud: EaseeCloud) -> None:
        """Answer for a cloud."""
        self.cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        raise NotImplementedError

    def product(self, request: web.Request) -> Product:
        """Return the product that a request names."""
        product = self.cloud.product_of(request[ACCOUNT], request.match_info["serial"])
        if product is None:
            raise forbidden() if self._exists(request) else NotFound
        return product

    def _exists(self, request: web.Request) -> bool:
        serial = request.match_info["serial"]
        return serial in self.cloud.chargers or serial in self.cloud.equalizers

    def charger(self, request: web.Request) -> Charger:
        """Return the charger that a request names."""
        if not isinstance(product := self.product(request), Charger):
            raise NotFound
        return product

    def equalizer(self, request: web.Request) -> Equalizer:
        """Return the equalizer that a request names."""
        if not isinstance(product := self.product(request), Equalizer):
            raise NotFound
        return product

    def site(self, request: web.Request) -> Site:
        """Return the site that a request names."""
        number = int(request.match_info["site"])
        if number not in self.cloud.sites:
            raise NotFound
        if number not in request[ACCOUNT].sites:
            raise forbidden()
        return self.cloud.sites[number]

    def circuit(self, request: web.Request) -> Circuit:
        """Return the circuit that a request names."""
        number = int(request.match_info["circuit"])
        for circuit in self.site(request).circuits:
            if circuit.id == number:
                return circuit
        raise NotFound


def fields(request: web.Request) -> dict[str, Any]:
    """Return the object in the body of a request; no body is an empty one."""
    body = request[BODY]
    if body is None or body == "":
        return {}
    if not isinstance(body, dict):
        raise Invalid(body="The JSON value could not be converted.")
    return body


def number(body: dict[str, Any], name: str) -> float:
    """Return a number of a body."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(**{name: "The JSON value could not be converted."})
    return value
