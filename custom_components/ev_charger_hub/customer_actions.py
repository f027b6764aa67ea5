"""Actions about customers: what a charger knows of somebody, told or forgotten."""

from typing import Any, Final

import probatio as vol

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType

from .fields import ActionGroup, Data, response
from .helpers import checked, invalid, translated_errors
from .station.commands import CertificateHash
from .station.errors import NotSupported
from .station.link import Capability
from .station.local_list import Sync
from .station.monitoring import Customer
from .targets import Target
from .token_entries import token_problem

ATTR_ALGORITHM: Final = "algorithm"
ATTR_CERTIFICATE: Final = "certificate"
ATTR_CUSTOMER: Final = "customer"
ATTR_ID_TOKEN: Final = "id_token"  # noqa: S105
ATTR_ISSUER_KEY_HASH: Final = "issuer_key_hash"
ATTR_ISSUER_NAME_HASH: Final = "issuer_name_hash"
ATTR_REPORT: Final = "report"
ATTR_SERIAL: Final = "serial"

_SELECTORS: Final = (ATTR_ID_TOKEN, ATTR_CUSTOMER, ATTR_CERTIFICATE)
_MAX_CUSTOMER: Final = 64


def _id_token(value: object) -> str:
    """Return a text that can be a token."""
    text = cv.string(value).strip()
    if token_problem(text) is not None:
        raise vol.Invalid("expected an ID token")
    return text


def _hex(length: int) -> Any:
    """Return a validator of a number in hex."""
    return vol.All(cv.string, vol.Match(rf"^[0-9A-Fa-f]{{1,{length}}}$"))


async def _get_customer_information(target: Target, data: Data) -> JsonObjectType:
    return await _ask(target, data, report=True, clear=False)


async def _clear_customer_information(target: Target, data: Data) -> JsonObjectType:
    answer = await _ask(target, data, report=data[ATTR_REPORT], clear=True)
    done = await _off_the_list(target, data.get(ATTR_ID_TOKEN))
    return {**answer, "local_list": None if done is None else done.end}


async def _ask(
    target: Target, data: Data, *, report: bool, clear: bool
) -> JsonObjectType:
    """Ask what a charger knows of somebody, and have it forgotten, or both."""
    station = target.station
    if sum(one in data for one in _SELECTORS) != 1:
        raise invalid("customer_not_clear")
    with translated_errors(station):
        if (commands := station.link(Capability.CUSTOMERS).customers) is None:
            raise NotSupported
        outcome, found = await commands.customer_information(
            _customer(data), report=report, clear=clear
        )
    checked(station, outcome)
    return {
        **response(outcome),
        "data": None if found is None else found.data,
        "complete": None if found is None else found.complete,
    }


def _customer(data: Data) -> Customer:
    """Return who is meant."""
    certificate = data.get(ATTR_CERTIFICATE)
    return Customer(
        id_token=data.get(ATTR_ID_TOKEN),
        identifier=data.get(ATTR_CUSTOMER),
        certificate=certificate
        and CertificateHash(
            algorithm=certificate[ATTR_ALGORITHM],
            issuer_name_hash=certificate[ATTR_ISSUER_NAME_HASH],
            issuer_key_hash=certificate[ATTR_ISSUER_KEY_HASH],
            serial=certificate[ATTR_SERIAL],
        ),
    )


async def _off_the_list(target: Target, id_token: str | None) -> Sync | None:
    """Take who was forgotten off the charger's own list, too (N10.FR.06)."""
    if id_token is None:
        return None
    with translated_errors(target.station):
        return await target.hub_station.local_list.withhold(id_token)


_WHO: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_ID_TOKEN): _id_token,
    vol.Optional(ATTR_CUSTOMER): vol.All(
        cv.string, vol.Length(min=1, max=_MAX_CUSTOMER)
    ),
    vol.Optional(ATTR_CERTIFICATE): vol.Schema(
        {
            vol.Required(ATTR_ALGORITHM): vol.In(["SHA256", "SHA384", "SHA512"]),
            vol.Required(ATTR_ISSUER_NAME_HASH): _hex(128),
            vol.Required(ATTR_ISSUER_KEY_HASH): _hex(128),
            vol.Required(ATTR_SERIAL): _hex(40),
        }
    ),
}

ACTIONS: Final = ActionGroup(
    admin_commands={
        "clear_customer_information": (
            _clear_customer_information,
            {**_WHO, vol.Optional(ATTR_REPORT, default=True): cv.boolean},
        ),
    },
    admin_queries={"get_customer_information": (_get_customer_information, _WHO)},
)
