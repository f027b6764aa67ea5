"""Ownership: who runs a charger, and who may charge there, as REST tells and takes it."""

from urllib.parse import quote

from ..station.outcome import Outcome
from .commands import Commands
from .details import operator_of
from .enums import AccessLevel
from .requests import Requests


async def operator_name(requests: Requests, serial: str) -> str | None:
    """Return who runs a charger, None for nobody; raises EaseeError."""
    operator = await operator_of(requests, serial)
    return None if operator is None else operator.name


async def set_operator(commands: Commands, serial: str, operator_id: int) -> Outcome:
    """Have somebody else run a charger, which may cost it its OCPP configuration.

    It is refused if they do already. Raises EaseeError.
    """
    path = f"/api/chargers/{quote(serial, safe='')}/partners"
    return await commands.send(serial, "POST", path, {"id": operator_id})


async def set_access(commands: Commands, serial: str, level: AccessLevel) -> Outcome:
    """Say who may charge; nothing tells who may. Raises EaseeError."""
    path = f"/api/chargers/{quote(serial, safe='')}/access"
    return await commands.send(serial, "PUT", path, level.number)
