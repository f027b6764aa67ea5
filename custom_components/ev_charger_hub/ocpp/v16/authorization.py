"""Authorization: who is in front of the station (OCPP 1.6 4.1)."""

from typing import Any

from ...station.model import TokenPresented
from ..adapter import StationContext
from ..rpc import Reply
from .mapping import id_tag_info


class Authorization:
    """Answers about id tags."""

    def __init__(self, context: StationContext) -> None:
        """Ask the authorizer of `context`."""
        self._context = context

    def authorize(self, payload: dict[str, Any]) -> Reply:
        """Answer whether an id tag may charge, and tell that it was presented."""
        id_tag = payload["idTag"]
        station = self._context.station
        verdict = self._context.authorizer.authorize(station.identity, id_tag)
        station.id_token_presented.set((id_tag, self._context.clock()))
        station.emit(TokenPresented(id_token=id_tag, status=verdict.status))
        return Reply({"idTagInfo": id_tag_info(verdict)})
