"""The second listener: chargers at Home Assistant's own HTTP port.

Whoever has remote access with a certificate has OCPP with TLS, and no certificate of the
integration to care for. As the whole internet may reach this port, nobody passes without
a password and nobody waits here for approval.
"""

from aiohttp import web

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from .address import SECOND_PATH
from .const import CONF_HOME_ASSISTANT_PORT, DOMAIN
from .entries import async_loaded_servers
from .hub import OcppHub
from .ocpp.handshake import read_identity


class OcppView(HomeAssistantView):
    """The websockets of chargers that a server lets in here."""

    url = f"{SECOND_PATH}/{{identity}}"
    name = f"api:{DOMAIN}:ocpp"
    # A charger has no token of Home Assistant: its own password is asked for.
    requires_auth = False

    async def get(self, request: web.Request, identity: str) -> web.StreamResponse:
        """Hand a charger to its server."""
        hub = _hub(request.app[KEY_HASS], read_identity(request.raw_path))
        if hub is None:
            return web.Response(status=404)
        return await hub.central_system.accept(request, guarded=True)


@callback
def async_setup_second_listener(hass: HomeAssistant) -> None:
    """Listen for chargers of those servers that have it switched on."""
    hass.http.register_view(OcppView())


@callback
def _hub(hass: HomeAssistant, identity: str | None) -> OcppHub | None:
    """Return the hub that knows a charger and has this listener switched on."""
    for entry in async_loaded_servers(hass):
        if identity in entry.runtime_data.stations:
            on = entry.options.get(CONF_HOME_ASSISTANT_PORT, False)
            return entry.runtime_data if on else None
    return None
