"""Config flow of EV Charger Hub."""

import asyncio
from collections.abc import Mapping
import errno
from socket import gaierror
from typing import Any, Final, override

import probatio as vol

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .address import async_charger_url, async_second_url
from .certificate_actions import LINK
from .charger_form import encryption_problem
from .config_subentry import ChargerSubentryFlow
from .const import (
    CONF_HOME_ASSISTANT_PORT,
    CONF_NO_NEW_CONNECTIONS,
    CONF_POLICY,
    CONF_REFUSED,
    CONF_UNKNOWN_TOKENS,
    DEFAULT_HOST,
    DEFAULT_PORT,
    DOMAIN,
    SUBENTRY_CHARGER,
    SUBENTRY_TOKEN,
)
from .easee_flow import EaseeFlow
from .easee_options import EaseeOptionsFlow
from .entries import is_easee
from .ocpp.waiting import AdmissionPolicy
from .station.tokens import UnknownTokens
from .tls_form import SECTION_TLS, async_check_tls, tls_data, tls_section, tls_values
from .tls_settings import TlsMode, TlsSettings
from .token_subentry import TokenSubentryFlow

TITLE: Final = "OCPP server"

PORT_SELECTOR: Final = vol.All(
    NumberSelector(NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)),
    vol.Coerce(int),
)
POLICY_SELECTOR: Final = SelectSelector(
    SelectSelectorConfig(
        mode=SelectSelectorMode.LIST,
        options=list(AdmissionPolicy),
        translation_key=CONF_POLICY,
    )
)
TOKENS_SELECTOR: Final = SelectSelector(
    SelectSelectorConfig(
        mode=SelectSelectorMode.LIST,
        options=list(UnknownTokens),
        translation_key=CONF_UNKNOWN_TOKENS,
    )
)


