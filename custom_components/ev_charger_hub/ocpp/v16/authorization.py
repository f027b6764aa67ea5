"""Authorization: who is in front of the station (OCPP 1.6 4.1)."""

from typing import Any

from ...station.authorization import Verdict
from ...station.model import TokenPresented
from ...station.transaction import Transaction
from ..adapter import StationContext
from ..rpc import Reply
from .mapping import id_tag_info


class Authorization:
    """Answers about id tags, and tells which were shown."""

    def __init__(self, context: StationContext) -> None:
        """Ask the authorizer of `context`."""
        self._context = context

    def authorize(self, payload: dict[str, Any]) -> Reply:
        """Answer whether an id tag may charge, and tell that it was presented."""
        id_tag = payload["idTag"]
        identity = self._context.station.identity
        verdict = self._context.authorizer.authorize(identity, id_tag)
        self._context.station.reader.note(id_tag, self._context.clock())
        self._present(id_tag, verdict)
        return Reply({"idTagInfo": id_tag_info(verdict)})

    def begin(self, id_tag: str, evse_id: int) -> Verdict:
        """Return whether a transaction may go on that begins with an id tag (4.8)."""
        identity = self._context.station.identity
        return self._context.authorizer.authorize(identity, id_tag, evse_id)

    def begun(self, id_tag: str, transaction: Transaction, verdict: Verdict) -> None:
        """Take note that a transaction began just now: a list or cache let it in."""
        reader, now = self._context.station.reader, self._context.clock()
        if reader.is_news(id_tag, now, transaction.key):
            self._present(id_tag, verdict, transaction.evse_id)

    def _present(
        self, id_tag: str, verdict: Verdict, evse_id: int | None = None
    ) -> None:
        """Tell that an id tag was presented, if somebody did that."""
        station, now = self._context.station, self._context.clock()
        bearer = self._context.authorizer.bearer(station.identity, id_tag)
        if bearer.nobody:
            return
        station.id_token_presented.set((id_tag, now))
        station.emit(
            TokenPresented(
                id_token=id_tag,
                status=verdict.status,
                name=bearer.name,
                asked=bearer.asked,
                evse_id=evse_id,
            )
        )
