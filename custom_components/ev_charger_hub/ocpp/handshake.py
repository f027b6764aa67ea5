"""Handshake: a chain of small filters before a socket is upgraded.

A filter lets an attempt pass, and may learn something of it, or raises Refused.
"""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
from datetime import timedelta
import hmac
from http import HTTPStatus
import logging
from math import ceil
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ..station.clock import Clock
from ..station.secrets import shortened
from ..station.settings import StationSettings
from .adapter import Registration
from .credentials import Verifier, parse_basic
from .dialect import Dialect
from .errors import OcppError
from .throttle import Buckets, Lockout, neighborhood
from .waiting import AdmissionPolicy, Candidate, RoomFull, TooManyArrivals, WaitingRoom

_LOGGER = logging.getLogger(__name__)

MAX_IDENTITY = 48
"""Characters of an identity (OCPP 2.0.1 part 4, 3.1.1)."""

_RETRY_AFTER = timedelta(seconds=60)
_CHECKS_PER_ADDRESS = 20
_CHECKS = 200
_FAILURES = 20
_FAILURE_EVERY = timedelta(seconds=60)
_CONNECTIONS = 30
_CONNECTION_EVERY = timedelta(seconds=2)
_REMEMBERED = 1000
# Nobody guesses one of them, and no lock-out has to keep it out.
_LONG_PASSWORD = 16


class Registrar(Protocol):
    """Who knows which chargers are approved: the hub."""

    @property
    def policy(self) -> AdmissionPolicy:
        """Return what happens to a charger that nobody approved."""

    @property
    def closed(self) -> bool:
        """Return whether the user wants no new connection at all."""

    def settings(self, identity: str) -> StationSettings | None:
        """Return the settings of an approved charger, None for any other."""

    def further_hashes(self, identity: str) -> tuple[str, ...]:
        """Return the hashes of new passwords that a charger was told, newest last.

        It may use any of them as well as the one of its settings, until it is clear
        which it took (2.0.1 A01).
        """

    def trusts(self, identity: str, certificate: bytes) -> bool:
        """Return whether a client certificate (DER) proves an identity (SEC_06)."""

    def refused(self, identity: str) -> bool:
        """Return whether the user turned this charger away for good."""

    def context(self, identity: str) -> Registration:
        """Return what belongs to an approved identity."""

    async def accept_unknown(self, candidate: Candidate) -> None:
        """Approve a charger unseen (policy "accept")."""

    def candidate_changed(self, candidate: Candidate) -> None:
        """Take note that a charger waits, or that it told who it is."""

    def candidate_forgotten(self, identity: str) -> None:
        """Take note that a charger was not heard of for a day."""

    def intruded(self, identity: str, known: str, stranger: str) -> None:
        """Take note that a second device came as a charger that is connected.

        It is at the address `stranger`, had no password to show and was refused.
        """

    def shared(self, identity: str, addresses: Sequence[str]) -> None:
        """Take note that devices replace each other's connection all the time."""

    def unguarded(self, identity: str) -> None:
        """Take note that a charger without a password came where it needs one."""


@dataclass(kw_only=True, slots=True)
class Attempt:
    """A request for a socket, and what the filters learnt of it."""

    path: str
    """The raw path of the request, with the query if there is one."""
    remote: str
    headers: Mapping[str, str]
    secure: bool = False
    """Whether it came by TLS, ours or that of a trusted proxy."""
    guarded: bool = False
    """Whether it came where the whole world may: nobody passes without a password."""
    certificate: bytes | None = None
    """The client certificate (DER) of the TLS handshake; its chain leads to our root."""
    identity: str = ""
    settings: StationSettings | None = None
    certified: bool = False
    """Whether the certificate proves that the charger is this one."""
    proof: str | None = None
    """The password hash that the charger proved to know."""
    candidate: Candidate | None = None
    dialect: Dialect = Dialect.V16
    subprotocol: str | None = None
    """The name to echo, as the charger spelled it."""

    @property
    def credentialed(self) -> bool:
        """Return whether the charger proved who it is."""
        return self.profile > 0

    @property
    def profile(self) -> int:
        """Return the security profile (OCPP 1.6 Security 2): 0 proves nothing."""
        if self.certified:
            return 3
        if self.proof is None:
            return 0
        return 2 if self.secure else 1