class EvChargerHubConfigFlow(EaseeFlow, domain=DOMAIN):
    """Set up an OCPP server or an Easee account, or change it."""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to an OCPP server."""
        if is_easee(config_entry):
            return {}
        return {
            SUBENTRY_CHARGER: ChargerSubentryFlow,
            SUBENTRY_TOKEN: TokenSubentryFlow,
        }

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow that changes who is let in, or what is shown."""
        if is_easee(config_entry):
            return EaseeOptionsFlow()
        return EvChargerHubOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose what to set up."""
        return self.async_show_menu(step_id="user", menu_options=["server", "easee"])

    async def async_step_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the server listens and whom it lets in."""
        errors: dict[str, str] = {}
        if user_input is not None:
            data, options = _split(user_input)
            self._async_abort_entries_match({CONF_PORT: data[CONF_PORT]})
            errors = await async_check_tls(
                self.hass, user_input
            ) or await async_try_bind(data[CONF_HOST], data[CONF_PORT])
            if not errors:
                return self.async_create_entry(
                    title=_title(data[CONF_PORT]),
                    data=data,
                    options=options,
                    description="own_authority" if _own_authority(data) else None,
                    description_placeholders={
                        "url": async_charger_url(self.hass, data),
                        **({"ca_link": LINK} if _own_authority(data) else {}),
                    },
                )
        return self.async_show_form(
            step_id="server",
            data_schema=self.add_suggested_values_to_schema(
                _server_schema(errors), user_input
            ),
            errors=errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change where the server listens and whom it lets in, or who logs in."""
        entry = self._get_reconfigure_entry()
        if is_easee(entry):
            return await self.async_step_reconfigure_easee(user_input)
        errors: dict[str, str] = {}
        if user_input is not None:
            data, options = _split(user_input)
            if data[CONF_PORT] != entry.data[CONF_PORT]:
                self._async_abort_entries_match({CONF_PORT: data[CONF_PORT]})
            errors = (
                encryption_problem(entry, data)
                or await async_check_tls(self.hass, user_input)
                or await self._async_check_move(entry, data)
            )
            if not errors:
                unnamed = entry.title == _title(entry.data[CONF_PORT])
                # A server that runs hears of the change by itself.
                finish = (
                    self.async_update_and_abort
                    if entry.state is ConfigEntryState.LOADED
                    else self.async_update_reload_and_abort
                )
                return finish(
                    entry,
                    data=data,
                    options={**entry.options, **options},
                    title=_title(data[CONF_PORT]) if unnamed else entry.title,
                )
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                _server_schema(errors), user_input or _joined(entry)
            ),
            description_placeholders={"ca_link": LINK},
            errors=errors,
        )

    async def _async_check_move(
        self, entry: ConfigEntry, data: Mapping[str, Any]
    ) -> dict[str, str]:
        """Return what keeps the server from listening at its new place.

        A port that the server holds itself cannot be tried: then only the host is.
        """
        host, port = data[CONF_HOST], data[CONF_PORT]
        if entry.state is not ConfigEntryState.LOADED or port != entry.data[CONF_PORT]:
            return await async_try_bind(host, port)
        if host != entry.data[CONF_HOST]:
            return await async_try_bind(host, 0)
        return {}


class EvChargerHubOptionsFlow(OptionsFlow):
    """Change whom an OCPP server lets in."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what to do with unknown chargers, and which ones stay refused."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        refused = self.config_entry.options.get(CONF_REFUSED, [])
        schema = vol.Schema(
            {
                vol.Required(
                    CONF_UNKNOWN_TOKENS, default=UnknownTokens.ACCEPT
                ): TOKENS_SELECTOR,
                vol.Required(CONF_POLICY, default=AdmissionPolicy.ASK): POLICY_SELECTOR,
                vol.Required(CONF_REFUSED, default=[]): SelectSelector(
                    SelectSelectorConfig(
                        custom_value=True, multiple=True, options=refused
                    )
                ),
                vol.Required(
                    CONF_HOME_ASSISTANT_PORT, default=False
                ): BooleanSelector(),
                vol.Required(CONF_NO_NEW_CONNECTIONS, default=False): BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                schema, self.config_entry.options
            ),
            description_placeholders={"url": async_second_url(self.hass)},
        )


async def async_try_bind(host: str, port: int) -> dict[str, str]:
    """Return what keeps a server from listening at a host and port."""
    if not host:
        return {CONF_HOST: "bad_host"}
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(asyncio.Protocol, host, port)
    except gaierror, ValueError:
        # Not every text can be a host name at all.
        return {CONF_HOST: "bad_host"}
    except OSError as err:
        match err.errno:
            case errno.EADDRINUSE:
                return {CONF_PORT: "port_in_use"}
            case errno.EACCES:
                return {CONF_PORT: "port_not_permitted"}
            case None:
                # What asyncio raises if no address of the host is one of ours.
                return {CONF_HOST: "bad_host"}
            case _:
                return {"base": "cannot_bind"}
    server.close()
    await server.wait_closed()
    return {}


def _title(port: int) -> str:
    """Return the name of a server, which tells it from others if there are some."""
    return TITLE if port == DEFAULT_PORT else f"{TITLE} ({port})"


def _own_authority(data: Mapping[str, Any]) -> bool:
    """Return whether chargers have to be given our root certificate for wss."""
    return TlsSettings.of(data).mode is TlsMode.OWN_AUTHORITY


def _server_schema(errors: Mapping[str, str]) -> vol.Schema:
    """Return the form of a server, by what was wrong with it."""
    return vol.Schema(
        {
            vol.Required(CONF_HOST, default=DEFAULT_HOST): TextSelector(),
            vol.Required(CONF_PORT, default=DEFAULT_PORT): PORT_SELECTOR,
            vol.Required(CONF_POLICY, default=AdmissionPolicy.ASK): POLICY_SELECTOR,
            **tls_section(errors),
        }
    )


def _split(user_input: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data and the options of an entry from its form."""
    data = {
        CONF_HOST: user_input[CONF_HOST].strip(),
        CONF_PORT: user_input[CONF_PORT],
        **tls_data(user_input),
    }
    return data, {CONF_POLICY: user_input[CONF_POLICY]}


def _joined(entry: ConfigEntry) -> dict[str, Any]:
    """Return the form of a server from its entry."""
    return {**entry.data, **entry.options, SECTION_TLS: tls_values(entry.data)}
