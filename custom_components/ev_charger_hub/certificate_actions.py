"""The root certificate for chargers: a download, and an action that answers it."""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from .const import DOMAIN
from .ocpp.authority import Authority, AuthorityError
from .storage import DATA

ACTION: Final = "get_ca_certificate"
FILE_NAME: Final = "ev-charger-hub-ca.pem"
PATH: Final = f"/api/{DOMAIN}/ca.pem"
LINK: Final = f'<a href="{PATH}" target="_blank">{FILE_NAME}</a>'
"""For texts: a link that the frontend does not take for one of its own pages."""


class CertificateView(HomeAssistantView):
    """The root certificate as a file."""

    url = PATH
    name = f"api:{DOMAIN}:ca"
    # It is no secret: whoever connects gets to know it, and so do all chargers.
    requires_auth = False

    async def get(self, request: web.Request) -> web.Response:
        """Return the file, if there is an authority."""
        if (authority := request.app[KEY_HASS].data[DATA].authority.authority) is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response(
            text=authority.root_pem,
            content_type="application/x-pem-file",
            headers={"Content-Disposition": f'attachment; filename="{FILE_NAME}"'},
        )


@callback
def async_setup_certificate_actions(hass: HomeAssistant) -> None:
    """Offer the root certificate."""
    hass.http.register_view(CertificateView())

    async def async_get(_call: ServiceCall) -> ServiceResponse:
        return _told(await _async_authority(hass))

    hass.services.async_register(
        DOMAIN, ACTION, async_get, supports_response=SupportsResponse.ONLY
    )


async def _async_authority(hass: HomeAssistant) -> Authority:
    """Return the authority, made now if there is none; raises HomeAssistantError."""
    try:
        return await hass.data[DATA].authority.async_get()
    except AuthorityError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="authority_unusable",
            translation_placeholders={"reason": str(err)},
        ) from err


def _told(authority: Authority) -> ServiceResponse:
    return {
        "certificate": authority.root_pem,
        "expires": authority.expires.isoformat(),
        "fingerprint": authority.fingerprint,
        "path": PATH,
    }
