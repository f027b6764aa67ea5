"""The pages about local OCPP in the options of an account, as a person uses them."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .easee import EaseeHome
from .easee_acts import patiently
from .easee_local import HOST
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from simulators.easee_cloud.seed import CHARGER


class Window:
    """The window of options."""

    def __init__(self, home: EaseeHome, entry: MockConfigEntry) -> None:
        """Prepare to open it."""
        self.home = home
        self.hass = home.hass
        self.entry = entry
        self.result: dict[str, Any] = {}

    @property
    def shows(self) -> str | None:
        """Return which page is open, or why it was closed."""
        return self.result.get("step_id") or self.result.get("reason")

    @property
    def choices(self) -> list[str]:
        """Return what can be chosen."""
        return [*self.result["menu_options"]]

    @property
    def errors(self) -> dict[str, str]:
        """Return what went wrong."""
        return self.result["errors"] or {}

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the page with what they suggest."""
        schema = self.result["data_schema"]
        assert schema is not None
        return {
            str(key): (key.description or {}).get("suggested_value")
            for key in schema.schema
        }

    def said(self, key: str) -> str:
        """Return what the page says."""
        text: str = self.result["description_placeholders"][key]
        return text

    async def open(self, serial: str = CHARGER) -> None:
        """Open the pages of a charger."""
        options = self.hass.config_entries.options
        self.result = {**await options.async_init(self.entry.entry_id)}
        await self.choose("local")
        if self.shows == "local":
            await self.submit(charger=serial)

    async def choose(self, option: str) -> None:
        """Choose from a menu."""
        assert self.result["type"] is FlowResultType.MENU
        assert option in self.choices
        await self.submit(next_step_id=option)

    async def submit(self, **fields: object) -> None:
        """Fill a form in."""
        options = self.hass.config_entries.options
        filled = options.async_configure(self.result["flow_id"], fields)
        self.result = {**await patiently(self.home, filled)}

    async def look(self) -> None:
        """See what the window shows now."""
        options = self.hass.config_entries.options
        self.result = {**await options.async_configure(self.result["flow_id"])}

    def close(self) -> None:
        """Close it, as somebody does who has seen enough."""
        self.hass.config_entries.options.async_abort(self.result["flow_id"])

    async def to_address(self) -> None:
        """Go on to the page of the address."""
        await self.open()
        assert self.shows == "local_checks"
        await self.submit()
        assert self.shows == "local_address"

    async def to_consequences(self) -> None:
        """Go on to the last page before anything happens."""
        await self.to_address()
        await self.submit(url=self.fields["url"])
        assert self.shows == "local_consequences"

    async def begin(self) -> None:
        """Have the charger moved."""
        await self.to_consequences()
        await self.submit(charge_when_away=True)
        assert self.shows == "local_progress"


async def two_addresses(_hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return the adapter of a machine that is in the network of the house."""
    addresses = [{"address": one} for one in ("127.0.0.1", HOST)]
    return [{"enabled": True, "default": True, "ipv4": addresses, "ipv6": []}]


def new_server(
    title: str = "OCPP server", entry_id: str = "01JEVCHARGERHUB00000000000"
) -> MockConfigEntry:
    """Return the entry of a server at all addresses of the machine, on a free port."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=title,
        data={CONF_HOST: "0.0.0.0", CONF_PORT: 0},
        entry_id=entry_id,
    )


def address_of(hub: OcppHub) -> str:
    """Return the address by which the charger reaches a server."""
    return f"ws://{HOST}:{hub.port}"
