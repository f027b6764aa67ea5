"""The form of a charger's settings, in three parts that can be folded up."""

from typing import Any, Final

import probatio as vol

from homeassistant.const import CONF_NAME, CONF_PASSWORD
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .charger_form import PASSWORD_SELECTOR
from .const import (
    CONF_CLOCK_INTERVAL,
    CONF_FALLBACK_CURRENT,
    CONF_LIMIT_INTERVAL,
    CONF_LOCAL_LIST,
    CONF_MAXIMUM_CURRENT,
    CONF_MEASURANDS,
    CONF_METER_INTERVAL,
    CONF_MINIMUM_CURRENT,
    CONF_MISSING_SUBPROTOCOL,
    CONF_PASSWORD_CHANGE,
    CONF_PHASES,
    CONF_PING,
    CONF_PRICE_ENTITY,
    CONF_PROTOCOL,
    CONF_QUIET,
    CONF_SECURITY_PROFILE,
)
from .ocpp.server import DIALECTS
from .settings import DEFAULTS
from .station.settings import LocalListMode, StationSettings

AUTOMATIC: Final = "automatic"
SECTION_CHARGING: Final = "charging"
SECTION_CONNECTION: Final = "connection"
SECTION_METERING: Final = "metering"

SECURITY_PROFILES: Final = ["0", "1", "2", "3"]
PASSWORD_CHANGES: Final = ["keep", "change", "generate", "remove"]

# As OCPP spells them (1.6 7.31, 2.x MeasurandEnumType), the same in every language.
MEASURANDS: Final = [
    "Current.Export",
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Export.Interval",
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Import.Register",
    "Energy.Reactive.Export.Interval",
    "Energy.Reactive.Export.Register",
    "Energy.Reactive.Import.Interval",
    "Energy.Reactive.Import.Register",
    "Frequency",
    "Power.Active.Export",
    "Power.Active.Import",
    "Power.Factor",
    "Power.Offered",
    "Power.Reactive.Export",
    "Power.Reactive.Import",
    "SoC",
    "Temperature",
    "Voltage",
]


