"""REST: schedules of a charger, and the plans that they replaced."""

from typing import TYPE_CHECKING, override

from aiohttp import web

from .answers import NotFound, answer
from .charger import Charger
from .routes import Routes, fields
from .schedules import KINDS

if TYPE_CHECKING:
    from .cloud import EaseeCloud

SCHEDULES = "/api/chargers/{serial}/schedules"
KIND = f"{SCHEDULES}/{{kind:{'|'.join(KINDS)}}}"
LEGACY = "/api/chargers/{serial}/{plan:basic_charge_plan|weekly_charge_plan}"


class ScheduleRoutes(Routes):
    """When a charger charges."""

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(SCHEDULES, self.overview),
            web.get(KIND, self.read),
            web.post(KIND, self.write),
            web.delete(KIND, self.delete),
            web.post(f"{KIND}/enable", self.enable),
            web.post(f"{KIND}/disable", self.disable),
            web.get(LEGACY, self.legacy),
            web.post(LEGACY, self.set_legacy),
            web.delete(LEGACY, self.delete_legacy),
        ]

    def _changed(self, charger: Charger) -> web.Response:
        charger.circuit.changed()
        return web.Response()

    async def overview(self, request: web.Request) -> web.Response:
        """Say which schedule is enabled."""
        return answer(self.charger(request).schedules.overview())

    async def read(self, request: web.Request) -> web.Response:
        """Return a schedule."""
        schedules = self.charger(request).schedules
        return answer(schedules.read(request.match_info["kind"]))

    async def write(self, request: web.Request) -> web.Response:
        """Store a schedule."""
        charger = self.charger(request)
        charger.schedules.write(request.match_info["kind"], fields(request))
        return self._changed(charger)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a schedule."""
        charger = self.charger(request)
        charger.schedules.delete(request.match_info["kind"])
        return self._changed(charger)

    async def enable(self, request: web.Request) -> web.Response:
        """Enable a schedule."""
        charger = self.charger(request)
        charger.schedules.enable(request.match_info["kind"])
        return self._changed(charger)

    async def disable(self, request: web.Request) -> web.Response:
        """Disable a schedule."""
        charger = self.charger(request)
        charger.schedules.disable(request.match_info["kind"])
        return self._changed(charger)

    async def legacy(self, request: web.Request) -> web.Response:
        """Return an old plan."""
        plans = self.charger(request).schedules.legacy
        if (plan := request.match_info["plan"]) not in plans:
            raise NotFound
        return answer(plans[plan])

    async def set_legacy(self, request: web.Request) -> web.Response:
        """Store an old plan."""
        plans = self.charger(request).schedules.legacy
        plans[request.match_info["plan"]] = fields(request)
        return web.Response()

    async def delete_legacy(self, request: web.Request) -> web.Response:
        """Delete an old plan."""
        self.charger(request).schedules.legacy.pop(request.match_info["plan"], None)
        return web.Response()


def routes(cloud: EaseeCloud) -> list[web.RouteDef]:
    """Return the routes of schedules."""
    return ScheduleRoutes(cloud).routes()
