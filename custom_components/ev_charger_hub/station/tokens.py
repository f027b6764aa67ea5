"""Id tokens: who is known by them, and who may charge."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, override

from .authorization import Authorizer, Bearer, Verdict, key_of
from .channel import Listener
from .clock import Clock
from .enums import AuthorizationStatus
from .model import ChargingStation

TOKEN_LENGTH: Final = 36
"""What OCPP 2.x has room for; OCPP 1.6 ends at 20 (CiString20Type)."""

GROUP_LENGTH: Final = 20

_PLACEHOLDERS: Final = frozenset({"FREECHARGING", "RFIDTAGFREECHARGING"})
"""What chargers say that charge for everybody (Easee, reason 99), in upper case."""


class TokenKind(StrEnum):
    """What a token is: a card, a word of an app, or what a station says without one."""

    RFID = "rfid"
    APP = "app"
    PLACEHOLDER = "placeholder"


class TokenStatus(StrEnum):
    """What the user decided about a token."""

    ACCEPTED = "accepted"
    BLOCKED = "blocked"


class UnknownTokens(StrEnum):
    """What becomes of tokens that nobody has added."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    ASK = "ask"


_BLOCKED: Final = TokenStatus.BLOCKED


@dataclass(kw_only=True, slots=True, frozen=True)
class IdToken:
    """A token that the user knows.

    It is good at the stations of `chargers` (identities; none means all), until
    `expires`, and if it is `exclusive` for one session at a time.
    """

    token: str = field(repr=False)
    name: str
    kind: TokenKind = TokenKind.RFID
    status: TokenStatus = TokenStatus.ACCEPTED
    expires: datetime | None = None
    group: str | None = field(default=None, repr=False)
    chargers: frozenset[str] = field(default=frozenset(), repr=False)
    exclusive: bool = False

    @property
    def key(self) -> str:
        """Return the token as it is compared."""
        return key_of(self.token)

    def is_for(self, identity: str) -> bool:
        """Return whether the token is one for a station."""
        return not self.chargers or identity in self.chargers

    @property
    def listed(self) -> Verdict:
        """Return what the local list of a station says of it, whatever the time is."""
        if self.status is TokenStatus.BLOCKED:
            return Verdict(status=AuthorizationStatus.BLOCKED)
        return Verdict(
            status=AuthorizationStatus.ACCEPTED, expires=self.expires, group=self.group
        )


def is_placeholder(id_token: str) -> bool:
    """Return whether a token is what a station says although nobody showed one."""
    return key_of(id_token) in _PLACEHOLDERS or not id_token.strip(" 0")


def can_be_token(id_token: str) -> bool:
    """Return whether a text can be a token at all."""
    # OCPP 2.0.1 C01: identifierString has nothing else, and case means nothing to it.
    ascii_only = id_token.isascii() and id_token.isprintable()
    return ascii_only and 0 < len(id_token) <= TOKEN_LENGTH


