"""Actions about money: what a session costs, and the tariffs of OCPP 2.1."""

from datetime import timedelta
from decimal import Decimal
import json
import re
from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType

from .fields import ATTR_CONNECTOR, ActionGroup, Data, response
from .helpers import checked, failed, translated_errors
from .station.errors import NotSupported
from .station.link import Capability
from .station.outcome import Outcome
from .station.secrets import shortened
from .station.tariffs import TariffAssignment, TariffLink
from .targets import Target

ATTR_COST: Final = "cost"
ATTR_TARIFF: Final = "tariff"
ATTR_TARIFF_IDS: Final = "tariff_ids"
ATTR_TIMEOUT: Final = "timeout"
ATTR_TRANSACTION_ID: Final = "transaction_id"

_MAX_COST: Final = 10**9
_MAX_TARIFF: Final = 20_000
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_PARTS: Final = frozenset({"chargingTime", "energy", "fixedFee", "idleTime"})
_REFUSALS: Final = {
    "conditionnotsupported": "tariff_condition",
    "duplicatetariffid": "tariff_duplicate",
    "nocurrencychange": "tariff_currency",
    "toomanyelements": "tariff_too_long",
    "txnotfound": "tariff_no_session",
}
"""What a charger says that does not take a tariff, and the error for it."""


async def _update_cost(target: Target, data: Data) -> JsonObjectType:
    """Tell a charger what a session costs, whatever it says of its display."""
    station, cost = target.station, Decimal(str(data[ATTR_COST]))
    transaction_id = _transaction_id(target, data)
    with translated_errors(station):
        costs = station.link(Capability.COSTS).costs
        if costs is None:
            raise NotSupported
        outcome = await costs.cost_updated(transaction_id, cost)
    return response(checked(station, outcome))


def _transaction_id(target: Target, data: Data) -> str:
    """Return the session that is meant: the named one, or that which runs."""
    if ATTR_TRANSACTION_ID in data:
        named: str = data[ATTR_TRANSACTION_ID]
        return named
    session = target.session_evse().transaction
    return session.transaction_id if session is not None else ""


def _tariffs(target: Target) -> TariffLink:
    """Return what gives tariffs; raises NotSupported before OCPP 2.1."""
    tariffs = target.station.link(Capability.TARIFFS).tariffs
    if tariffs is None:
        raise NotSupported
    return tariffs


def _taken(target: Target, outcome: Outcome) -> JsonObjectType:
    """Return what became of a tariff; raise why it was not taken."""
    station = target.station
    if not outcome.ok and (key := _REFUSALS.get(outcome.answer.lower())):
        raise failed(key, charger=station.settings.name, answer=outcome.answer)
    return response(checked(station, outcome))


async def _set_default_tariff(target: Target, data: Data) -> JsonObjectType:
    with translated_errors(target.station):
        tariffs = _tariffs(target)
        outcome = await tariffs.set_default(target.named or 0, data[ATTR_TARIFF])
    return _taken(target, outcome)


async def _change_transaction_tariff(target: Target, data: Data) -> JsonObjectType:
    with translated_errors(target.station):
        tariffs = _tariffs(target)
        outcome = await tariffs.change(_transaction_id(target, data), data[ATTR_TARIFF])
    return _taken(target, outcome)


async def _set_driver_tariff(target: Target, data: Data) -> JsonObjectType:
    """Keep the tariff that drivers are given when they are admitted."""
    costs = target.station.costs
    with translated_errors(target.station):
        if costs is None or target.station.version.value != "2.1":
            raise NotSupported
        await costs.set_driver_tariff(data.get(ATTR_TARIFF))
    return {}


async def _get_tariffs(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        outcome, found = await _tariffs(target).tariffs(target.named or 0)
    checked(station, outcome)
    told: list[JsonValueType] = [_told(one) for one in found]
    return {"tariffs": told, "answer": outcome.answer}


def _told(one: TariffAssignment) -> JsonObjectType:
    """Return a tariff for a response; tokens are as good as keys."""
    return {
        "tariff_id": one.tariff_id,
        "kind": one.kind,
        "valid_from": None if one.valid_from is None else one.valid_from.isoformat(),
        "connectors": [*one.evse_ids],
        "id_tokens": [shortened(token) for token in one.id_tokens],
    }


async def _clear_tariffs(target: Target, data: Data) -> JsonObjectType:
    station = target.station
    with translated_errors(station):
        tariffs = _tariffs(target)
        outcome, cleared = await tariffs.clear(data[ATTR_TARIFF_IDS], target.named)
    results: list[JsonValueType] = [
        {"tariff_id": one.tariff_id, "status": one.status} for one in cleared
    ]
    return {**response(checked(station, outcome)), "tariffs": results}


async def _web_payment_started(target: Target, data: Data) -> JsonObjectType:
    station, evse_id = target.station, target.required_evse_id()
    timeout: timedelta = data[ATTR_TIMEOUT]
    with translated_errors(station):
        outcome = await _tariffs(target).web_payment_started(
            evse_id, round(timeout.total_seconds())
        )
    return response(checked(station, outcome))


def _tariff(value: object) -> dict[str, Any]:
    """Return a tariff that OCPP 2.1 may know (TariffType)."""
    if not isinstance(value, dict):
        raise vol.Invalid("expected a tariff in the words of OCPP 2.1")
    number, currency = value.get("tariffId"), value.get("currency")
    if not isinstance(number, str) or not 1 <= len(number) <= 60:
        raise vol.Invalid("expected a tariffId of up to 60 characters")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise vol.Invalid("expected a currency of three letters")
    if not _PARTS & set(value):
        raise vol.Invalid(f"expected one of {', '.join(sorted(_PARTS))}")
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as err:
        raise vol.Invalid("expected a tariff of JSON types") from err
    if size > _MAX_TARIFF:
        raise vol.Invalid("the tariff is too long")
    return value


_TRANSACTION: Final = vol.All(cv.string, vol.Length(min=1, max=36))
_SESSION: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=1)),
    vol.Optional(ATTR_TRANSACTION_ID): _TRANSACTION,
}
_PLACE: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_CONNECTOR): vol.All(vol.Coerce(int), vol.Range(min=0))
}

ACTIONS: Final = ActionGroup(
    commands={
        "change_transaction_tariff": (
            _change_transaction_tariff,
            {**_SESSION, vol.Required(ATTR_TARIFF): _tariff},
        ),
        "clear_tariffs": (
            _clear_tariffs,
            {
                **_PLACE,
                vol.Optional(ATTR_TARIFF_IDS, default=list): vol.All(
                    cv.ensure_list,
                    [vol.All(cv.string, vol.Length(min=1, max=60))],
                    vol.Length(max=50),
                ),
            },
        ),
        "notify_web_payment_started": (
            _web_payment_started,
            {
                **_PLACE,
                vol.Optional(ATTR_TIMEOUT, default=timedelta(minutes=5)): vol.All(
                    cv.positive_time_period, vol.Range(max=timedelta(hours=1))
                ),
            },
        ),
        "set_default_tariff": (
            _set_default_tariff,
            {**_PLACE, vol.Required(ATTR_TARIFF): _tariff},
        ),
        "set_driver_tariff": (
            _set_driver_tariff,
            {vol.Optional(ATTR_TARIFF): _tariff},
        ),
        "update_cost": (
            _update_cost,
            {
                **_SESSION,
                vol.Required(ATTR_COST): vol.All(
                    vol.Coerce(float), vol.Range(min=0, max=_MAX_COST)
                ),
            },
        ),
    },
    queries={"get_tariffs": (_get_tariffs, _PLACE)},
)
