"""What the forms of a charger share: name, password, and where it dials in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import probatio as vol

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_NAME, CONF_PASSWORD
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .const import (
    CONF_GENERATE_PASSWORD,
    CONF_HOME_ASSISTANT_PORT,
    CONF_SECURITY_PROFILE,
)
from .issues import harmless
from .models import EvChargerHubConfigEntry
from .ocpp.credentials import hash_password
from .settings import async_chargers
from .station.secrets import generate_password
from .tls_settings import TlsMode, TlsSettings

PASSWORD_SELECTOR: Final = TextSelector(
    TextSelectorConfig(autocomplete="new-password", type=TextSelectorType.PASSWORD)
)


@dataclass(kw_only=True, slots=True, frozen=True)
class Password:
    """A password that a charger will have to give; `plain` only if it is to be shown."""

    hashed: str
    plain: str | None = None

    @classmethod
    async def typed(cls, hass: HomeAssistant, password: str) -> Self:
        """Return a password that the user knows."""
        return cls(hashed=await hass.async_add_executor_job(hash_password, password))

    @classmethod
    async def generated(cls, hass: HomeAssistant) -> Self:
        """Return a new password that the user has to see once."""
        plain = generate_password()
        return cls(
            hashed=await hass.async_add_executor_job(hash_password, plain), plain=plain
        )


def name_and_password_fields() -> dict[vol.Marker, Any]:
    """Return the fields that every new charger has."""
    return {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Optional(CONF_PASSWORD): PASSWORD_SELECTOR,
        vol.Required(CONF_GENERATE_PASSWORD, default=False): BooleanSelector(),
    }


def typed_name(user_input: dict[str, Any], identity: str) -> str:
    """Return the name that the user gave a charger, or else one from its identity."""
    name: str = user_input[CONF_NAME].strip()
    return name or harmless(identity)


def password_problem(user_input: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with the password fields of a new charger."""
    if user_input[CONF_GENERATE_PASSWORD] and user_input.get(CONF_PASSWORD):
        return {CONF_PASSWORD: "password_or_generated"}
    return {}


def security_problem(
    entry: ConfigEntry, *, floor: int, password: bool
) -> dict[str, str]:
    """Return what keeps a charger from reaching a security profile at a server.

    At Home Assistant's own port it may come encrypted, but without a certificate.
    """
    if floor in {1, 2} and not password:
        return {"base": "profile_needs_password"}
    encrypted = TlsSettings.of(entry.data).mode is not TlsMode.NONE
    if floor == 2:
        encrypted |= entry.options.get(CONF_HOME_ASSISTANT_PORT, False)
    if floor >= 2 and not encrypted:
        return {"base": "profile_needs_encryption"}
    return {}


def encryption_problem(
    entry: EvChargerHubConfigEntry, data: Mapping[str, Any]
) -> dict[str, str]:
    """Return whether a server would lose an encryption that a charger is held to."""
    before, after = TlsSettings.of(entry.data).mode, TlsSettings.of(data).mode
    if before is TlsMode.NONE or after is not TlsMode.NONE:
        return {}
    highest = 2 if entry.options.get(CONF_HOME_ASSISTANT_PORT, False) else 1
    floors = (
        charger.data.get(CONF_SECURITY_PROFILE, 0)
        for charger in async_chargers(entry).values()
    )
    needed = max((*floors, *_awaited(entry)), default=0)
    return {"base": "tls_still_needed"} if needed > highest else {}


def _awaited(entry: EvChargerHubConfigEntry) -> Iterator[int]:
    """Yield the profiles that chargers were told, and may come with at any time."""
    if entry.state is not ConfigEntryState.LOADED:
        return
    for hub_station in entry.runtime_data.stations.values():
        upgrade = hub_station.security.upgrade.value
        if upgrade is not None and upgrade.is_told:
            yield max(upgrade.leg, hub_station.station.settings.security_profile)


async def async_new_password(
    hass: HomeAssistant, user_input: dict[str, Any]
) -> Password | None:
    """Return the password that the user wants for a new charger, if any."""
    if user_input[CONF_GENERATE_PASSWORD]:
        return await Password.generated(hass)
    if typed := user_input.get(CONF_PASSWORD):
        return await Password.typed(hass, typed)
    return None
