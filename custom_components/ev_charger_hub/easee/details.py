"""Details: who runs a charger, as REST tells (easee_cloud.md 1.5 #21)."""

from dataclasses import dataclass
from urllib.parse import quote

from .json_values import Json, text, whole
from .requests import Requests


@dataclass(kw_only=True, slots=True, frozen=True)
class Operator:
    """Who runs a charger; another one may wipe its OCPP configuration (3.6)."""

    id: int | None
    name: str | None


async def operator_of(requests: Requests, serial: str) -> Operator | None:
    """Return who runs a charger, None for nobody; raises EaseeError.

    NotFound means that nobody does, Forbidden that we may not know.
    """
    path = f"/api/chargers/{quote(serial, safe='')}/partners"
    return _operator((await requests.request("GET", path)).body)


def _operator(body: object) -> Operator | None:
    """Return an operator, None if it has neither number nor name."""
    found: Json = body if isinstance(body, dict) else {"name": body}
    operator = Operator(id=whole(found.get("id")), name=text(found.get("name")))
    return None if operator == Operator(id=None, name=None) else operator
