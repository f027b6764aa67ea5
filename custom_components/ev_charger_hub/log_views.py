"""Views: files from chargers come in, and go out to users."""

from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from .const import DOMAIN
from .entries import async_loaded_servers
from .log_files import URL
from .ocpp.uploads import PREFIX


@callback
def async_setup_log_views(hass: HomeAssistant) -> None:
    """Let files come and go at Home Assistant's own port."""
    hass.http.register_view(LogFileView())
    hass.http.register_view(UploadView())


class LogFileView(HomeAssistantView):
    """The download of a file."""

    url = f"{URL}{{subentry_id}}/{{request_id}}"
    name = f"api:{DOMAIN}:logs"

    async def get(
        self, request: web.Request, subentry_id: str, request_id: str
    ) -> web.StreamResponse:
        """Return a file that is kept, to be saved and never to be shown."""
        found = _find(request.app[KEY_HASS], subentry_id, request_id)
        if found is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        path, name = found
        return web.FileResponse(
            path,
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Content-Type": "application/octet-stream",
                "X-Content-Type-Options": "nosniff",
            },
        )


class UploadView(HomeAssistantView):
    """Where chargers that come by Home Assistant's own port upload to."""

    url = f"/api/{DOMAIN}{PREFIX}{{secret}}/{{name:.*}}"
    extra_urls = [  # noqa: RUF012
        f"/api/{DOMAIN}{PREFIX}{{secret}}"
    ]
    name = f"api:{DOMAIN}:upload"
    # A charger has no token of Home Assistant: the secret is good for one file.
    requires_auth = False

    async def put(
        self, request: web.Request, secret: str, name: str = ""
    ) -> web.StreamResponse:
        """Take a file if one is expected."""
        hass = request.app[KEY_HASS]
        for entry in async_loaded_servers(hass):
            uploads = entry.runtime_data.central_system.uploads
            if uploads.knows(secret[:32]):
                return await uploads.handle(request)
        return web.Response(status=HTTPStatus.NOT_FOUND)

    post = put


def _find(
    hass: HomeAssistant, subentry_id: str, request_id: str
) -> tuple[Path, str] | None:
    """Return a file by words of a URL, which are compared and never a path."""
    for entry in async_loaded_servers(hass):
        for hub_station in entry.runtime_data.stations.values():
            if hub_station.subentry_id == subentry_id:
                return hub_station.log_files.path(request_id)
    return None
