"""Authorization: who is in front of the station (OCPP 2.x C01)."""

from collections.abc import Callable
from typing import Any

from ...station.authorization import Verdict
from ...station.enums import AuthorizationStatus
from ..authorization import TokenDesk
from ..rpc import Reply
from .tokens import id_token_info

NOBODY = "NoAuthorization"
"""The type of a token that stands for none (C02)."""

# A contract whose token the user took back; of all others no root is known here.
_CONTRACTS = {
    AuthorizationStatus.ACCEPTED: "Accepted",
    AuthorizationStatus.BLOCKED: "ContractCancelled",
    AuthorizationStatus.EXPIRED: "ContractCancelled",
}
"""AuthorizeCertificateStatusEnumType."""

_ACCEPTED = Verdict(status=AuthorizationStatus.ACCEPTED)


_MAX_TOKEN = 255
"""What an IdToken of OCPP 2.1 has room for."""


def token_of(payload: dict[str, Any]) -> str | None:
    """Return the token of an IdToken, None for one that is none.

    What is longer is nobody's token; it is kept with sessions, so it is cut.
    """
    text: str = payload.get("idToken") or ""
    if payload.get("type") == NOBODY or not text.strip():
        return None
    return text[:_MAX_TOKEN]


type Greeting = Callable[[dict[str, Any]], dict[str, Any]]
"""Returns the answer to who may charge with what else there is to say."""


class Authorization(TokenDesk):
    """Answers about id tokens."""

    greeting: Greeting | None = None
    """What else those are told who may charge."""

    def authorize(self, payload: dict[str, Any]) -> Reply:
        """Answer whether an id token may charge (C01).

        A contract is accepted as a token is (C07.FR.17): nobody here can check the
        certificates behind it.
        """
        token, kind = token_of(payload["idToken"]), payload["idToken"]["type"]
        verdict = self._of_nothing(kind) if token is None else self.asked(token)
        self.note_type(token, kind, verdict)
        answer: dict[str, Any] = {"idTokenInfo": id_token_info(verdict)}
        if payload.get("certificate") or payload.get("iso15118CertificateHashData"):
            word = _CONTRACTS.get(verdict.status, "CertChainError")
            answer["certificateStatus"] = word
        if self.greeting is not None and verdict.status is AuthorizationStatus.ACCEPTED:
            answer = self.greeting(answer)
        return Reply(answer)

    def note_type(self, token: str | None, kind: str | None, verdict: Verdict) -> None:
        """Remember how the station calls a token that may charge, to say it likewise."""
        if token and kind and verdict.status is AuthorizationStatus.ACCEPTED:
            self._context.station.token_types.note(token, kind)

    def of_transaction(
        self, token: str | None, kind: str | None, evse_id: int | None
    ) -> Verdict:
        """Return whether a transaction may go on with a token of a type (C12).

        `evse_id` None says that it is shown to end one.
        """
        if token is None:
            return self._of_nothing(kind)
        if evse_id is not None:
            return self.begin(token, evse_id)
        identity = self._context.station.identity
        return self._context.authorizer.authorize(identity, token)

    def _of_nothing(self, kind: str | None) -> Verdict:
        """Return whether somebody may charge whose token is blank.

        C02.FR.02: whoever needs no token is accepted. A card that could not be read is
        none that anybody knows.
        """
        if kind == NOBODY:
            return _ACCEPTED
        return self._context.authorizer.authorize(self._context.station.identity, "")