def settings_problem(user_input: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with the settings of a charger."""
    if problem := charging_problem(user_input[SECTION_CHARGING]):
        return problem
    wants, gives = user_input[CONF_PASSWORD_CHANGE], user_input.get(CONF_PASSWORD)
    if wants == "change" and not gives:
        return {CONF_PASSWORD: "password_missing"}
    if wants != "change" and gives:
        return {CONF_PASSWORD: "password_unused"}
    return {}


def charging_problem(charging: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with what an installation is said to bear."""
    if charging[CONF_MINIMUM_CURRENT] > charging[CONF_MAXIMUM_CURRENT]:
        return {"base": "minimum_above_maximum"}
    fallback = charging.get(CONF_FALLBACK_CURRENT)
    if fallback is not None and not (
        charging[CONF_MINIMUM_CURRENT] <= fallback <= charging[CONF_MAXIMUM_CURRENT]
    ):
        return {"base": "fallback_out_of_range"}
    return {}


def charging_data(charging: dict[str, Any]) -> dict[str, Any]:
    """Return what an installation bears, as it is kept, from its part of the form."""
    return {
        CONF_FALLBACK_CURRENT: charging.get(CONF_FALLBACK_CURRENT),
        CONF_LIMIT_INTERVAL: charging[CONF_LIMIT_INTERVAL],
        CONF_MAXIMUM_CURRENT: charging[CONF_MAXIMUM_CURRENT],
        CONF_MINIMUM_CURRENT: charging[CONF_MINIMUM_CURRENT],
        CONF_PHASES: int(charging[CONF_PHASES]),
    }


def charging_form(settings: StationSettings) -> dict[str, Any]:
    """Return the part of the form about what an installation bears."""
    charging: dict[str, Any] = {
        CONF_LIMIT_INTERVAL: settings.limit_interval,
        CONF_MAXIMUM_CURRENT: settings.maximum_current,
        CONF_MINIMUM_CURRENT: settings.minimum_current,
        CONF_PHASES: str(settings.phases),
    }
    if settings.fallback_current is not None:
        charging[CONF_FALLBACK_CURRENT] = settings.fallback_current
    return charging


def settings_data(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a subentry from its form, but for the password."""
    metering = user_input[SECTION_METERING]
    connection = user_input[SECTION_CONNECTION]
    protocol = connection[CONF_PROTOCOL]
    return {
        **charging_data(user_input[SECTION_CHARGING]),
        CONF_CLOCK_INTERVAL: metering.get(CONF_CLOCK_INTERVAL),
        CONF_LOCAL_LIST: connection[CONF_LOCAL_LIST],
        CONF_MEASURANDS: metering.get(CONF_MEASURANDS) or None,
        CONF_METER_INTERVAL: metering.get(CONF_METER_INTERVAL),
        CONF_MISSING_SUBPROTOCOL: connection[CONF_MISSING_SUBPROTOCOL],
        CONF_PING: connection[CONF_PING],
        CONF_PRICE_ENTITY: metering.get(CONF_PRICE_ENTITY),
        CONF_PROTOCOL: None if protocol == AUTOMATIC else protocol,
        CONF_QUIET: connection[CONF_QUIET],
        CONF_SECURITY_PROFILE: int(connection[CONF_SECURITY_PROFILE]),
    }


def settings_form(settings: StationSettings) -> dict[str, Any]:
    """Return the form of a charger from its settings."""
    metering: dict[str, Any] = {CONF_MEASURANDS: list(settings.measurands or ())}
    if settings.meter_interval is not None:
        metering[CONF_METER_INTERVAL] = settings.meter_interval
    if settings.clock_interval is not None:
        metering[CONF_CLOCK_INTERVAL] = settings.clock_interval
    if settings.price_entity is not None:
        metering[CONF_PRICE_ENTITY] = settings.price_entity
    return {
        CONF_NAME: settings.name,
        SECTION_CHARGING: charging_form(settings),
        SECTION_METERING: metering,
        SECTION_CONNECTION: {
            CONF_PROTOCOL: settings.protocol or AUTOMATIC,
            CONF_SECURITY_PROFILE: str(settings.security_profile),
            CONF_MISSING_SUBPROTOCOL: settings.missing_subprotocol,
            CONF_LOCAL_LIST: settings.local_list,
            CONF_PING: settings.ping,
            CONF_QUIET: settings.quiet,
        },
    }


def settings_schema() -> vol.Schema:
    """Return the form of a charger that exists; what is rarely used is folded up."""
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_PASSWORD_CHANGE, default="keep"): _choice(
                PASSWORD_CHANGES, CONF_PASSWORD_CHANGE
            ),
            vol.Optional(CONF_PASSWORD): PASSWORD_SELECTOR,
            vol.Required(SECTION_CHARGING): section(charging_schema()),
            vol.Required(SECTION_METERING): section(
                _metering_schema(), {"collapsed": True}
            ),
            vol.Required(SECTION_CONNECTION): section(
                _connection_schema(), {"collapsed": True}
            ),
        }
    )


def charging_schema() -> vol.Schema:
    """Return the fields of what the installation can bear."""
    return vol.Schema(
        {
            vol.Required(CONF_MAXIMUM_CURRENT): _number(6, 500, "A"),
            vol.Required(CONF_MINIMUM_CURRENT): _number(1, 32, "A"),
            vol.Required(CONF_PHASES): _choice(["1", "3"], CONF_PHASES),
            vol.Optional(CONF_FALLBACK_CURRENT): _number(1, 500, "A"),
            vol.Required(CONF_LIMIT_INTERVAL, default=DEFAULTS.limit_interval): _number(
                1, 600, "s"
            ),
        }
    )


def _metering_schema() -> vol.Schema:
    """Return the fields of what a charger sends, and how often."""
    return vol.Schema(
        {
            vol.Optional(CONF_MEASURANDS): SelectSelector(
                SelectSelectorConfig(
                    custom_value=True,
                    mode=SelectSelectorMode.DROPDOWN,
                    multiple=True,
                    options=MEASURANDS,
                )
            ),
            vol.Optional(CONF_METER_INTERVAL): _number(1, 86400, "s"),
            vol.Optional(CONF_CLOCK_INTERVAL): _number(0, 86400, "s"),
            vol.Optional(CONF_PRICE_ENTITY): EntitySelector(
                EntitySelectorConfig(domain=["input_number", "number", "sensor"])
            ),
        }
    )


def _connection_schema() -> vol.Schema:
    """Return the fields of how a charger is talked to."""
    protocols = [
        SelectOptionDict(value=dialect, label=f"OCPP {dialect.version}")
        for dialect in DIALECTS
    ]
    automatic = SelectOptionDict(value=AUTOMATIC, label="Automatic")
    return vol.Schema(
        {
            vol.Required(CONF_PROTOCOL): SelectSelector(
                SelectSelectorConfig(
                    mode=SelectSelectorMode.DROPDOWN,
                    options=[automatic, *protocols],
                    translation_key=CONF_PROTOCOL,
                )
            ),
            vol.Required(CONF_SECURITY_PROFILE, default="0"): _choice(
                SECURITY_PROFILES, CONF_SECURITY_PROFILE
            ),
            vol.Required(
                CONF_MISSING_SUBPROTOCOL, default=DEFAULTS.missing_subprotocol
            ): BooleanSelector(),
            vol.Required(CONF_LOCAL_LIST, default=DEFAULTS.local_list): _choice(
                list(LocalListMode), CONF_LOCAL_LIST
            ),
            vol.Required(CONF_PING): BooleanSelector(),
            vol.Required(CONF_QUIET): BooleanSelector(),
        }
    )


def _number(minimum: int, maximum: int, unit: str) -> vol.All[Any]:
    """Return a field for a whole number with its unit."""
    return vol.All(
        NumberSelector(
            NumberSelectorConfig(
                max=maximum,
                min=minimum,
                mode=NumberSelectorMode.BOX,
                unit_of_measurement=unit,
            )
        ),
        vol.Coerce(int),
    )


def _choice(options: list[str], key: str) -> SelectSelector:
    """Return a field for one of a few translated words."""
    return SelectSelector(
        SelectSelectorConfig(
            mode=SelectSelectorMode.DROPDOWN, options=options, translation_key=key
        )
    )
