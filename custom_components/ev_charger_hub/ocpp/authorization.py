"""Authorization: who is in front of the station (OCPP 1.6 4.1, 2.x C01)."""

from dataclasses import replace

from ..station.authorization import Verdict
from ..station.enums import AuthorizationStatus
from ..station.events import TokenPresented
from ..station.transaction import Transaction
from .adapter import StationContext
from .quirks import quirks_of


class TokenDesk:
    """Decides about id tokens, and tells which were shown."""

    def __init__(self, context: StationContext) -> None:
        """Ask the authorizer of `context`."""
        self._context = context

    def asked(self, id_token: str) -> Verdict:
        """Return whether a token may charge, and tell that it was presented."""
        identity = self._context.station.identity
        verdict = self._context.authorizer.authorize(identity, id_token)
        self._context.station.reader.note(id_token, self._context.clock())
        self._present(id_token, verdict)
        return self._told(id_token, verdict)

    def begin(self, id_token: str, evse_id: int) -> Verdict:
        """Return whether a transaction may go on that begins with an id token (4.8)."""
        identity = self._context.station.identity
        verdict = self._context.authorizer.authorize(identity, id_token, evse_id)
        return self._told(id_token, verdict)

    def _told(self, id_token: str, verdict: Verdict) -> Verdict:
        """Return what a station is told of a token: nothing to keep, if it would."""
        station = self._context.station
        if (
            verdict.status is not AuthorizationStatus.ACCEPTED
            or verdict.expires is not None
            or not quirks_of(station.info.value).keeps_free_tags
        ):
            return verdict
        bearer = self._context.authorizer.bearer(station.identity, id_token)
        if not bearer.nobody and not station.settings.free_charging:
            return verdict
        # It starts with it all the same (Easee, fact N10).
        return replace(verdict, expires=self._context.clock())

    def begun(self, id_token: str, transaction: Transaction, verdict: Verdict) -> None:
        """Take note that a transaction began just now: a list or cache let it in."""
        reader, now = self._context.station.reader, self._context.clock()
        if reader.is_news(id_token, now, transaction.key):
            self._present(id_token, verdict, transaction.evse_id)

    def _present(
        self, id_token: str, verdict: Verdict, evse_id: int | None = None
    ) -> None:
        """Tell that an id token was presented, if somebody did that."""
        station, now = self._context.station, self._context.clock()
        bearer = self._context.authorizer.bearer(station.identity, id_token)
        if bearer.nobody:
            return
        station.id_token_presented.set((id_token, now))
        station.emit(
            TokenPresented(
                id_token=id_token,
                status=verdict.status,
                name=bearer.name,
                asked=bearer.asked,
                evse_id=evse_id,
            )
        )