class TokenStore:
    """The known tokens, as several owners bring them.

    Of two a blocked one counts, or else that of the first owner by name.
    """

    def __init__(self) -> None:
        """Know nobody."""
        self._owned: dict[str, tuple[IdToken, ...]] = {}
        self._tokens: dict[str, IdToken] = {}
        self._listeners: tuple[Listener, ...] = ()

    def __len__(self) -> int:
        """Return how many tokens are known."""
        return len(self._tokens)

    def find(self, id_token: str) -> IdToken | None:
        """Return a token that is known, however it is spelled."""
        return self._tokens.get(key_of(id_token))

    def name_of(self, id_token: str) -> str | None:
        """Return what the user calls a token, if it is known."""
        return None if (token := self.find(id_token)) is None else token.name

    def replace(self, owner: str, tokens: Iterable[IdToken]) -> None:
        """Let these be all tokens of an owner; none forgets the owner."""
        new = tuple(tokens)
        if new == self._owned.get(owner, ()):
            return
        if new:
            self._owned[owner] = new
        else:
            del self._owned[owner]
        # Whatever comes after a blocked one, the user wanted it kept out.
        every = (one for _, owned in sorted(self._owned.items()) for one in owned)
        self._tokens = {}
        for token in sorted(every, key=lambda one: one.status is not _BLOCKED):
            self._tokens.setdefault(token.key, token)
        for listener in self._listeners:
            listener()

    def entries(self, identity: str) -> dict[str, Verdict]:
        """Return what the local list of a station should hold: no placeholders."""
        return {
            token.token: token.listed
            for _, token in sorted(self._tokens.items())
            if token.kind is not TokenKind.PLACEHOLDER and token.is_for(identity)
        }

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change; return what ends that."""
        self._listeners = (*self._listeners, listener)
        return partial(self._unsubscribe, listener)

    def _unsubscribe(self, listener: Listener) -> None:
        self._listeners = tuple(one for one in self._listeners if one != listener)


class TokenAuthorizer(Authorizer):
    """Decides by the known tokens, and by what the user wants of the others."""

    def __init__(
        self,
        store: TokenStore,
        *,
        clock: Clock,
        is_free: Callable[[str], bool],
        own_token: str,
        policy: Callable[[], UnknownTokens],
        stations: Iterable[ChargingStation],
        language: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Decide for one server, which starts sessions itself with `own_token`.

        `is_free` tells of a station whether everybody may charge there; `stations` are
        those where a token may be in use; `language` is what known users read.
        """
        self._store = store
        self._clock = clock
        self._is_free = is_free
        self._own_key = key_of(own_token)
        self._policy = policy
        self._stations = stations
        self._language = language

    @override
    def authorize(
        self, identity: str, id_token: str, evse_id: int | None = None
    ) -> Verdict:
        """Return whether `id_token` may charge at station `identity`."""
        if key_of(id_token) == self._own_key:
            return Verdict(status=AuthorizationStatus.ACCEPTED)
        token = self._store.find(id_token)
        if self._is_free(identity):
            group = None if token is None else token.group
            return Verdict(status=AuthorizationStatus.ACCEPTED, group=group)
        if token is not None:
            return self._judge(token, identity, evse_id)
        if self._policy() is UnknownTokens.ACCEPT:
            return Verdict(status=AuthorizationStatus.ACCEPTED)
        return Verdict(status=AuthorizationStatus.INVALID)

    @override
    def bearer(self, identity: str, id_token: str) -> Bearer:
        """Return who stands behind a token that station `identity` was shown."""
        if key_of(id_token) == self._own_key:
            return Bearer(nobody=True)
        if (token := self._store.find(id_token)) is not None:
            return Bearer(name=token.name, nobody=token.kind is TokenKind.PLACEHOLDER)
        if is_placeholder(id_token):
            return Bearer(nobody=True)
        asks = self._policy() is UnknownTokens.ASK and not self._is_free(identity)
        return Bearer(asked=asks and can_be_token(id_token))

    def _judge(self, token: IdToken, identity: str, evse_id: int | None) -> Verdict:
        """Return what a station is told of a known token."""
        if token.status is TokenStatus.BLOCKED:
            return Verdict(status=AuthorizationStatus.BLOCKED)
        # Nobody showed a card, and the station is not one where nobody has to.
        if token.kind is TokenKind.PLACEHOLDER or not token.is_for(identity):
            return Verdict(status=AuthorizationStatus.INVALID)
        if token.expires is not None and token.expires <= self._clock():
            return Verdict(status=AuthorizationStatus.EXPIRED, expires=token.expires)
        if token.exclusive and self._in_use(token, identity, evse_id):
            return Verdict(status=AuthorizationStatus.CONCURRENT_TX)
        return replace(token.listed, language=self._language())

    def _in_use(self, token: IdToken, identity: str, evse_id: int | None) -> bool:
        """Return whether another session runs with a token (OCPP 1.6 7.2).

        Whoever shows it where it charges may want to stop. A station that is away may
        have ended its sessions long ago. Of two sessions the first one is right, also
        when its start is told again.
        """
        begun = None
        others = []
        for station in self._stations:
            here = station.identity == identity
            if not here and not station.online.value:
                continue
            for evse in station.evses.values():
                session = evse.transaction
                if session is None or key_of(session.id_token or "") != token.key:
                    continue
                if here and evse_id in {None, evse.id}:
                    begun = session.received_at
                else:
                    others.append(session.received_at)
        return any(begun is None or one < begun for one in others)
