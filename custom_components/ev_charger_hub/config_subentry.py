"""Flow of a charger: a subentry of an OCPP server."""

from typing import Any

import probatio as vol

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_PASSWORD
from homeassistant.helpers.selector import TextSelector

from .address import async_charger_url
from .charger_form import (
    Password,
    async_new_password,
    name_and_password_fields,
    password_problem,
    security_problem,
    typed_name,
)
from .charger_settings_form import (
    SECTION_CONNECTION,
    settings_data,
    settings_form,
    settings_problem,
    settings_schema,
)
from .const import (
    CONF_IDENTITY,
    CONF_PASSWORD_CHANGE,
    CONF_PASSWORD_HASH,
    CONF_SECURITY_PROFILE,
)
from .settings import (
    async_identity_taken,
    identity_problem,
    new_charger_data,
    station_settings,
)


class ChargerSubentryFlow(ConfigSubentryFlow):
    """Approve a charger before it dials in, or change one."""

    def __init__(self) -> None:
        """Start with nothing decided."""
        self._identity = ""
        self._title = ""
        self._data: dict[str, Any] = {}
        self._shown_password = ""
        self._shown_floor = 0

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the identity, the name and the password of a new charger."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._identity = user_input[CONF_IDENTITY].strip()
            if problem := identity_problem(self._identity):
                errors[CONF_IDENTITY] = problem
            elif async_identity_taken(self.hass, self._identity):
                errors[CONF_IDENTITY] = "identity_taken"
            errors |= password_problem(user_input)
            if not errors:
                self._title = typed_name(user_input, self._identity)
                password = await async_new_password(self.hass, user_input)
                self._data = new_charger_data(password.hashed if password else None)
                return await self._async_finish(password)
        schema = vol.Schema(
            {vol.Required(CONF_IDENTITY): TextSelector(), **name_and_password_fields()}
        )
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            description_placeholders={
                "url": async_charger_url(self.hass, self._get_entry().data)
            },
            errors=errors,
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change the settings of a charger."""
        subentry = self._get_reconfigure_subentry()
        errors: dict[str, str] = {}
        floor = station_settings(subentry).security_profile
        if user_input is None:
            self._shown_floor = floor
        else:
            connection = user_input[SECTION_CONNECTION]
            if int(connection[CONF_SECURITY_PROFILE]) == self._shown_floor:
                # Left alone: the charger may have reached a higher one meanwhile.
                connection[CONF_SECURITY_PROFILE] = str(floor)
            errors = settings_problem(user_input) or security_problem(
                self._get_entry(),
                floor=int(user_input[SECTION_CONNECTION][CONF_SECURITY_PROFILE]),
                password=_has_password(subentry, user_input[CONF_PASSWORD_CHANGE]),
            )
            if not errors:
                self._identity = subentry.unique_id or ""
                self._title = typed_name(user_input, self._identity)
                self._data = {**subentry.data, **settings_data(user_input)}
                password = await self._async_change_password(user_input)
                return await self._async_finish(password)
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                settings_schema(),
                user_input or settings_form(station_settings(subentry)),
            ),
            description_placeholders={"identity": subentry.unique_id or ""},
            errors=errors,
        )

    async def async_step_password(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show a generated password, the only time that anybody sees it."""
        if user_input is not None:
            return self._finish()
        return self.async_show_form(
            step_id="password",
            data_schema=vol.Schema({}),
            description_placeholders={
                "identity": self._identity,
                "password": self._shown_password,
                "url": async_charger_url(
                    self.hass, self._get_entry().data, self._identity
                ),
            },
        )

    async def _async_change_password(
        self, user_input: dict[str, Any]
    ) -> Password | None:
        """Write the wanted password into the data; return it if there is a new one."""
        password: Password | None = None
        match user_input[CONF_PASSWORD_CHANGE]:
            case "change":
                password = await Password.typed(self.hass, user_input[CONF_PASSWORD])
            case "generate":
                password = await Password.generated(self.hass)
            case "remove":
                self._data.pop(CONF_PASSWORD_HASH, None)
        if password is not None:
            self._data[CONF_PASSWORD_HASH] = password.hashed
        return password

    async def _async_finish(self, password: Password | None) -> SubentryFlowResult:
        """Show the password if it is a generated one, then write the subentry."""
        if password is None or password.plain is None:
            return self._finish()
        self._shown_password = password.plain
        return await self.async_step_password()

    def _finish(self) -> SubentryFlowResult:
        """Write the subentry."""
        if self.source == SOURCE_USER:
            return self.async_create_entry(
                title=self._title, data=self._data, unique_id=self._identity
            )
        return self.async_update_and_abort(
            self._get_entry(),
            self._get_reconfigure_subentry(),
            data=self._data,
            title=self._title,
        )


def _has_password(subentry: ConfigSubentry, change: str) -> bool:
    """Return whether a charger will have a password after a change of it."""
    if change == "keep":
        return CONF_PASSWORD_HASH in subentry.data
    return change != "remove"
