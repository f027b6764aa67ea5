"""Sessions: one actor per identity, whichever socket it comes by."""

from enum import StrEnum
from typing import Any

from ..station.model import ChargingStation
from .adapter import Adapter
from .dialect import Dialect


class SessionState(StrEnum):
    """How far a charger got."""

    OFFLINE = "offline"
    AUTHENTICATED = "authenticated"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


class Session:
    """One identity over all its sockets, of which the newest counts."""

    identity: str
    state: SessionState
    remote: str | None
    dialect: Dialect | None
    station: ChargingStation | None
    adapter: Adapter | None

    async def call(
        self, action: str, payload: dict[str, Any], timeout: float = 30.0
    ) -> dict[str, Any]:
        """Send one CALL and return its answer; raises as `Rpc.call`."""
        raise NotImplementedError

    async def disconnect(self, code: int = 1000) -> None:
        """Close the socket, if there is one."""
        raise NotImplementedError
