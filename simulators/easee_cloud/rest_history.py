"""REST: sessions, usage, costs, reports."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, override

from aiohttp import web

from .answers import Invalid, NotFound, answer
from .charger import Charger
from .clock import moment, whole
from .history import ChargingSession
from .routes import Routes

if TYPE_CHECKING:
    from .cloud import EaseeCloud

CHARGER = "/api/chargers/{serial}"
SESSIONS = "/api/sessions/charger/{serial}"
SPAN = "{from}/{to}"
SITE = r"/api/sites/{site:\d+}"
MONTH = timedelta(days=31, hours=1)


class HistoryRoutes(Routes):
    """What was charged."""

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{CHARGER}/sessions/ongoing", self.ongoing),
            web.get(f"{CHARGER}/sessions/latest", self.latest),
            web.get(f"{CHARGER}/usage/hourly/{SPAN}", self.hourly),
            web.get(f"{SESSIONS}/total/{SPAN}", self.total),
            web.get(f"{SESSIONS}/sessions/descending", self.descending),
            web.get(f"{SESSIONS}/sessions/{SPAN}", self.sessions),
            web.get(f"{SESSIONS}/daily", self.daily),
            web.get("/api/sessions/export/{site}/{category}/{from}/{to}", self.export),
            web.get(f"{SITE}/breakdown/{SPAN}", self.breakdown),
            web.get(f"{SITE}/users/{{user}}/monthly", self.monthly),
            web.get(f"{SITE}/users/{{user}}/yearly", self.yearly),
        ]

    async def ongoing(self, request: web.Request) -> web.Response:
        """Return the session that goes on."""
        charger = self.charger(request)
        if charger.session is None:
            raise NotFound
        price = charger.circuit.site.price
        return answer(charger.session.usage(charger.serial, price))

    async def latest(self, request: web.Request) -> web.Response:
        """Return the last session that is over."""
        charger = self.charger(request)
        if not charger.history.sessions:
            raise NotFound
        latest = charger.history.sessions[-1]
        return answer(latest.usage(charger.serial, charger.circuit.site.price))

    async def hourly(self, request: web.Request) -> web.Response:
        """Return the energy by the hour, for a month at most."""
        start, end = span(request)
        if end - start > MONTH:
            raise Invalid(to="The period is longer than a month.")
        return answer(self.charger(request).history.usage(start, end))

    async def total(self, request: web.Request) -> web.Response:
        """Return the energy of a span of time in kWh, as a bare number."""
        total = sum(one.energy for one in _finished(self.charger(request), request))
        return web.Response(text=f"{round(total, 6)}")

    async def sessions(self, request: web.Request) -> web.Response:
        """List the sessions of a span of time."""
        charger = self.charger(request)
        return answer(_listed(charger, _finished(charger, request)))

    async def descending(self, request: web.Request) -> web.Response:
        """List the last sessions, the newest first."""
        charger = self.charger(request)
        limit = int(request.query.get("limit", "10"))
        newest = charger.history.sessions[::-1][:limit]
        return answer(_listed(charger, newest))

    async def daily(self, request: web.Request) -> web.Response:
        """List the energy by the day."""
        charger = self.charger(request)
        return answer(_summed([charger], "year", "month", "day"))

    async def export(self, request: web.Request) -> web.Response:
        """Return a report, which is a file."""
        lines = [
            f"{charger.serial};{whole(one.start)};{one.energy:.3f}"
            for charger in self.site(request).chargers
            for one in _finished(charger, request)
        ]
        return web.Response(
            body="\n".join(["charger;start;kWh", *lines]).encode(),
            content_type="application/octet-stream",
        )

    async def breakdown(self, request: web.Request) -> web.Response:
        """Return the costs by charger."""
        site = self.site(request)
        rows = []
        for charger in site.chargers:
            energy = sum(one.energy for one in _finished(charger, request))
            cost = energy * site.price.including_vat
            rows.append(
                {
                    "chargerId": charger.serial,
                    "chargerName": charger.name,
                    "totalEnergyUsage": round(energy, 4),
                    "totalCost": round(cost, 4),
                    "currencyId": site.price.currency,
                }
            )
        return answer(rows)

    async def monthly(self, request: web.Request) -> web.Response:
        """List the energy of a user by the month."""
        chargers = self.site(request).chargers
        return answer(_summed(chargers, "year", "month"))

    async def yearly(self, request: web.Request) -> web.Response:
        """List the energy of a user by the year."""
        return answer(_summed(self.site(request).chargers, "year"))


def span(request: web.Request) -> tuple[datetime, datetime]:
    """Return the span of time that a request names."""
    try:
        return moment(request.match_info["from"]), moment(request.match_info["to"])
    except ValueError as err:
        raise Invalid(from_="The value is not valid.") from err


def _finished(charger: Charger, request: web.Request) -> list[ChargingSession]:
    return charger.history.between(*span(request))


def _listed(charger: Charger, sessions: list[ChargingSession]) -> list[dict[str, Any]]:
    price = charger.circuit.site.price
    return [one.listed(charger.serial, price) for one in sessions]


def _summed(chargers: list[Charger], *parts: str) -> list[dict[str, Any]]:
    sums: dict[tuple[int, ...], float] = defaultdict(float)
    for charger in chargers:
        for one in charger.history.sessions:
            sums[tuple(getattr(one.start, part) for part in parts)] += one.energy
    return [
        dict(zip(parts, key, strict=True)) | {"totalEnergyUsage": round(energy, 4)}
        for key, energy in sorted(sums.items())
    ]


def routes(cloud: EaseeCloud) -> list[web.RouteDef]:
    """Return the routes of what was charged."""
    return HistoryRoutes(cloud).routes()