@dataclass(slots=True)
class Refused(OcppError):
    """The HTTP answer to an attempt that does not pass."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)


def read_identity(path: str) -> str | None:
    """Return the identity in a raw path: its last segment, percent-decoded.

    None if there is none that could be one: 1 to 48 printable characters without a
    colon, which would end the user name of HTTP Basic.
    """
    segment = path.partition("?")[0].rstrip("/").rpartition("/")[2]
    try:
        identity = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return None
    if not 0 < len(identity) <= MAX_IDENTITY or ":" in identity:
        return None
    return identity if identity.isprintable() and not identity.isspace() else None


def choose_dialect(
    offered: Sequence[str], supported: Sequence[Dialect]
) -> tuple[Dialect, str | None] | None:
    """Return the first supported dialect that is offered, and how it was spelled.

    Who offers none speaks the last of them: 1.6 if nothing is pinned.
    """
    if not offered:
        return supported[-1], None
    spelled = {name.lower(): name for name in reversed(offered)}
    for dialect in supported:
        if dialect in spelled:
            return dialect, spelled[dialect]
    return None


def cross_site(origin: str | None, host: str | None) -> bool:
    """Return whether a web page of another host opened the socket.

    Embedded clients send the server's own host or file:// as Origin and may pass;
    "null" is what a browser sends for a sandboxed page.
    """
    if origin is None:
        return False
    if origin.strip().lower() == "null":
        return True
    try:
        source = urlsplit(origin.strip())
        if source.scheme not in {"http", "https"}:
            return False
        return (
            source.hostname is None or source.hostname != urlsplit(f"//{host}").hostname
        )
    except ValueError:
        return True


class Gatekeeper:
    """The chain of filters.

    `challenge` adds WWW-Authenticate to a 401: off, because libwebsockets waits 30 s
    when it sees the header and tries again at once when it does not.
    """

    def __init__(
        self,
        *,
        registrar: Registrar,
        waiting: WaitingRoom,
        clock: Clock,
        dialects: Sequence[Dialect],
        challenge: bool = False,
    ) -> None:
        """Let in what `registrar` approves and speaks one of `dialects`."""
        self._registrar = registrar
        self._waiting = waiting
        self._dialects = dialects
        self._challenge = challenge
        self._verifier = Verifier()
        self._checking: Counter[str] = Counter()
        self._speechless: set[str] = set()
        self._lockout = Lockout(clock)
        self._failures = Buckets(clock, burst=_FAILURES, refill=_FAILURE_EVERY)
        self._proven: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._connections = Buckets(clock, burst=_CONNECTIONS, refill=_CONNECTION_EVERY)

    async def check(self, attempt: Attempt) -> None:
        """Pass an attempt through all filters but the last; raises Refused."""
        self._check_upgrade(attempt)
        self._check_open()
        self._check_identity(attempt)
        self._check_admission(attempt)
        self._check_tempo(attempt)
        self._check_origin(attempt)
        self._check_certificate(attempt)
        await self._check_password(attempt)
        _pin(attempt, attempt.profile)
        self._check_dialect(attempt)

    def qualifies(
        self,
        identity: str,
        settings: StationSettings,
        dialect: Dialect,
        proof: str | None,
        profile: int,
    ) -> bool:
        """Return whether these settings let in who speaks and proved this."""
        pinned = profile < settings.security_profile
        if pinned or dialect not in self._wanted(settings):
            return False
        right = profile == 3 or settings.password_hash in {None, proof}
        return right or proof in self._registrar.further_hashes(identity)

    def _check_upgrade(self, attempt: Attempt) -> None:
        if attempt.headers.get("Upgrade", "").strip().lower() != "websocket":
            raise Refused(HTTPStatus.UPGRADE_REQUIRED, {"Upgrade": "websocket"})

    def _check_open(self) -> None:
        if self._registrar.closed:
            raise _later(HTTPStatus.SERVICE_UNAVAILABLE, _RETRY_AFTER)

    def _check_identity(self, attempt: Attempt) -> None:
        if (identity := read_identity(attempt.path)) is None:
            raise Refused(HTTPStatus.NOT_FOUND)
        attempt.identity = identity

    def _check_admission(self, attempt: Attempt) -> None:
        attempt.settings = self._registrar.settings(attempt.identity)
        if attempt.settings is None and (
            self._registrar.policy is AdmissionPolicy.REFUSE
            or self._registrar.refused(attempt.identity)
        ):
            raise Refused(HTTPStatus.NOT_FOUND)
        if not attempt.guarded:
            return
        if attempt.settings is None:
            raise Refused(HTTPStatus.NOT_FOUND)
        if attempt.settings.password_hash is None:
            self._registrar.unguarded(attempt.identity)
            raise Refused(HTTPStatus.FORBIDDEN)

    def _check_tempo(self, attempt: Attempt) -> None:
        who = f"{neighborhood(attempt.remote)} {attempt.identity}"
        if not self._connections.take(who):
            raise _later(HTTPStatus.TOO_MANY_REQUESTS, _CONNECTION_EVERY)

    def _check_origin(self, attempt: Attempt) -> None:
        if attempt.settings is not None and attempt.settings.password_hash is not None:
            return
        headers = attempt.headers
        if cross_site(headers.get("Origin"), headers.get("Host")):
            raise Refused(HTTPStatus.FORBIDDEN)

    def _check_certificate(self, attempt: Attempt) -> None:
        """Learn whether a certificate proves the identity.

        One that does not is as good as none: what is asked for is up to the settings.
        """
        attempt.certified = attempt.certificate is not None and self._registrar.trusts(
            attempt.identity, attempt.certificate
        )
        # Before a password that was sent for everybody to read is even looked at.
        _pin(attempt, 3 if attempt.certified else 2 if attempt.secure else 1)

    async def _check_password(self, attempt: Attempt) -> None:
        if attempt.settings is None or attempt.certified:
            return
        current = attempt.settings.password_hash
        further = self._registrar.further_hashes(attempt.identity)
        if current is not None:
            attempt.proof = await self._proof(attempt, (current, *further))
        elif further and "Authorization" in attempt.headers:
            # It was told a password that nobody asks for before it was seen.
            with contextlib.suppress(Refused):
                attempt.proof = await self._proof(attempt, further)

    async def _proof(self, attempt: Attempt, hashes: Sequence[str]) -> str:
        """Return which of these passwords a charger gives; raises Refused."""
        address = neighborhood(attempt.remote)
        key = address, attempt.identity
        credentials = parse_basic(attempt.headers.get("Authorization", ""))
        if (wait := self._locked_out(key)) and not self._known(credentials, hashes):
            raise _later(HTTPStatus.TOO_MANY_REQUESTS, wait)
        if credentials is None:
            raise self._unauthorized()
        for one in hashes:
            if await self._proves(attempt, *credentials, one):
                self._succeeded(key)
                return one
        self._lockout.failed(key)
        self._failures.take(address)
        raise self._unauthorized()

    def _locked_out(self, key: tuple[str, str]) -> timedelta:
        """Return how long a charger at an address has to wait, zero if not at all.

        Behind one address may be many (NAT, a proxy): what others of them get wrong
        is nothing to one that got it right before.
        """
        if wait := self._lockout.wait(key):
            return wait
        if key not in self._proven and self._failures.empty(key[0]):
            return _FAILURE_EVERY
        return timedelta()

    def _known(
        self, credentials: tuple[str, bytes] | None, hashes: Sequence[str]
    ) -> bool:
        """Return whether this was right before, and is no password that one guesses.

        Then a lock-out that somebody else caused keeps its charger out no longer.
        """
        if credentials is None or len(credentials[1]) < _LONG_PASSWORD:
            return False
        return any(self._verifier.knows(credentials[1], one) for one in hashes)

    def _succeeded(self, key: tuple[str, str]) -> None:
        self._lockout.succeeded(key)
        self._proven[key] = None
        self._proven.move_to_end(key)
        if len(self._proven) > _REMEMBERED:
            self._proven.popitem(last=False)

    async def _proves(
        self, attempt: Attempt, user: str, password: bytes, password_hash: str
    ) -> bool:
        remote = attempt.remote
        if (
            self._checking[remote] >= _CHECKS_PER_ADDRESS
            or self._checking.total() >= _CHECKS
        ):
            raise _later(HTTPStatus.SERVICE_UNAVAILABLE, timedelta(seconds=5))
        self._checking[remote] += 1
        try:
            # Also for a wrong user: a refusal takes the same time for every reason.
            right = await self._verifier.verify(password, password_hash)
        finally:
            self._checking[remote] -= 1
            self._checking += Counter()
        wanted = attempt.identity.encode()
        named = hmac.compare_digest(user.encode(), wanted)
        named |= hmac.compare_digest(unquote(user).encode(), wanted)
        return named and right

    def _check_dialect(self, attempt: Attempt) -> None:
        offer = attempt.headers.get("Sec-WebSocket-Protocol", "")
        offered = [name.strip() for name in offer.split(",") if name.strip()]
        chosen = choose_dialect(offered, self._wanted(attempt.settings))
        settings = attempt.settings
        if chosen is None or (
            not offered and settings is not None and not settings.missing_subprotocol
        ):
            self._tell_dialect(attempt)
            raise Refused(HTTPStatus.BAD_REQUEST)
        self._speechless.discard(attempt.identity)
        attempt.dialect, attempt.subprotocol = chosen

    def _tell_dialect(self, attempt: Attempt) -> None:
        """Tell once that a known charger is kept out by what its user chose."""
        if attempt.settings is None or attempt.identity in self._speechless:
            return
        self._speechless.add(attempt.identity)
        _LOGGER.warning(
            "%s: refused, it offers no version of OCPP that it may speak (%s)",
            shortened(attempt.identity),
            ", ".join(self._wanted(attempt.settings)),
        )

    def seat(self, attempt: Attempt) -> None:
        """Give a stranger a place to wait; raises Refused. Last of all filters."""
        if attempt.settings is not None:
            return
        enter = self._waiting.enter
        if self._registrar.policy is AdmissionPolicy.ACCEPT:
            enter = self._waiting.pass_through
        try:
            attempt.candidate = enter(
                attempt.identity,
                attempt.remote,
                has_credentials="Authorization" in attempt.headers,
            )
        except RoomFull as err:
            raise _later(HTTPStatus.SERVICE_UNAVAILABLE, _RETRY_AFTER) from err
        except TooManyArrivals as err:
            raise _later(HTTPStatus.TOO_MANY_REQUESTS, _RETRY_AFTER) from err

    def _wanted(self, settings: StationSettings | None) -> Sequence[Dialect]:
        pin = settings.protocol if settings is not None else None
        return [one for one in self._dialects if one == pin] or self._dialects

    def _unauthorized(self) -> Refused:
        headers = {"WWW-Authenticate": 'Basic realm="OCPP"'} if self._challenge else {}
        return Refused(HTTPStatus.UNAUTHORIZED, headers)


def _pin(attempt: Attempt, profile: int) -> None:
    """Refuse whom this profile is too low for (A05.FR.07, SEC_04)."""
    settings = attempt.settings
    if settings is not None and profile < settings.security_profile:
        raise Refused(HTTPStatus.FORBIDDEN)


def _later(status: HTTPStatus, wait: timedelta) -> Refused:
    return Refused(status, {"Retry-After": str(ceil(wait.total_seconds()))})
