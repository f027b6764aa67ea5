"""Actions of EV Charger Hub."""

from collections.abc import Callable, Coroutine
from typing import Any

import probatio as vol

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util.json import JsonObjectType

from .battery_actions import ACTIONS as BATTERY_ACTIONS
from .charger_actions import ACTIONS as CHARGER_ACTIONS
from .const import DOMAIN
from .cost_actions import ACTIONS as COST_ACTIONS
from .customer_actions import ACTIONS as CUSTOMER_ACTIONS
from .display_actions import ACTIONS as DISPLAY_ACTIONS
from .easee_charger_actions import ACTIONS as EASEE_CHARGER_ACTIONS
from .easee_limit_actions import ACTIONS as EASEE_LIMIT_ACTIONS
from .easee_local_actions import ACTIONS as EASEE_LOCAL_ACTIONS
from .easee_product_actions import ACTIONS as EASEE_PRODUCT_ACTIONS
from .easee_query_actions import ACTIONS as EASEE_QUERY_ACTIONS
from .easee_schedule_actions import ACTIONS as EASEE_SCHEDULE_ACTIONS
from .fields import ATTR_CONNECTOR, ActionGroup, Handler
from .file_actions import ACTIONS as FILE_ACTIONS
from .grid_actions import ACTIONS as GRID_ACTIONS
from .list_actions import ACTIONS as LIST_ACTIONS
from .monitoring_actions import ACTIONS as MONITORING_ACTIONS
from .network_actions import ACTIONS as NETWORK_ACTIONS
from .profile_actions import ACTIONS as PROFILE_ACTIONS
from .publishing_actions import ACTIONS as PUBLISHING_ACTIONS
from .reservation_actions import ACTIONS as RESERVATION_ACTIONS
from .security_actions import ACTIONS as SECURITY_ACTIONS
from .session_actions import ACTIONS as SESSION_ACTIONS
from .session_limit_actions import ACTIONS as SESSION_LIMIT_ACTIONS
from .smart_actions import ACTIONS as SMART_ACTIONS
from .transaction_actions import ACTIONS as TRANSACTION_ACTIONS
from .two_way_actions import ACTIONS as TWO_WAY_ACTIONS
from .variable_actions import ACTIONS as VARIABLE_ACTIONS

GROUPS: tuple[ActionGroup[Any], ...] = (
    BATTERY_ACTIONS,
    CHARGER_ACTIONS,
    CUSTOMER_ACTIONS,
    COST_ACTIONS,
    DISPLAY_ACTIONS,
    EASEE_CHARGER_ACTIONS,
    EASEE_LIMIT_ACTIONS,
    EASEE_LOCAL_ACTIONS,
    EASEE_PRODUCT_ACTIONS,
    EASEE_QUERY_ACTIONS,
    EASEE_SCHEDULE_ACTIONS,
    FILE_ACTIONS,
    GRID_ACTIONS,
    LIST_ACTIONS,
    NETWORK_ACTIONS,
    MONITORING_ACTIONS,
    PROFILE_ACTIONS,
    PUBLISHING_ACTIONS,
    RESERVATION_ACTIONS,
    SECURITY_ACTIONS,
    SESSION_ACTIONS,
    SESSION_LIMIT_ACTIONS,
    SMART_ACTIONS,
    TRANSACTION_ACTIONS,
    TWO_WAY_ACTIONS,
    VARIABLE_ACTIONS,
)


def _one_device(value: object) -> str:
    """Return the one device id that a target or a field gives."""
    devices: list[str] = vol.All(cv.ensure_list, [cv.string])(value)
    if len(devices) != 1:
        raise vol.Invalid("expected exactly one device")
    return devices[0]


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""

    def service(
        group: ActionGroup[Any], handler: Handler[Any]
    ) -> Callable[[ServiceCall], Coroutine[Any, Any, JsonObjectType]]:
        async def handle(call: ServiceCall) -> JsonObjectType:
            target = group.resolve(
                hass, call.data[ATTR_DEVICE_ID], call.data.get(ATTR_CONNECTOR)
            )
            return await handler(target, call.data)

        return handle

    def schema(fields: dict[Any, Any]) -> vol.Schema:
        return vol.Schema({vol.Required(ATTR_DEVICE_ID): _one_device, **fields})

    for group in GROUPS:
        for actions, answers in (
            (group.commands, SupportsResponse.OPTIONAL),
            (group.queries, SupportsResponse.ONLY),
        ):
            for name, (handler, fields) in actions.items():
                hass.services.async_register(
                    DOMAIN, name, service(group, handler), schema(fields), answers
                )
        for actions, answers in (
            (group.admin_commands, SupportsResponse.OPTIONAL),
            (group.admin_queries, SupportsResponse.ONLY),
        ):
            for name, (handler, fields) in actions.items():
                async_register_admin_service(
                    hass,
                    DOMAIN,
                    name,
                    service(group, handler),
                    schema(fields),
                    answers,
                )
