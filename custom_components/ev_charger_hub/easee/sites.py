"""Sites: what REST tells of sites, circuits and equalizers, and takes (easee_cloud.md 1.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from .json_values import (
    Json,
    a_list,
    an_object,
    currency,
    number,
    objects,
    serial_number,
    text,
    whole,
)
from .products import ChargerInfo, SiteInfo
from .requests import Lane, Quota, Reply, Requests
from .site_values import charger_of, site_of
from .surplus import Surplus, surplus_of_config

HOUR: Final = 3600.0
OF_SITES: Final = Quota(key="sites", count=10, seconds=HOUR)
OF_BREAKDOWN: Final = Quota(key="breakdown", count=10, seconds=HOUR)
"""Ten an hour are safe for an account; some say that it is ten for each site."""
PHASES: Final = (1, 2, 3)


@dataclass(kw_only=True, slots=True, frozen=True)
class ChargerCost:
    """What a charger used in a span of time: kWh, and money in `currency`."""

    serial: str
    energy: float
    cost: float
    currency: str | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class CircuitSettings:
    """The limits of a circuit by phase in A; None where the cloud does not tell."""

    dynamic: tuple[float | None, ...]
    maximum: tuple[float | None, ...]
    offline: tuple[float | None, ...]
    primary: str | None = None
    equalizer: str | None = None
    idle_current: bool | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class SiteUser:
    """Somebody who may charge at a site."""

    id: int
    email: str | None = None
    name: str | None = None
    role: int | None = None


@dataclass(kw_only=True, slots=True, frozen=True)
class UserUsage:
    """What somebody used in a year, or in a month of it: kWh, and money."""

    year: int
    month: int | None = None
    energy: float = 0.0
    cost: float | None = None
    currency: str | None = None


class Sites:
    """The endpoints of sites, each with its quota, and typed."""

    def __init__(self, requests: Requests) -> None:
        """Ask by `requests`."""
        self._requests = requests

    async def products(self) -> list[SiteInfo]:
        """Return every site with its circuits, chargers and equalizers."""
        return _sites((await self._get("/api/accounts/products")).body)

    async def chargers(self) -> list[ChargerInfo]:
        """Return every charger, without where it is."""
        body = a_list((await self._get("/api/chargers")).body)
        return [one for item in body if (one := charger_of(item)) is not None]

    async def site(self, site_id: int) -> SiteInfo | None:
        """Return a site with its price and all that is on it."""
        path, params = f"/api/sites/{site_id}", {"detailed": "true"}
        reply = await self._get(path, quota=OF_SITES, params=params)
        return site_of(an_object(reply.body))

    async def set_price(
        self, site_id: int, price: float, *, vat: float, currency_id: str
    ) -> None:
        """Set what a kWh costs, `vat` percent of value added tax included."""
        body = {
            "currencyId": currency_id,
            "costPerKWh": price,
            "vat": vat,
            "costPerKwhExcludeVat": price / (100 + vat) * 100,
        }
        await self._post(f"/api/sites/{site_id}/price", body)

    async def costs(
        self, site_id: int, start: datetime, end: datetime
    ) -> list[ChargerCost]:
        """Return what each charger of a site used in a span of time."""
        path = f"/api/sites/{site_id}/breakdown/{_moment(start)}/{_moment(end)}"
        body = a_list((await self._get(path, quota=OF_BREAKDOWN)).body)
        return [one for item in body if (one := _cost(item)) is not None]

    async def users(self, site_id: int) -> list[SiteUser]:
        """Return who may charge at a site; only its owner is told."""
        body = (await self._get(f"/api/sites/{site_id}/users")).body
        listed = body.get("siteUsers") if isinstance(body, dict) else body
        return [one for item in objects(listed) if (one := _user(item)) is not None]

    async def monthly_usage(self, site_id: int, user_id: int) -> list[UserUsage]:
        """Return what somebody used, by month."""
        return await self._usage(site_id, user_id, "monthly")

    async def yearly_usage(self, site_id: int, user_id: int) -> list[UserUsage]:
        """Return what somebody used, by year."""
        return await self._usage(site_id, user_id, "yearly")

    async def _usage(self, site_id: int, user_id: int, by: str) -> list[UserUsage]:
        path = f"/api/sites/{site_id}/users/{user_id}/{by}"
        body = a_list((await self._get(path)).body)
        return [one for item in body if (one := _used(item)) is not None]

    async def circuit_settings(self, site_id: int, circuit_id: int) -> CircuitSettings:
        """Return the limits of a circuit; Commands.circuit_settings changes them."""
        path = f"/api/sites/{site_id}/circuits/{circuit_id}/settings"
        body = an_object((await self._get(path)).body)
        idle = body.get("enableIdleCurrent")
        return CircuitSettings(
            dynamic=_by_phase(body, "dynamicCircuitCurrentP"),
            maximum=_by_phase(body, "maxCircuitCurrentP"),
            offline=_by_phase(body, "offlineMaxCircuitCurrentP"),
            primary=serial_number(body.get("masterChargerId")),
            equalizer=serial_number(body.get("equalizerId")),
            idle_current=idle if isinstance(idle, bool) else None,
        )

    async def surplus(self, serial: str) -> Surplus:
        """Return how an equalizer has cars use surplus."""
        path = surplus_path(serial)
        return surplus_of_config(an_object((await self._get(path)).body))

    async def _get(
        self,
        path: str,
        *,
        quota: Quota | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Reply:
        return await self._requests.request("GET", path, quota=quota, params=params)

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        await self._requests.request("POST", path, lane=Lane.COMMAND, json=body)


def surplus_path(serial: str) -> str:
    """Return where an equalizer's use of surplus is read and written."""
    return f"/cloud-loadbalancing/equalizer/{_safe(serial)}/config/surplus-energy"


def allocation_path(serial: str) -> str:
    """Return where the current of all cars of an equalizer is written."""
    name = "configure_max_allocated_current"
    return f"/api/equalizers/{_safe(serial)}/commands/{name}"


def _sites(body: Any) -> list[SiteInfo]:
    return [site for one in a_list(body) if (site := site_of(one)) is not None]


def _by_phase(body: Json, name: str) -> tuple[float | None, ...]:
    return tuple(number(body.get(f"{name}{phase}")) for phase in PHASES)


def _cost(body: Json) -> ChargerCost | None:
    serial = serial_number(body.get("chargerId"))
    cost = number(body.get("totalCost"))
    if serial is None or cost is None:
        return None
    return ChargerCost(
        serial=serial,
        energy=number(body.get("totalEnergyUsage")) or 0.0,
        cost=cost,
        currency=currency(body.get("currencyId")),
    )


def _user(body: Json) -> SiteUser | None:
    if (user_id := whole(body.get("userId"))) is None:
        return None
    return SiteUser(
        id=user_id,
        email=text(body.get("email")),
        name=text(body.get("name")),
        role=whole(body.get("userRole")),
    )


def _used(body: Json) -> UserUsage | None:
    if (year := whole(body.get("year"))) is None:
        return None
    return UserUsage(
        year=year,
        month=whole(body.get("month")),
        energy=number(body.get("totalEnergyUsage")) or 0.0,
        cost=number(body.get("totalCost")),
        currency=currency(body.get("currencyId")),
    )


def _moment(at: datetime) -> str:
    return quote(f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", safe="")


def _safe(serial: str) -> str:
    return quote(serial, safe="")
